"""Bookings that are attached, replaced, detached, confirmed and voided at once, by several writers
of one coalition."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any
from uuid import UUID

import pytest

from brands.coalition import Coalition, open_coalition
from brands.itineraries import Facts
from brands.travel import attaching
from brands.travel.attaching import attach, detach
from brands.travel.booking_parts import Done
from brands.travel.bookings import Booking, SegmentStatus
from brands.travel.crediting import Confirmation, confirm
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import (
    Scene,
    attachment,
    booked,
    flight,
    points,
    scene,
    statuses,
    stay,
    whole,
)
from tests.brands.stage import OPERATOR, key, require_sound

WRITERS = 3
brands_of = attaching._brands_of
MET = {
    "NothingPending",
    "BookingChanged",
    "SegmentAlreadyCredited",
    "SegmentClosed",
}
"""What the slower ones are told."""


@pytest.fixture
async def writers(url: str, coalition: Coalition) -> AsyncIterator[list[Coalition]]:
    """Writers of the coalition, each with connections of its own; on SQLite there is one."""
    async with AsyncExitStack() as opened:
        made = [coalition]
        for _ in range(0 if coalition.database.is_sqlite else WRITERS - 1):
            made.append(await open_coalition(url))
            opened.push_async_callback(made[-1].close)
        yield made


async def set_scene(writers: Sequence[Coalition]) -> Scene:
    """The scene, which every writer knows of."""
    it = await scene(writers[0])
    for writer in writers:
        await writer.registry.refresh()
    return it


async def at_once(*attempts: Any) -> Counter[str]:
    """What came of attempts made at once: how often each was done, or refused, and why."""
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    found: Counter[str] = Counter()
    for answer in answers:
        if isinstance(answer, Done):
            refused = [type(each.error).__name__ for each in answer.results if each.error]
            found.update(refused or ["done"])
        else:
            found[type(answer).__name__ if isinstance(answer, Exception) else "done"] += 1
    return found


async def test_a_segment_is_confirmed_once(writers: list[Coalition]) -> None:
    """Of twenty confirmations of one segment at once, one credits it."""
    it = await set_scene(writers)
    (segment,) = (await booked(writers[0], it)).segments
    asked = [Confirmation(segment.id, 10)]
    found = await at_once(
        *(
            confirm(each, OPERATOR, asked, key())
            for each, _ in zip(cycle(writers), range(20), strict=False)
        )
    )
    assert found["done"] == 1
    assert set(found) <= MET | {"done"}
    assert found.total() == 20
    assert await points(writers[0], it) == 10
    await require_sound(writers[0])


async def test_one_key_confirms_once(writers: list[Coalition]) -> None:
    """Twenty times the same request at once, with one key, is one request."""
    it = await set_scene(writers)
    booking = await booked(writers[0], it, flight(1), flight(2))
    asked, name = [Confirmation(each.id, 10) for each in booking.segments], key()
    found = await at_once(
        *(
            confirm(each, OPERATOR, asked, name)
            for each, _ in zip(cycle(writers), range(20), strict=False)
        )
    )
    assert found == {"done": 20}
    assert await points(writers[0], it) == 20
    await require_sound(writers[0])


async def test_a_flight_of_many_bookings_is_credited_once(writers: list[Coalition]) -> None:
    """One flight, in ten bookings of two agencies, confirmed all at once, is credited once."""
    it = await set_scene(writers)
    bookings = [
        await booked(writers[0], it, who=who, record_locator=f"LOC{n}")
        for n in range(5)
        for who in (it.sky, it.sea)
    ]
    found = await at_once(
        *(
            confirm(each, OPERATOR, [Confirmation(booking.segments[0].id, 10)], key())
            for each, booking in zip(cycle(writers), bookings, strict=False)
        )
    )
    assert found == {"done": 1, "FlightAlreadyCredited": 9}
    assert await points(writers[0], it) == 10
    await require_sound(writers[0])


async def _rival(coalition: Coalition, it: Scene, rival: str, booking: Booking, n: int) -> Any:
    """Something else that is done to the one segment of a booking."""
    if rival == "detach":
        return await detach(coalition, it.sky, booking.id, None, key())
    if rival == "void":
        return await void(coalition, it.sky, booking.id, VoidReason.VOID, key())
    other = attachment(it, flight(n + 1), brand="HOTEL", record_locator=f"LOC{n}")
    return await attach(coalition, it.sky, other)


@pytest.mark.parametrize("rival", ["detach", "replace", "void"])
async def test_one_of_two_wins(writers: list[Coalition], rival: str) -> None:
    """Where a segment is confirmed and detached, replaced or voided at once, one is done, or both
    one after the other, and nobody else's points move."""
    it = await set_scene(writers)
    for n in range(10):
        booking = await booked(writers[0], it, flight(n + 1), record_locator=f"LOC{n}")
        (segment,) = booking.segments
        before = await points(writers[0], it), await points(writers[0], it, "HOTEL")
        asked = [Confirmation(segment.id, 10)]
        found = await at_once(
            confirm(writers[0], OPERATOR, asked, key()),
            _rival(writers[-1], it, rival, booking, n),
        )
        assert set(found) <= MET | {"done"}
        gained = (
            await points(writers[0], it) - before[0],
            await points(writers[0], it, "HOTEL") - before[1],
        )
        (now,) = (await whole(writers[0], booking.id)).segments
        assert sum(gained) == (10 if now.status is SegmentStatus.CREDITED else 0)
        if now.status is SegmentStatus.CREDITED:
            assert gained[now.brand_id == it.brands["HOTEL"].id] == 10
    await require_sound(writers[0])


