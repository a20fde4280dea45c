"""What ends or slows the loading of an agency's file, and what is told then."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from brands.callers import Caller
from brands.clock import now
from brands.coalition import Coalition
from brands.errors import LedgerUnavailable, LookupsThrottled
from brands.guarding.suspicion import CLIENT
from brands.travel.attaching import attach
from brands.verification import RowStatus
from gateway.files import agency_import
from gateway.files.agency_import import TooManyMisses
from gateway.files.import_rows import Fate, Report
from tests.brands.booked import scene
from tests.gateway.importing import HEADER, bookings, fates, load, opened, row

__all__ = ["opened"]


async def test_too_many_misses(opened: Coalition, tmp_path: Path) -> None:
    """Where too much does not match, an import waits as long as it is told to, asks for less, and
    gives up when it would take long."""
    it = await scene(opened)
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    wrong = "".join(row(it, number=f"{n:08}", surname=f"B{n}") for n in range(40))
    with pytest.raises(TooManyMisses):
        await load(opened, tmp_path, HEADER + wrong, sleep=sleep)
    assert 0 < sum(waited) <= agency_import.PATIENCE


async def test_what_is_answered_before_a_wait_is_told_before_it(
    opened: Coalition, tmp_path: Path
) -> None:
    """An import asks for fewer where rows do not match, so that all of a budget is answered; what
    was answered is told before it says that it waits, each wait once."""
    it = await scene(opened)
    told: list[Report] = []
    waits: list[tuple[int, int]] = []

    async def sleep(seconds: float) -> None:
        raise KeyError(seconds)

    def wait(throttled: LookupsThrottled) -> None:
        waits.append((throttled.retry_after_seconds, len(told)))

    wrong = [row(it, number=f"AERO{n:08}", surname=f"B{n}") for n in range(60)]
    with pytest.raises(KeyError):
        await load(opened, tmp_path, HEADER + "".join(wrong), told.extend, waits=wait, sleep=sleep)
    assert waits == [(60, CLIENT.free + 1)]
    assert [each.line for each in told] == list(range(2, CLIENT.free + 3))


async def test_what_matches_is_asked_for_together(
    opened: Coalition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all match, ever more rows are asked for at a time, up to a hundred; what is refused as
    a whole is asked for in halves."""
    it = await scene(opened)
    asked: list[int] = []

    async def odd(coalition: Coalition, caller: Caller, rows: Any) -> Any:
        asked.append(len(rows))
        if len(asked) == 4:
            raise LookupsThrottled(retry_at=now(), retry_after_seconds=1)
        return [RowStatus.MATCH] * len(rows)

    async def sleep(_: float) -> None: ...

    monkeypatch.setattr(agency_import, "verify", odd)
    text = HEADER + "".join(row(it, f"LOC{n}", n) for n in range(1, 201))
    reports = await load(opened, tmp_path, text, sleep=sleep, verify_only=True)
    assert asked == [10, 20, 40, 30, 15, 15, 60, 40]
    assert [each.line for each in reports] == list(range(2, 202))


async def test_a_number_that_is_not_answered_for(opened: Coalition, tmp_path: Path) -> None:
    """Where many names were tried with one number, its row is refused, and the others go on."""
    it = await scene(opened)
    await load(opened, tmp_path, HEADER + row(it, flight=1))  # a match pays for a part of a miss
    for attempt in "abcdefg":
        await load(opened, tmp_path, HEADER + row(it, number="12345678", surname=f"B{attempt}"))
    hotel = it.ada.named["HOTEL"].number
    text = HEADER + row(it, number="12345678") + row(it, carrier="", program="HOTEL", number=hotel)
    assert fates(await load(opened, tmp_path, text)) == [Fate.REFUSED, Fate.ATTACHED]


async def test_what_is_settled_is_told(
    opened: Coalition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a batch cannot go on, what is settled of it is told, the rest is not, and nothing goes
    on behind it."""
    it = await scene(opened)
    done: list[str] = []
    both = asyncio.Event()

    async def odd(coalition: Coalition, caller: Caller, given: Any) -> Any:
        number = given.flights[0].number
        if number == "3":
            await both.wait()
            raise LedgerUnavailable
        if number == "4":
            await asyncio.sleep(0.2)
        made = await attach(coalition, caller, given)
        done.append(number)
        if len(done) == 2:
            both.set()
        return made

    told: list[Report] = []
    monkeypatch.setattr(agency_import, "attach", odd)
    text = HEADER + "".join(row(it, f"LOC{n}", n) for n in range(1, 5)) + row(it, origin="")
    with pytest.raises(LedgerUnavailable):
        await load(opened, tmp_path, text, told.extend)
    settled = [(2, Fate.ATTACHED), (3, Fate.ATTACHED), (6, Fate.BAD)]
    assert [(each.line, each.fate) for each in told] == settled
    await asyncio.sleep(0.4)
    assert len(await bookings(opened, it.sky)) == 2


async def test_waits_at_one_time_count_once(
    opened: Coalition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are made to wait at the same time wait together."""
    it = await scene(opened)
    refused: set[str] = set()
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0)

    async def odd(coalition: Coalition, caller: Caller, given: Any) -> Any:
        if given.idempotency_key not in refused:
            refused.add(given.idempotency_key)
            raise LookupsThrottled(retry_at=now(), retry_after_seconds=300)
        return await attach(coalition, caller, given)

    monkeypatch.setattr(agency_import, "attach", odd)
    text = HEADER + "".join(row(it, f"LOC{n}", n) for n in range(1, 6))
    reports = await load(opened, tmp_path, text, sleep=sleep)
    assert (fates(reports), waited) == ([Fate.ATTACHED] * 5, [300])
