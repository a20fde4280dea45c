"""An agency's report: each flight, stay and claim once, as it stands now, in its period."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from brands.callers import Caller
from brands.clock import now
from brands.coalition import Coalition
from brands.errors import AgencyNotFound, InvalidInput
from brands.itineraries import EARLIEST, FURTHEST
from brands.publishing import create_brand
from brands.travel.agency_reports import MAX_DAYS, AgencyReport, ReportLine, report_of
from brands.travel.attaching import detach
from brands.travel.bookings import SegmentStatus
from brands.travel.claims import ClaimStatus
from brands.travel.crediting import Confirmation, confirm
from brands.travel.pursuing import appeal, withdraw
from brands.travel.taking_back import void as void_claim
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import (
    LAST_WEEK,
    Scene,
    booked,
    confirmed,
    flight,
    scene,
    stay,
)
from tests.brands.cast import new_brand
from tests.brands.claimed import approve, claimed, reject
from tests.brands.stage import OPERATOR, enrol, key

LONG = LAST_WEEK - timedelta(days=30), LAST_WEEK + timedelta(days=60)


async def report(
    coalition: Coalition, who: Caller, period: tuple[date, date] = LONG, code: str | None = None
) -> AgencyReport:
    """The report of who asks, unless a code is given."""
    return await report_of(coalition, who, code, *period)


async def line(coalition: Coalition, it: Scene, code: str, who: Caller | None = None) -> ReportLine:
    """An agency's business with a brand."""
    made = await report(coalition, who or it.sky)
    return next(each for each in made.lines if each.brand_id == it.brands[code].id)


def some(counts: dict[SegmentStatus, int] | object) -> dict[str, int]:
    """Those that there are any of."""
    assert isinstance(counts, dict)
    return {status.value: n for status, n in counts.items() if n}


async def test_every_status_is_counted_once(coalition: Coalition) -> None:
    """Every flight and stay stands under what it is now, and the sum is what was attached."""
    it = await scene(coalition)
    journeys = [flight(number) for number in range(1, 7)]
    booking = await booked(coalition, it, *journeys, stay(2))
    ids = [each.id for each in booking.segments]
    await confirmed(coalition, it.brand("AERO"), *booking.segments[:2])
    await confirm(coalition, it.brand("AERO"), [Confirmation(ids[2], 0, "A bought seat.")], key())
    await detach(coalition, it.sky, booking.id, [ids[3]], key())
    await void(coalition, it.sky, [ids[4]], VoidReason.VOID, key())
    await void(coalition, it.brand("AERO"), [ids[1]], VoidReason.REFUND, key())
    unlinked = await booked(coalition, it, flight(7), record_locator="X1", number="NOBODY")
    await confirmed(coalition, it.brand("AERO"), *unlinked.segments)
    made = await line(coalition, it, "AERO")
    assert some(made.flights) == {
        "PENDING": 1,
        "CREDITED": 1,
        "INELIGIBLE": 1,
        "NOT_CREDITED": 1,
        "DETACHED": 1,
        "VOIDED": 2,
    }
    assert some(made.stays) == {"PENDING": 1}
    assert sum(made.flights.values()) == 7


async def test_a_replaced_number_is_counted_at_its_new_brand(coalition: Coalition) -> None:
    """A flight whose number was replaced is counted for the brand of the new one alone."""
    it = await scene(coalition)
    await booked(coalition, it, flight(1))
    await booked(coalition, it, flight(1), brand="HOTEL")
    made = await report(coalition, it.sky)
    assert [each.brand_id for each in made.lines] == [it.brands["HOTEL"].id]
    assert some(made.lines[0].flights) == {"PENDING": 1}


async def test_claims_are_counted_as_they_stand(coalition: Coalition) -> None:
    """Every claim of the agency once; those of others not at all."""
    it = await scene(coalition)
    made = [await claimed(coalition, it, flight(number)) for number in range(1, 7)]
    await claimed(coalition, it, flight(7), it.ada.caller)
    await claimed(coalition, it, flight(8), it.sea)
    aero = it.brand("AERO")
    for each in made[:2]:
        await approve(coalition, aero, each)
    await void_claim(coalition, aero, made[1].id, "A mistake.", key())
    for each in made[2:4]:
        await reject(coalition, aero, each)
    await appeal(coalition, it.sky, made[3].id, "She did fly.", key())
    await withdraw(coalition, it.sky, made[5].id, key())
    counted = await line(coalition, it, "AERO")
    assert dict(counted.claims) == dict.fromkeys(ClaimStatus, 1)
    assert sum(counted.flights.values()) == 0