async def test_voiding_gives_back_once(writers: list[Coalition]) -> None:
    """Twenty voids at once take the points back once; twenty rounds of voiding and confirming leave
    what the last one did."""
    it = await set_scene(writers)
    booking = await booked(writers[0], it)
    (segment,) = booking.segments
    await confirm(writers[0], OPERATOR, [Confirmation(segment.id, 10)], key())
    found = await at_once(
        *(
            void(each, OPERATOR, [segment.id], VoidReason.REFUND, key())
            for each, _ in zip(cycle(writers), range(20), strict=False)
        )
    )
    assert found["done"] == 1
    assert set(found) <= MET | {"done"}
    assert await points(writers[0], it) == 0
    assert await statuses(writers[0], booking) == [SegmentStatus.VOIDED]
    await require_sound(writers[0])


async def test_attachments_at_once_are_all_made(writers: list[Coalition]) -> None:
    """Attachments to one booking at once are made one after another, each whole and each once,
    whoever asks again."""
    it = await set_scene(writers)
    asked = [attachment(it, flight(n), flight(n + 50)) for n in range(1, 11)]
    found = await at_once(
        *(attach(each, it.sky, given) for each, given in zip(cycle(writers), asked, strict=False))
    )
    assert found == {"done": 10}
    for given in asked:
        again = await attach(writers[0], it.sky, given)
        assert again.replayed
        assert len(again.booking.segments) == 20
    await require_sound(writers[0])


async def test_who_detaches_meets_nobody(writers: list[Coalition]) -> None:
    """Detaching all that is pending, while the number of each segment is replaced, does so; what
    was replaced after that is a segment of its own, and there once."""
    it = await set_scene(writers)
    for _ in range(10):
        booking = await booked(writers[0], it, flight(1), flight(2))
        found = await at_once(
            attach(writers[-1], it.sky, attachment(it, flight(2, booking_class="J"))),
            attach(writers[-2:][0], it.sky, attachment(it, flight(1, booking_class="J"))),
            detach(writers[0], it.sky, booking.id, None, key()),
        )
        assert found == {"done": 3}
        was = {each.id for each in booking.segments}
        now = (await whole(writers[0], booking.id)).segments
        assert all(each.status is SegmentStatus.DETACHED for each in now if each.id in was)
        await detach(writers[0], it.sky, (await booked(writers[0], it)).id, None, key())
    await require_sound(writers[0])


@pytest.mark.parametrize("other", ["detach", "confirm"])
@pytest.mark.parametrize("facts", [flight(2), stay(chain="HOTEL")], ids=["flight", "stay"])
async def test_who_was_held_up_adds_nothing_twice(
    writers: list[Coalition], monkeypatch: pytest.MonkeyPatch, other: str, facts: Facts
) -> None:
    """Who has read a booking, and writes after others have changed and added to it, adds what is
    not there by then."""
    it = await set_scene(writers)
    booking = await booked(writers[0], it, flight(1))
    read, go_on = asyncio.Event(), asyncio.Event()

    async def held_up(coalition: Coalition, seen: Booking) -> set[UUID]:
        brands = await brands_of(coalition, seen)
        if not read.is_set():
            read.set()
            await go_on.wait()
        return brands

    monkeypatch.setattr(attaching, "_brands_of", held_up)
    slow = asyncio.create_task(attach(writers[-1], it.sky, attachment(it, facts)))
    await read.wait()
    if other == "detach":
        await detach(writers[0], it.sky, booking.id, None, key())
    else:
        await confirm(writers[0], OPERATOR, [Confirmation(booking.segments[0].id, 10)], key())
    await attach(writers[0], it.sky, attachment(it, facts))
    go_on.set()
    assert len((await slow).booking.segments) == 2
    await require_sound(writers[0])
