"""Confirming what is credited to another brand's program, and what meets a change of the booking:
nobody gains at another's expense, is told another's figures, or acts on what is not hers."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from brands.adjustments import adjust
from brands.clock import now
from brands.coalition import Coalition
from brands.errors import InvalidInput, NotPermitted
from brands.itineraries import Flight
from brands.ledger.commands import Shortfall
from brands.publishing import publish
from brands.travel.attaching import attach
from brands.travel.bookings import SegmentStatus
from brands.travel.crediting import Confirmation, confirm
from brands.travel.rejections import (
    AccrualNotCharted,
    BookingChanged,
    PointsSpent,
    SegmentNotTravelled,
    SegmentTooOld,
)
from brands.travel.voiding import VoidReason, void
from brands.valuations import rates_of
from tests.brands.booked import (
    Scene,
    attachment,
    booked,
    confirmed,
    errors,
    flight,
    points,
    scene,
    statuses,
    stay,
)
from tests.brands.stage import OPERATOR, all_money, changed, key, require_sound

TODAY: date = now().date()


def of_grocers(number: int = 117, **more: Any) -> Flight:
    """A flight of today that GROCER operates, sold by AERO, for which AERO gives 250 points."""
    shared = {"operating_carrier": "GR", "operating_number": str(number), "departs_on": TODAY}
    return flight(number, **(shared | more))


async def moved(coalition: Coalition, it: Scene, facts: Flight) -> UUID:
    """The agency has the flight credited to HOTEL's program instead."""
    made = await attach(coalition, it.sky, attachment(it, facts, brand="HOTEL"))
    return made.booking.id


@pytest.mark.parametrize(("published", "paid"), [("0.020", 20_000), ("0.004", 12_000)])
async def test_no_instant_leaves_a_part_to_the_program(
    coalition: Coalition, published: str, paid: int
) -> None:
    """Of what the points cost when it was flown and now, the supplier pays what is more, and the
    program's brand nothing."""
    it = await scene(coalition)
    flown_at = now()
    await publish(coalition, OPERATOR, "AERO", rates_of(Decimal(published)), None)
    (segment,) = (await booked(coalition, it, of_grocers())).segments
    before = await all_money(coalition)
    asked = [Confirmation(segment.id, travelled_at=flown_at)]
    assert errors(await confirm(coalition, it.brand("GROCER"), asked, key())) == [None]
    moves = changed(before, await all_money(coalition))
    assert moves["GROCER.SETTLEMENT"] == -250 * paid
    assert moves.get("AERO.SETTLEMENT", 0) >= 0
    await require_sound(coalition)


async def test_an_instant_is_one_of_the_journey(coalition: Coalition) -> None:
    """No instant counts at which the journey was over already, whoever says it."""
    it = await scene(coalition)
    days = [TODAY - timedelta(days=7), TODAY - timedelta(days=2)]
    booking = await booked(coalition, it, *(flight(1, departs_on=day) for day in days))
    for who in (it.brand("AERO"), OPERATOR):
        late = [Confirmation(each.id, travelled_at=now()) for each in reversed(booking.segments)]
        with pytest.raises(InvalidInput) as refused:
            await confirm(coalition, who, late, key())
        assert refused.value.path == "segments.1.flownAt"
    good = [Confirmation(booking.segments[1].id, travelled_at=now())]
    assert errors(await confirm(coalition, it.brand("AERO"), good, key())) == [None]


async def test_what_is_long_past_only_an_operator_confirms(coalition: Coalition) -> None:
    """A brand confirms what was travelled in the last 24 months, and nothing before."""
    it = await scene(coalition)
    days = [TODAY - timedelta(days=700), TODAY - timedelta(days=740)]
    booking = await booked(coalition, it, *(flight(1, departs_on=day) for day in days))
    done = await confirmed(coalition, it.brand("AERO"), *booking.segments)
    assert errors(done) == [None, SegmentTooOld(travelled_on=days[1].isoformat())]
    assert errors(await confirmed(coalition, OPERATOR, booking.segments[1])) == [None]


async def test_a_stay_is_credited_when_it_has_ended(coalition: Coalition) -> None:
    """A guest who has not left yet earns nothing yet."""
    it = await scene(coalition)
    begun = stay(6, check_in=TODAY - timedelta(days=1))
    booking = await booked(coalition, it, begun)
    done = await confirmed(coalition, OPERATOR, *booking.segments)
    assert errors(done) == [SegmentNotTravelled(begins_on=begun.check_out.isoformat())]
    assert await points(coalition, it) == 0