async def test_periods(coalition: Coalition) -> None:
    """A flight is in the period of its departure, a stay in that of its check-out; both days of a
    period are in it."""
    it = await scene(coalition)
    await booked(coalition, it, flight(1), stay(3))
    day = timedelta(days=1)
    out = LAST_WEEK + 3 * day
    for period, found in (
        ((LAST_WEEK, LAST_WEEK), (1, 0)),
        ((LAST_WEEK + day, out - day), None),
        ((out, out), (0, 1)),
        ((LAST_WEEK, out), (1, 1)),
        ((LAST_WEEK - 9 * day, LAST_WEEK - day), None),
    ):
        lines = (await report(coalition, it.sky, period)).lines
        sums = [(sum(each.flights.values()), sum(each.stays.values())) for each in lines]
        assert sums == ([] if found is None else [found])


async def test_a_stay_that_was_prolonged(coalition: Coalition) -> None:
    """A stay that is attached again with another last day is counted by that day alone."""
    it = await scene(coalition)
    await booked(coalition, it, stay(2))
    await booked(coalition, it, stay(4))
    for nights, lines in ((2, 0), (4, 1)):
        out = LAST_WEEK + timedelta(days=nights)
        assert len((await report(coalition, it.sky, (out, out))).lines) == lines


async def test_claims_are_of_the_programs_day(coalition: Coalition) -> None:
    """A claim is counted on the day that it is, where the program's brand is."""
    it = await scene(coalition)
    # It is another day there than in UTC, at whatever hour this runs.
    zone = "Pacific/Kiritimati" if now().hour >= 10 else "Pacific/Pago_Pago"
    far = replace(new_brand("FARAWAY"), time_zone=zone)
    await create_brand(coalition, OPERATOR, far)
    person = await enrol(coalition, "FARAWAY", surname="Lovelace")
    number = person.named["FARAWAY"].number
    it.ada.named["FARAWAY"] = person.named["FARAWAY"]
    made = await claimed(coalition, it, brand="FARAWAY", number=number)
    here = made.created_at.astimezone(UTC).date()
    there = made.created_at.astimezone(ZoneInfo(zone)).date()
    assert len((await report(coalition, it.sky, (there, there))).lines) == 1
    assert (await report(coalition, it.sky, (here, here))).lines == ()


async def test_who_may_have_it(coalition: Coalition) -> None:
    """An agency has its own, the operator everybody's; to others there is no such agency."""
    it = await scene(coalition)
    await booked(coalition, it)
    assert (await report(coalition, OPERATOR, code="SKY")).lines != ()
    assert (await report(coalition, it.sky, code="SKY")).lines != ()
    assert (await report(coalition, it.sea)).lines == ()
    for who, code in (
        (it.sea, "SKY"),
        (it.brand("AERO"), "SKY"),
        (it.ada.caller, "SKY"),
        (OPERATOR, None),
        (it.ada.caller, None),
        (OPERATOR, "NOWHERE"),
    ):
        with pytest.raises(AgencyNotFound):
            await report(coalition, who, code=code)


async def test_the_length_of_a_period(coalition: Coalition) -> None:
    """A period is a day at least, and a leap year at most."""
    it = await scene(coalition)
    today = datetime.now(UTC).date()
    for days in (-1, MAX_DAYS):
        with pytest.raises(InvalidInput):
            await report(coalition, it.sky, (today, today + timedelta(days=days)))
    await report(coalition, it.sky, (today, today + timedelta(days=MAX_DAYS - 1)))


async def test_days_on_which_nobody_travels(coalition: Coalition) -> None:
    """A period lies among the days of travel, to the ends of the calendar."""
    it = await scene(coalition)
    furthest = datetime.now(UTC).date() + FURTHEST
    one = timedelta(days=1)
    for day, path in (
        (date.max, "from"),
        (date.min, "from"),
        (furthest + one, "from"),
        (EARLIEST - one, "from"),
    ):
        with pytest.raises(InvalidInput) as met:
            await report(coalition, it.sky, (day, day))
        assert met.value.path == path
    with pytest.raises(InvalidInput) as met:
        await report(coalition, it.sky, (furthest, furthest + one))
    assert met.value.path == "to"
    for day in (EARLIEST, furthest):
        assert (await report(coalition, it.sky, (day, day))).lines == ()
