"""What is one journey: it is credited to a member once, however it is written."""

from datetime import timedelta

import pytest

from brands.coalition import Coalition
from brands.itineraries import Flight, Stay
from brands.program_terms import ProgramTerms
from brands.travel.programs import publish_terms
from brands.travel.rejections import FlightAlreadyCredited
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import (
    AERO_TERMS,
    LAST_WEEK,
    Scene,
    booked,
    confirmed,
    errors,
    flight,
    points,
    scene,
    stay,
)
from tests.brands.stage import OPERATOR, key, require_sound

TWO_NAMES = ProgramTerms(carriers=("AE", "AER"), chart=AERO_TERMS.chart, pending_shown=True)


async def confirmed_in_turn(
    coalition: Coalition, it: Scene, *facts: Flight | Stay
) -> list[object | None]:
    """Why each, in a booking of its own, was refused, or None."""
    found = []
    for place, each in enumerate(facts):
        booking = await booked(coalition, it, each, record_locator=f"ONCE{place}")
        found += errors(await confirmed(coalition, OPERATOR, *booking.segments, points=10))
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (flight(117), flight(117, carrier="AER")),
        (flight(5, carrier="ZZ", operating_carrier="AER", operating_number="117"), flight(117)),
        (flight(117, carrier="AER", operating_carrier="AE"), flight(117)),
        (flight(117, carrier="AER", operating_carrier="AE", operating_number="117"), flight(117)),
        (flight(117), flight("117A")),
        (flight("117B"), flight("117A", carrier="AER")),
        (flight(5, carrier="ZZ", operating_carrier="AE", operating_number="117C"), flight(117)),
        (stay(3), stay(2, check_in=LAST_WEEK + timedelta(days=1))),
        (stay(1, check_in=LAST_WEEK + timedelta(days=1)), stay(3)),
        (stay(), stay(place="Lisbon-1")),
    ],
)
async def test_one_journey_has_many_names(
    coalition: Coalition, one: Flight | Stay, other: Flight | Stay
) -> None:
    """A flight under whatever the trade calls its brand, and a night at a property however it is
    written, are credited once; what was voided is free again under all its names."""
    it = await scene(coalition)
    await publish_terms(coalition, OPERATOR, "AERO", TWO_NAMES, None)
    found = await confirmed_in_turn(coalition, it, one, other)
    assert found == [None, FlightAlreadyCredited()]
    first = await booked(coalition, it, one, record_locator="ONCE0")
    await void(coalition, OPERATOR, first.id, VoidReason.MISTAKE, key())
    second = await booked(coalition, it, other, record_locator="ONCE1")
    assert errors(await confirmed(coalition, OPERATOR, *second.segments, points=7)) == [None]
    assert await points(coalition, it) == 7
    await require_sound(coalition)


async def test_other_journeys_are_others(coalition: Coalition) -> None:
    """Another number, day, origin, night or property is another journey."""
    it = await scene(coalition)
    await publish_terms(coalition, OPERATOR, "AERO", TWO_NAMES, None)
    others = (
        flight(117),
        flight(118, carrier="AER"),
        flight(117, origin="OPO"),
        flight(117, departs_on=LAST_WEEK - timedelta(days=1)),
        flight(117, carrier="GR"),
        stay(2),
        stay(1, check_in=LAST_WEEK + timedelta(days=2)),
        stay(2, place="LISBON 11"),
    )
    assert await confirmed_in_turn(coalition, it, *others) == [None] * len(others)


async def test_a_year_at_one_place_is_credited(coalition: Coalition) -> None:
    """The longest stay there is is credited in one, and none of its nights again."""
    it = await scene(coalition)
    first = LAST_WEEK - timedelta(days=400)
    night = stay(1, check_in=first + timedelta(days=364))
    found = await confirmed_in_turn(coalition, it, stay(365, check_in=first), night)
    assert found == [None, FlightAlreadyCredited()]
    await require_sound(coalition)
