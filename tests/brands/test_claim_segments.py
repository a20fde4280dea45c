"""Claims for what is booked: whatever a claim calls a journey, it counts as it was booked."""

import pytest

from brands.coalition import Coalition
from brands.itineraries import Flight
from brands.travel.bookings import Segment, SegmentStatus
from brands.travel.claim_segments import segments_shown
from brands.travel.claims import CreditClaim
from brands.travel.deciding import Decision, Verdict, decide
from brands.travel.programs import publish_terms
from brands.travel.rejections import (
    ClaimEarnsNothing,
    FlightAlreadyCredited,
    OperatedByAnotherBrand,
    OperatingFlightUnknown,
)
from brands.travel.taking_back import void
from tests.brands.booked import (
    Scene,
    booked,
    confirmed,
    errors,
    flight,
    points,
    scene,
    statuses,
    stay,
)
from tests.brands.booked import whole as whole_booking
from tests.brands.claimed import approve, claimed, segment_shown
from tests.brands.stage import OPERATOR, everything, key, require_sound
from tests.brands.test_crediting_once import TWO_NAMES
from tests.brands.watched import watched

GROCERS = flight(9, carrier="GR")


def operated(carrier: str, number: str | None, **more: object) -> Flight:
    """AE 117, sold in class J, and by whom it is said to be operated."""
    return flight(
        117, booking_class="J", operating_carrier=carrier, operating_number=number, **more
    )


async def facts(coalition: Coalition, segment: Segment) -> Flight:
    """The flight of a segment, as it stands."""
    found = (await whole_booking(coalition, segment.booking_id)).segment(segment.id)
    assert found is not None
    assert isinstance(found.facts, Flight)
    return found.facts


async def for_staff(coalition: Coalition, it: Scene) -> Segment:
    """AE 117, flown with a ticket that earns nothing."""
    booking = await booked(coalition, it, flight(117, booking_class="N"))
    await confirmed(coalition, it.brand("AERO"), *booking.segments)
    return booking.segments[0]


@pytest.mark.parametrize(
    "said",
    [
        operated("AE", "118"),
        operated("AER", None),
        operated("ZZ", "5"),
        operated("GR", "9"),
        flight(117, booking_class="J", carrier="AER"),
        flight("117A", booking_class="J"),
        flight(9, booking_class="J", carrier="GR", operating_carrier="AE", operating_number="117"),
    ],
)
async def test_no_name_leads_past_what_was_booked(coalition: Coalition, said: Flight) -> None:
    """Whatever else a claim says of a flight that is booked, the class is that of the booking,
    whoever supplies what is claimed, and so is what it earns."""
    it = await scene(coalition)
    await publish_terms(coalition, OPERATOR, "AERO", TWO_NAMES, None)
    await for_staff(coalition, it)
    made = await claimed(coalition, it, said)
    before = await everything(coalition)
    with pytest.raises(ClaimEarnsNothing):
        await approve(coalition, OPERATOR, made)
    assert await everything(coalition) == before


async def test_a_claim_says_what_the_booking_does_not(coalition: Coalition) -> None:
    """Where only the claim has the number that a flight was operated under, the segment is credited
    with it, and the same flight booked under that number is not."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(117, operating_carrier="GR"))
    made = await claimed(coalition, it, operated("GR", "9"))
    supplier = it.brand("GROCER")
    await approve(coalition, supplier, made)
    assert await statuses(coalition, booking) == [SegmentStatus.CREDITED]
    known = await facts(coalition, booking.segments[0])
    assert (known.operating_number, known.booking_class) == ("9", None)
    own = await booked(coalition, it, GROCERS, record_locator="OWN")
    assert errors(await confirmed(coalition, supplier, *own.segments)) == [FlightAlreadyCredited()]
    assert await points(coalition, it) == 250
    await require_sound(coalition)


async def test_the_name_of_the_claim_is_spent_too(coalition: Coalition) -> None:
    """A flight that is booked under one number and claimed under another is credited under both,
    and free again under both when the claim is taken back."""
    it = await scene(coalition)
    booking = await booked(coalition, it, GROCERS)
    made = await claimed(coalition, it, operated("GR", "9"))
    await approve(coalition, it.brand("GROCER"), made)
    assert await statuses(coalition, booking) == [SegmentStatus.CREDITED]
    (sold,) = (await booked(coalition, it, flight(117), record_locator="SOLD")).segments
    assert errors(await confirmed(coalition, OPERATOR, sold)) == [FlightAlreadyCredited()]
    await void(coalition, OPERATOR, made.id, "A mistake.", key())
    assert errors(await confirmed(coalition, OPERATOR, sold)) == [None]
    assert await points(coalition, it) == 500
    await require_sound(coalition)


async def decided(
    coalition: Coalition, one: CreditClaim, carrier: str | None, number: str | None
) -> None:
    """A claim, approved as it was operated."""
    said = Decision(one.id, Verdict.APPROVE, None, "Seen on the list.", key(), number, carrier)
    await decide(coalition, OPERATOR, said)


async def test_what_is_disputed_is_asked(coalition: Coalition) -> None:
    """Where booking and claim have a flight operated under different numbers, nothing is credited
    until who decides says which it was; that one is spent, and the other is not."""
    it = await scene(coalition)
    booking = await booked(coalition, it, operated("GR", "9"))
    made = await claimed(coalition, it, operated("GR", "8"))
    before = await everything(coalition)
    with pytest.raises(OperatingFlightUnknown) as unknown:
        await decided(coalition, made, None, None)
    assert unknown.value.carrier == "GR"
    assert await everything(coalition) == before
    await decided(coalition, made, None, "9")
    assert await statuses(coalition, booking) == [SegmentStatus.CREDITED]
    others = await booked(coalition, it, flight(8, carrier="GR"), GROCERS, record_locator="BB")
    done = await confirmed(coalition, OPERATOR, *others.segments)
    assert errors(done) == [None, FlightAlreadyCredited()]
    await require_sound(coalition)


async def test_numbers_that_differ_in_the_suffix_are_one(coalition: Coalition) -> None:
    """An operational suffix, or another name of the carrier's brand, is no dispute."""
    it = await scene(coalition)
    await publish_terms(coalition, OPERATOR, "AERO", TWO_NAMES, None)
    sold = {"carrier": "ZZ", "operating_carrier": "AE", "operating_number": "117"}
    booking = await booked(coalition, it, flight(5, **sold))
    also = sold | {"operating_carrier": "AER", "operating_number": "117A"}
    await approve(coalition, OPERATOR, await claimed(coalition, it, flight(5, **also)))
    assert await statuses(coalition, booking) == [SegmentStatus.CREDITED]