async def test_points_of_another_brand_are_those_of_its_chart(coalition: Coalition) -> None:
    """A supplier issues no number of another brand's points that it chooses, and none where the
    other's chart says nothing; that it earns none it may say."""
    it = await scene(coalition)
    uncharted = of_grocers(2, carrier="GR", operating_carrier="G9")
    booking = await booked(coalition, it, of_grocers(1), uncharted, of_grocers(3))
    first, second, third = booking.segments
    supplier = it.brand("GROCER")
    for segment in booking.segments:
        assert segment.supplier_id == supplier.brand_id
        with pytest.raises(NotPermitted):
            await confirmed(coalition, supplier, segment, points=1)
    assert errors(await confirmed(coalition, supplier, second)) == [AccrualNotCharted()]
    asked = [Confirmation(third.id, 0, "A ticket for staff.")]
    assert errors(await confirm(coalition, supplier, asked, key())) == [None]
    assert errors(await confirmed(coalition, supplier, first)) == [None]
    assert await points(coalition, it) == 250
    assert errors(await confirmed(coalition, OPERATOR, second, points=9)) == [None]
    assert await points(coalition, it) == 259


async def test_what_moves_away_meanwhile_is_not_confirmed(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the agency gives the flight to another program between the reading and the deed, what
    the former supplier asks is refused, and it is not told what became of it."""
    it = await scene(coalition)
    facts = flight(1, carrier="ZZ")
    booking = await booked(coalition, it, facts)
    (segment,) = booking.segments
    _after_the_first_reading(monkeypatch, coalition, lambda: moved(coalition, it, facts))
    done = await confirmed(coalition, it.brand("AERO"), segment, points=77)
    assert errors(done) == [BookingChanged()]
    assert done.results[0].segment is None
    assert await statuses(coalition, booking) == [SegmentStatus.PENDING]
    assert await points(coalition, it, "HOTEL") == 0


async def test_what_moves_away_meanwhile_is_not_voided(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a program void what is another's by then."""
    it = await scene(coalition)
    facts = flight(1, carrier="ZZ")
    booking = await booked(coalition, it, facts)
    ids = [each.id for each in booking.segments]
    _after_the_first_reading(monkeypatch, coalition, lambda: moved(coalition, it, facts))
    done = await void(coalition, it.brand("AERO"), ids, VoidReason.MISTAKE, key())
    assert errors(done) == [BookingChanged()]
    assert done.results[0].segment is None
    assert await statuses(coalition, booking) == [SegmentStatus.PENDING]


async def test_an_answer_outlives_the_sight_of_a_segment(coalition: Coalition) -> None:
    """The same key gives the same answer again, though the segment is another program's by now and
    no more to be seen."""
    it = await scene(coalition)
    facts = flight(1, carrier="ZZ")
    booking = await booked(coalition, it, facts)
    (segment,) = booking.segments
    asked, name = [Confirmation(segment.id)], key()
    first = await confirm(coalition, it.brand("AERO"), asked, name)
    assert errors(first) == [AccrualNotCharted()]
    await moved(coalition, it, facts)
    again = await confirm(coalition, it.brand("AERO"), asked, name)
    assert (errors(again), again.replayed) == ([AccrualNotCharted()], True)
    assert again.results[0].segment is None
    assert await statuses(coalition, booking) == [SegmentStatus.PENDING]


async def test_a_supplier_is_not_told_what_a_member_has(coalition: Coalition) -> None:
    """Where points are spent, the program's brand is told how many there are; a supplier is only
    told that they are spent, again and again."""
    it = await scene(coalition, Shortfall.REJECT)
    (segment,) = (await booked(coalition, it, of_grocers())).segments
    supplier = it.brand("GROCER")
    assert errors(await confirmed(coalition, supplier, segment)) == [None]
    await adjust(coalition, OPERATOR, it.ada.at["AERO"], -200, "spent", None, None, key())
    name = key()
    for replayed in (False, True):
        done = await void(coalition, supplier, [segment.id], VoidReason.REFUND, name)
        assert errors(done) == [PointsSpent()]
        assert done.replayed is replayed
    await require_sound(coalition)


def _after_the_first_reading(
    monkeypatch: pytest.MonkeyPatch, coalition: Coalition, deed: Any
) -> None:
    """Lets something happen as soon as bookings have been read."""
    read = coalition.database.fetch
    done: list[bool] = []

    async def fetch(sql: str, *args: Any) -> Any:
        rows = await read(sql, *args)
        if "FROM bookings b" in sql and not done:
            done.append(True)
            await deed()
        return rows

    monkeypatch.setattr(coalition.database, "fetch", fetch)
