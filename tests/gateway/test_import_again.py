"""Loading an agency's file again, or what is there already: nothing is done twice, or undone."""

from pathlib import Path
from typing import Any

import pytest

from brands.callers import Caller
from brands.coalition import Coalition
from brands.itineraries import Flight
from brands.travel.attaching import attach, detach
from brands.travel.rejections import BookingChanged
from gateway.files import agency_import
from gateway.files.import_rows import Fate
from tests.brands.booked import confirmed, scene
from tests.brands.stage import everything
from tests.gateway.importing import HEADER, bookings, fates, load, opened, row

__all__ = ["opened"]


async def test_loading_twice_changes_nothing(opened: Coalition, tmp_path: Path) -> None:
    """A file that is loaded again says so of each row, and the books are as they were."""
    it = await scene(opened)
    text = HEADER + row(it) + row(it, flight=118) + row(it, flight=118)
    first = await load(opened, tmp_path, text)
    assert fates(first) == [Fate.ATTACHED, Fate.ATTACHED, Fate.ALREADY_THERE]
    before = await everything(opened), await bookings(opened, it.sky)
    assert fates(await load(opened, tmp_path, text)) == [Fate.ALREADY_THERE] * 3
    assert (await everything(opened), await bookings(opened, it.sky)) == before


async def test_an_import_that_was_cut_off(opened: Coalition, tmp_path: Path) -> None:
    """Started again, it attaches what is missing."""
    it = await scene(opened)
    rows = [row(it, f"LOC{n}", n) for n in range(1, 6)]
    await load(opened, tmp_path, HEADER + "".join(rows[:3]))
    again = await load(opened, tmp_path, HEADER + "".join(rows))
    assert fates(again) == [Fate.ALREADY_THERE] * 3 + [Fate.ATTACHED] * 2


async def test_what_changed_since_stays_as_it_is(opened: Coalition, tmp_path: Path) -> None:
    """What was loaded before and has changed since is told so and left alone; asked to, it is
    attached again, and then it is there."""
    it = await scene(opened)
    economy, business = HEADER + row(it, **{"class": "Y"}), HEADER + row(it, **{"class": "J"})

    async def load_and_see(text: str, again: bool = False) -> tuple[list[Fate], list[object]]:
        found = fates(await load(opened, tmp_path, text, again=again))
        (booking,) = await bookings(opened, it.sky)
        return found, [
            isinstance(each.facts, Flight) and (each.facts.booking_class, each.status.value)
            for each in booking.segments
        ]

    assert await load_and_see(economy) == ([Fate.ATTACHED], [("Y", "PENDING")])
    assert await load_and_see(business) == ([Fate.ATTACHED], [("J", "PENDING")])
    assert await load_and_see(economy) == ([Fate.LOADED_BEFORE], [("J", "PENDING")])
    assert await load_and_see(economy, again=True) == ([Fate.ATTACHED], [("Y", "PENDING")])
    assert await load_and_see(economy) == ([Fate.ALREADY_THERE], [("Y", "PENDING")])
    (booking,) = await bookings(opened, it.sky)
    await detach(opened, it.sky, booking.id, None, "over")
    over = ("Y", "DETACHED")
    assert await load_and_see(economy) == ([Fate.LOADED_BEFORE], [over])
    again = [over, ("Y", "PENDING")]
    assert await load_and_see(economy, again=True) == ([Fate.ATTACHED], again)
    assert await load_and_see(economy, again=True) == ([Fate.ALREADY_THERE], again)


async def test_however_a_row_is_written(opened: Coalition, tmp_path: Path) -> None:
    """A row is known again however its program, number, name and flight are written: it is told to
    be there, and what was detached since is not attached again unless that is asked for."""
    it = await scene(opened)
    number = it.ada.named["AERO"].number
    spaced = f"{number[:6]}-{number[6:]}".lower()
    ways = [
        row(it),
        row(it, carrier="", program="aero", number=spaced),
        row(it, carrier="AERO", surname="Lovelace", given_name="Bea", flight="AE0117"),
    ]
    reports = await load(opened, tmp_path, HEADER + "".join(ways))
    assert fates(reports) == [Fate.ATTACHED, Fate.ALREADY_THERE, Fate.ALREADY_THERE]
    (booking,) = await bookings(opened, it.sky)
    await detach(opened, it.sky, booking.id, None, "over")
    for way in ways:
        assert fates(await load(opened, tmp_path, HEADER + way)) == [Fate.LOADED_BEFORE]
    assert fates(await load(opened, tmp_path, HEADER + ways[2], again=True)) == [Fate.ATTACHED]
    assert fates(await load(opened, tmp_path, HEADER + ways[1])) == [Fate.ALREADY_THERE]


async def test_what_was_credited_is_there(opened: Coalition, tmp_path: Path) -> None:
    """A flight that was credited in the meantime is there, whatever its class was."""
    it = await scene(opened)
    text = HEADER + row(it)
    await load(opened, tmp_path, text)
    (booking,) = await bookings(opened, it.sky)
    await confirmed(opened, it.brand("AERO"), *booking.segments)
    assert fates(await load(opened, tmp_path, text)) == [Fate.ALREADY_THERE]


async def test_a_second_number_for_a_flight(opened: Coalition, tmp_path: Path) -> None:
    """In one file a flight has one number of a traveller: a second one is refused with the line of
    the first, each time; another ticket is another traveller's."""
    it = await scene(opened)
    other = {"carrier": "", "program": "HOTEL", "number": it.ada.named["HOTEL"].number}
    text = HEADER + row(it) + row(it, **other) + row(it, "EF34GH", **other)
    told = [Fate.ATTACHED, Fate.REFUSED, Fate.ATTACHED]
    first = await load(opened, tmp_path, text)
    assert fates(first) == told
    assert first[1].why == "another number has its flight or stay: see line 2"
    again = [Fate.ALREADY_THERE, Fate.REFUSED, Fate.ALREADY_THERE]
    assert fates(await load(opened, tmp_path, text)) == again
    tickets = "1" * 13, "2" * 13
    text = (
        HEADER
        + row(it, "IJ56KL", ticket=tickets[0])
        + row(it, "IJ56KL", ticket=tickets[1], **other)
    )
    assert fates(await load(opened, tmp_path, text)) == [Fate.ATTACHED] * 2


async def test_somebody_else_changes_the_booking(
    opened: Coalition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that met another request is tried again under another key, and found again by it."""
    it = await scene(opened)
    asked: list[str] = []

    async def meeting(coalition: Coalition, caller: Caller, given: Any) -> Any:
        asked.append(given.idempotency_key)
        if given.idempotency_key.endswith("/1"):
            raise BookingChanged
        return await attach(coalition, caller, given)

    monkeypatch.setattr(agency_import, "attach", meeting)
    assert fates(await load(opened, tmp_path, HEADER + row(it))) == [Fate.ATTACHED]
    assert fates(await load(opened, tmp_path, HEADER + row(it))) == [Fate.ALREADY_THERE]
    assert [each[-2:] for each in asked] == ["/1", "/2"] * 2