async def test_what_another_brand_supplies_is_left_to_it(coalition: Coalition) -> None:
    """A claim that says that a partner has operated a flight is the partner's to decide and to pay;
    the segment of who has sold it stays as it is, and is not credited once more."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(117))
    made = await claimed(coalition, it, operated("GR", "9"))
    assert await segment_shown(coalition, it.brand("AERO"), made) is None
    await approve(coalition, it.brand("GROCER"), made)
    assert await statuses(coalition, booking) == [SegmentStatus.PENDING]
    done = await confirmed(coalition, it.brand("AERO"), *booking.segments)
    assert errors(done) == [FlightAlreadyCredited()]
    assert await points(coalition, it) == 250
    await require_sound(coalition)


async def test_a_decision_says_who_has_operated_it(coalition: Coalition) -> None:
    """The supplier of a claim that no other carrier is said to operate can say it, but not that it
    was another brand's: that one would decide on it."""
    it = await scene(coalition)
    taken = flight(900, carrier="GR", operating_carrier="ZZ", operating_number="55")
    other = await booked(coalition, it, taken)
    made = await claimed(coalition, it, flight(117))
    with pytest.raises(OperatedByAnotherBrand) as refused:
        await decided(coalition, made, "GR", "900")
    assert refused.value.carrier == "GR"
    assert errors(await confirmed(coalition, OPERATOR, *other.segments, points=10)) == [None]
    said = Decision(made.id, Verdict.APPROVE, 10, "Seen.", key(), "55", "ZZ")
    with pytest.raises(FlightAlreadyCredited):
        await decide(coalition, OPERATOR, said)
    assert await points(coalition, it) == 10


async def test_the_claims_supplier_has_a_segment_of_its_own(coalition: Coalition) -> None:
    """Where a flight is booked twice, the claim credits the segment that its supplier supplies,
    though the other is older."""
    it = await scene(coalition)
    sold = await booked(coalition, it, flight(117))
    shared = await booked(coalition, it, operated("GR", "9"), record_locator="OWN")
    await approve(coalition, it.brand("GROCER"), await claimed(coalition, it, operated("GR", "9")))
    assert await statuses(coalition, sold) == [SegmentStatus.PENDING]
    assert await statuses(coalition, shared) == [SegmentStatus.CREDITED]
    await require_sound(coalition)


async def test_a_chain_is_the_claims_to_say(coalition: Coalition) -> None:
    """A stay that is booked without its chain is credited as one of the chain that the claim
    names."""
    it = await scene(coalition)
    booking = await booked(coalition, it, stay(2), brand="HOTEL")
    made = await claimed(coalition, it, stay(2, chain="HOTEL"), brand="HOTEL")
    await approve(coalition, it.brand("HOTEL"), made)
    (segment,) = (await whole_booking(coalition, booking.id)).segments
    assert segment.status is SegmentStatus.CREDITED
    assert segment.facts == stay(2, chain="HOTEL")
    assert await points(coalition, it, "HOTEL") == 600


async def test_segments_of_many_take_no_more_statements(coalition: Coalition) -> None:
    """The segments of claims are found in three statements, of one claim as of a page of them."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2), flight(3))
    made = [await claimed(coalition, it, flight(number)) for number in (1, 2, 3, 4)]
    aero, shown = it.brand("AERO"), {}
    for asked in (made[:1], made):
        with watched() as sent:
            shown = await segments_shown(coalition, aero, asked)
        assert len(sent) == 3
    assert [shown.get(each) for each in made] == [*booking.segments, None]
