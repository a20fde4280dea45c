"""What brands lay down for travel, and what a journey earns by it."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from brands.clock import now
from brands.coalition import Coalition
from brands.errors import (
    CarrierTaken,
    InvalidInput,
    NotPermitted,
    ProgramTermsInPast,
)
from brands.itineraries import Facts, Flight, Stay, facts_from_text, facts_to_text
from brands.program_terms import (
    ChartRow,
    Earned,
    Program,
    ProgramTerms,
    TermsChange,
    supplier_of,
    terms_from_text,
    terms_to_text,
)
from brands.travel.programs import Journey, estimate, publish_terms
from tests.brands.booked import AERO_TERMS, attachment, flight, scene, stay
from tests.brands.cast import count_rows
from tests.brands.stage import AGENCY, OPERATOR, acting_for, open_brand, open_brands

DAY = date(2026, 1, 5)


def a_flight(**more: Any) -> Flight:
    """AE 1 from LIS."""
    return Flight("AE", "1", "LIS", DAY, **more)


def a_stay(nights: int = 2, **more: str) -> Stay:
    """So many nights somewhere."""
    return Stay("SOMEWHERE", DAY, DAY + timedelta(days=nights), **more)


CHART = ProgramTerms(
    chart=(
        ChartRow(per_segment=0, fare_prefix="ID", reason="Staff."),
        ChartRow(per_segment=0, carrier="ZZ", booking_classes=("N", "O"), reason="Cheap."),
        ChartRow(per_segment=900, booking_classes=("J",)),
        ChartRow(per_segment=300, carrier="AE"),
        ChartRow(per_night=0, fare_prefix="OTA", reason="By another site."),
        ChartRow(per_night=250, carrier="STAY"),
        ChartRow(per_night=10),
    )
)


@pytest.mark.parametrize(
    ("facts", "earned"),
    [
        (a_flight(), Earned(300, None)),
        (a_flight(booking_class="J"), Earned(900, None)),
        (a_flight(booking_class="N"), Earned(300, None)),
        (a_flight(booking_class="J", fare_basis="ID90"), Earned(0, "Staff.")),
        (a_flight(operating_carrier="ZZ"), None),
        (a_flight(operating_carrier="ZZ", booking_class="O"), Earned(0, "Cheap.")),
        (a_flight(operating_carrier="ZZ", booking_class="J"), Earned(900, None)),
        (a_stay(), Earned(20, None)),
        (a_stay(3, chain="STAY"), Earned(750, None)),
        (a_stay(3, chain="STAY", rate_code="OTA5"), Earned(0, "By another site.")),
    ],
)
def test_the_first_row_that_fits_holds(facts: Facts, earned: Earned | None) -> None:
    """A chart is read from the top, by who operates a flight; where no row fits it says nothing."""
    assert CHART.earned(facts) == earned


def test_terms_and_facts_are_kept_as_they_are() -> None:
    """What is stored is read again as it was."""
    assert terms_from_text(terms_to_text(CHART)) == CHART
    full = flight(1, booking_class="J", departs_at=now(), destination="LHR", ticket="1" * 13)
    for facts in (full, flight(2), stay(3), stay(1, chain="X1", rate_code="BAR")):
        assert facts_from_text(facts_to_text(facts)) == facts


async def test_terms_are_superseded(coalition: Coalition) -> None:
    """New terms hold from when they begin, the former until then; the same again change nothing;
    none begin in the past, nor further ahead than anybody sells a journey."""
    brand = await open_brand(coalition, "AERO", "0.01")
    await publish_terms(coalition, acting_for(brand), "AERO", AERO_TERMS, None)
    later = now() + timedelta(days=1)
    other = ProgramTerms(carriers=("AE", "AX"), claim_window_months=3)
    published = await publish_terms(coalition, OPERATOR, "AERO", other, later)
    programs = coalition.registry.snapshot.programs
    assert programs.terms(brand.id, now()) == AERO_TERMS
    assert programs.terms(brand.id, later) == other
    again = await publish_terms(coalition, OPERATOR, "AERO", other, later)
    assert again.id == published.id
    with pytest.raises(ProgramTermsInPast):
        await publish_terms(coalition, OPERATOR, "AERO", CHART, now() - timedelta(days=1))
    with pytest.raises(InvalidInput):
        await publish_terms(coalition, OPERATOR, "AERO", CHART, now() + timedelta(days=732))
    assert await count_rows(coalition, "program_terms") == 2


async def test_what_was_to_begin_is_withdrawn(coalition: Coalition) -> None:
    """Terms withdraw what their brand has published to begin when they do, or later, and a name
    that only those gave it is another's to take; what they leave out is as what held until then
    has it, and what was withdrawn can be published again."""
    brands = await open_brands(coalition)
    day = now() + timedelta(days=1)

    async def published(begins: datetime | None, *carriers: str) -> Program:
        change = TermsChange(carriers=carriers or None)
        return await publish_terms(coalition, OPERATOR, "AERO", change, begins)

    async def held() -> list[tuple[str, ...]]:
        programs = coalition.registry.snapshot.programs
        return [each.terms.carriers for each in programs.of_brand(brands["AERO"].id)]

    await published(None, "AE")
    await published(day, "AX")
    await published(day + timedelta(days=1), "AY")
    for again in (None, day):  # a retry, however late, withdraws nothing
        await published(again, "AE" if again is None else "AX")
        assert await held() == [("AE",), ("AX",), ("AY",)]
    await published(day, "AZ")
    assert await held() == [("AE",), ("AZ",)]
    assert (await published(day - timedelta(hours=1))).terms.carriers == ("AE",)
    assert await held() == [("AE",), ("AE",)]
    await publish_terms(coalition, OPERATOR, "HOTEL", TermsChange(carriers=("AX", "AY")), None)
    with pytest.raises(CarrierTaken):
        await published(day, "AX")
    planned = await published(day, "AZ")
    assert coalition.registry.snapshot.programs.in_force(brands["AERO"].id, day) == planned


async def test_what_is_not_spoken_of_stays(coalition: Coalition) -> None:
    """Terms that speak of one thing leave the others as the newest terms have them, those that are
    to come included; an empty list empties; what holds already changes nothing."""
    await open_brand(coalition, "AERO", "0.01")

    async def published(begins: datetime | None = None, **change: Any) -> Program:
        return await publish_terms(coalition, OPERATOR, "AERO", TermsChange(**change), begins)

    assert (await published(pending_shown=True)).terms == ProgramTerms(pending_shown=True)
    await publish_terms(coalition, OPERATOR, "AERO", AERO_TERMS, None)
    shorter = await published(claim_window_months=3)
    assert shorter.terms == replace(AERO_TERMS, claim_window_months=3)
    for again in (await published(claim_window_months=3), await published()):
        assert again.id == shorter.id
    later = now() + timedelta(days=1)
    to_come = await published(later, carriers=("AX",))
    assert to_come.terms == replace(shorter.terms, carriers=("AX",))
    emptied = await published(later + timedelta(days=1), chart=(), pending_shown=False)
    assert emptied.terms == ProgramTerms(carriers=("AX",), claim_window_months=3)
    assert await count_rows(coalition, "program_terms") == 5


async def test_no_two_brands_are_named_alike(coalition: Coalition) -> None:
    """What the trade calls one brand, now or later, it calls no other."""
    brands = await open_brands(coalition)
    later = now() + timedelta(days=1)
    await publish_terms(coalition, OPERATOR, "AERO", ProgramTerms(carriers=("AE",)), None)
    await publish_terms(coalition, OPERATOR, "AERO", ProgramTerms(carriers=("AX",)), later)
    for carrier, begins in (("AE", None), ("ax", None), ("AX", later + timedelta(days=1))):
        terms = ProgramTerms(carriers=("GR", carrier))
        with pytest.raises(CarrierTaken) as taken:
            await publish_terms(coalition, OPERATOR, "GROCER", terms, begins)
        assert (taken.value.path, taken.value.brand) == ("carriers.1", "AERO")
    free = ProgramTerms(carriers=("AE",))
    await publish_terms(coalition, OPERATOR, "GROCER", free, later)
    programs = coalition.registry.snapshot.programs
    for facts, at, supplier in (
        (a_flight(), now(), "AERO"),
        (a_flight(), later, "GROCER"),
        (a_flight(operating_carrier="AX"), later, "AERO"),
        (a_flight(operating_carrier="QQ"), now(), "AERO"),
        (Flight("QQ", "1", "LIS", DAY), now(), "HOTEL"),
    ):
        assert supplier_of(programs, brands["HOTEL"].id, facts, at) == brands[supplier].id


@pytest.mark.parametrize(
    ("path", "terms"),
    [
        ("carriers.0", ProgramTerms(carriers=("A",))),
        ("carriers", ProgramTerms(carriers=tuple(f"A{n}" for n in range(30)))),
        ("claimWindowMonths", ProgramTerms(claim_window_months=-1)),
        ("chart.0", ProgramTerms(chart=(ChartRow(),))),
        ("chart.0", ProgramTerms(chart=(ChartRow(1, 1),))),
        ("chart.1.reason", ProgramTerms(chart=(ChartRow(1), ChartRow(0)))),
        ("chart.0.pointsPerNight", ProgramTerms(chart=(ChartRow(per_night=-1),))),
        ("chart.0.bookingClasses.0", ProgramTerms(chart=(ChartRow(1, booking_classes=("7",)),))),
        ("chart.0.carrier", ProgramTerms(chart=(ChartRow(1, carrier="?"),))),
        ("chart", ProgramTerms(chart=(ChartRow(1),) * 101)),
    ],
)
async def test_bad_terms_are_refused(coalition: Coalition, path: str, terms: ProgramTerms) -> None:
    """Terms that do not have their form are refused with the field's name."""
    await open_brand(coalition, "AERO", "0.01")
    with pytest.raises(InvalidInput) as refused:
        await publish_terms(coalition, OPERATOR, "AERO", terms, None)
    assert refused.value.path == path
    assert await count_rows(coalition, "program_terms") == 0


async def test_who_may_publish(coalition: Coalition) -> None:
    """A brand publishes its own terms, and the operator anybody's."""
    it = await scene(coalition)
    before = await count_rows(coalition, "program_terms")
    for who in (it.brand("HOTEL"), AGENCY, it.sky, it.ada.caller):
        with pytest.raises(NotPermitted):
            await publish_terms(coalition, who, "AERO", CHART, None)
    assert await count_rows(coalition, "program_terms") == before


async def test_an_estimate_is_what_is_credited(coalition: Coalition) -> None:
    """What is estimated is what the chart gives when it is confirmed; of what no row speaks of
    nothing is said."""
    it = await scene(coalition)
    given = attachment(it, flight(1, booking_class="J"), flight(2, carrier="ZZ"), stay(2))
    found = estimate(coalition, "AERO", Journey(given.flights, given.stays))
    points = [None if each.earned is None else each.earned.points for each in found]
    assert points == [1_000, None, 200]
    assert await count_rows(coalition, "bookings") == 0
    for journey in (Journey(), Journey((flight(1),) * 101)):
        with pytest.raises(InvalidInput):
            estimate(coalition, "AERO", journey)
