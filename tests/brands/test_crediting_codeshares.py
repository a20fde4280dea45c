"""Codeshares: a flight that one carrier sells and another's operates is credited once, under both
of its numbers."""

from dataclasses import replace

import pytest

from brands.coalition import Coalition
from brands.errors import IdempotencyKeyReused, InvalidInput
from brands.itineraries import Flight
from brands.program_terms import ChartRow
from brands.travel.bookings import Segment, SegmentStatus
from brands.travel.claims import ClaimStatus, CreditClaim
from brands.travel.crediting import Confirmation, confirm
from brands.travel.deciding import Decision, Verdict, decide
from brands.travel.programs import publish_terms
from brands.travel.rejections import (
    AccrualNotCharted,
    FlightAlreadyCredited,
    OperatedByAnotherBrand,
    OperatingFlightUnknown,
    PointsSpent,
    SegmentAlreadyCredited,
    SegmentClosed,
    SegmentNotTravelled,
)
from brands.travel.taking_back import void as void_claim
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import (
    AERO_TERMS,
    after,
    booked,
    confirmed,
    errors,
    flight,
    points,
    scene,
    statuses,
    stay,
    whole,
)
from tests.brands.claimed import claimed
from tests.brands.claimed import whole as whole_claim
from tests.brands.stage import OPERATOR, everything, key, require_sound

UNKNOWN = OperatingFlightUnknown(carrier="GR")
SOLD = flight(117, operating_carrier="GR")
FLOWN = flight(9, carrier="GR")


async def flown(
    coalition: Coalition,
    segment: Segment,
    number: str | None,
    points: int | None = None,
    carrier: str | None = None,
) -> object:
    """Why a segment was not credited under a number, or None."""
    said = Confirmation(segment.id, points, operating_number=number, operating_carrier=carrier)
    (error,) = errors(await confirm(coalition, OPERATOR, [said], key()))
    return error


async def number_of(coalition: Coalition, segment: Segment) -> str | None:
    """The operating carrier's number, as the booking has it now."""
    booking = await whole(coalition, segment.booking_id)
    found = booking.segment(segment.id)
    assert found is not None
    assert isinstance(found.facts, Flight)
    return found.facts.operating_number


async def decided(coalition: Coalition, claim: CreditClaim, number: str | None) -> object:
    """Why a claim was not approved, or None."""
    said = Decision(claim.id, Verdict.APPROVE, 40, "Seen on the list.", key(), number)
    try:
        await decide(coalition, OPERATOR, said)
    except (OperatingFlightUnknown, FlightAlreadyCredited) as refusal:
        return replace(refusal, replayed=False)
    return None


async def test_the_number_it_was_flown_by_must_be_known(coalition: Coalition) -> None:
    """A codeshare whose number at the carrier that operates it is not known stays pending and moves
    nothing; with the number it is credited, and the same flight booked under it is not."""
    it = await scene(coalition)
    (sold,) = (await booked(coalition, it, SOLD)).segments
    (own,) = (await booked(coalition, it, FLOWN, record_locator="OWN")).segments
    before = await everything(coalition)
    assert await flown(coalition, sold, None) == UNKNOWN
    assert await everything(coalition) == before
    assert after(await confirmed(coalition, OPERATOR, sold))[0].status is SegmentStatus.PENDING
    assert await flown(coalition, sold, "0009") is None
    assert await number_of(coalition, sold) == "9"
    assert await flown(coalition, own, None) == FlightAlreadyCredited()
    await void(coalition, OPERATOR, [sold.id], VoidReason.MISTAKE, key())
    assert await flown(coalition, own, None) is None
    assert await points(coalition, it) == 250
    await require_sound(coalition)


async def test_who_flew_it_knows_the_number(coalition: Coalition) -> None:
    """Where the supplier says another number than the agency, the supplier's is the flight's."""
    it = await scene(coalition)
    wrong = replace(SOLD, operating_number="8")
    (sold,) = (await booked(coalition, it, wrong)).segments
    others = await booked(coalition, it, FLOWN, flight(8, carrier="GR"), record_locator="OWN")
    assert await flown(coalition, sold, "9") is None
    assert await number_of(coalition, sold) == "9"
    assert [await flown(coalition, each, None) for each in others.segments] == [
        FlightAlreadyCredited(),
        None,
    ]
    await require_sound(coalition)


async def test_no_number_is_guessed(coalition: Coalition) -> None:
    """While the number is unknown, another flight of that carrier's with the number that it was
    sold by is another flight."""
    it = await scene(coalition)
    (sold,) = (await booked(coalition, it, SOLD)).segments
    (other,) = (
        await booked(coalition, it, flight(117, carrier="GR"), record_locator="BB")
    ).segments
    assert await flown(coalition, other, None) is None
    assert await flown(coalition, sold, None) == UNKNOWN
    assert await flown(coalition, sold, "9") is None
    assert await points(coalition, it) == 500


async def test_names_of_one_brand_number_alike(coalition: Coalition) -> None:
    """Where both carriers are of one brand, the number is the same, and need not be said."""
    it = await scene(coalition)
    both = replace(AERO_TERMS, carriers=("AE", "AER"), chart=(ChartRow(per_segment=70),))
    await publish_terms(coalition, OPERATOR, "AERO", both, None)
    regional = flight(117, operating_carrier="AER")
    first = await booked(coalition, it, regional)
    second = await booked(coalition, it, flight(117, carrier="AER"), record_locator="BB")
    assert await flown(coalition, first.segments[0], None, points=70) is None
    assert await flown(coalition, second.segments[0], None) == FlightAlreadyCredited()
    strangers = flight(5, carrier="ZZ", operating_carrier="YY")
    (third,) = (await booked(coalition, it, strangers, record_locator="CC")).segments
    unknown = OperatingFlightUnknown(carrier="YY")
    assert await flown(coalition, third, None, points=5) == unknown


async def test_what_is_not_credited_needs_no_number(coalition: Coalition) -> None:
    """What earns nothing, and what is nobody's, ends without the number."""
    it = await scene(coalition)
    mine = await booked(coalition, it, replace(SOLD, booking_class="N"))
    nobodys = await booked(coalition, it, SOLD, number="AERO00000000", record_locator="BB")
    for booking in (mine, nobodys):
        assert errors(await confirmed(coalition, OPERATOR, *booking.segments)) == [None]
    ended = [*await statuses(coalition, mine), *await statuses(coalition, nobodys)]
    assert ended == [SegmentStatus.INELIGIBLE, SegmentStatus.NOT_CREDITED]


async def test_a_number_that_makes_no_sense_is_refused(coalition: Coalition) -> None:
    """A number that is none, one of a stay, and another one of a flight that nobody else operates
    are refused by the field, and nothing is done; the flight's own may be said again."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(118), SOLD, stay())
    own, sold, house = booking.segments
    for segment, number in ((own, "117"), (sold, "GR9"), (house, "1")):
        asked = [Confirmation(segment.id, 5, operating_number=number)]
        with pytest.raises(InvalidInput) as refused:
            await confirm(coalition, OPERATOR, asked, key())
        assert refused.value.path == "segments.0.operatingFlightNumber"
    assert set(await statuses(coalition, booking)) == {SegmentStatus.PENDING}
    assert await flown(coalition, own, "0118") is None


async def test_a_supplier_says_who_has_operated_it(coalition: Coalition) -> None:
    """A supplier who knows that another's aircraft flew it says whose, and under which number,
    though the agency has not: then it is the same flight that others have sold."""
    it = await scene(coalition)
    taken = flight(900, carrier="GR", operating_carrier="ZZ", operating_number="55")
    (other,) = (await booked(coalition, it, taken)).segments
    (sold,) = (await booked(coalition, it, flight(117), record_locator="SOLD")).segments
    assert await flown(coalition, other, None, 10) is None
    assert await flown(coalition, sold, None, 10, "ZZ") == OperatingFlightUnknown(carrier="ZZ")
    assert await flown(coalition, sold, "055", 10, "zz") == FlightAlreadyCredited()
    await void(coalition, OPERATOR, [other.id], VoidReason.MISTAKE, key())
    assert await flown(coalition, sold, "55", 10, "ZZ") is None
    (again,) = (await booked(coalition, it, taken, record_locator="AGAIN")).segments
    assert await flown(coalition, again, None, 10) == FlightAlreadyCredited()
    found = (await whole(coalition, sold.booking_id)).segments[0].facts
    assert isinstance(found, Flight)
    assert (found.operating_carrier, found.operating_number) == ("ZZ", "55")
    assert await points(coalition, it) == 10
    await require_sound(coalition)


async def test_the_old_number_is_not_the_new_carriers(coalition: Coalition) -> None:
    """Where another carrier is said than was booked, the number that was booked is not its; where
    it is the same, the number stays, and who sold it needs none."""
    it = await scene(coalition)
    booked_as = flight(117, operating_carrier="ZZ", operating_number="55")
    numbers = ("117", "118", "119")
    booking = await booked(coalition, it, *(replace(booked_as, number=each) for each in numbers))
    one, two, three = booking.segments
    unknown = OperatingFlightUnknown(carrier="YY")
    assert await flown(coalition, one, None, 5, "YY") == unknown
    assert await flown(coalition, two, None, 5, "ZZ") is None
    assert await number_of(coalition, two) == "55"
    assert await flown(coalition, three, None, None, "AE") is None
    assert await number_of(coalition, three) is None


async def test_another_brand_supplies_what_it_operates(coalition: Coalition) -> None:
    """A supplier cannot say that another brand has operated a flight, and credit it: that is
    refused for good and moves nothing; what is settled is told so first."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(117), flight(118))
    first, second = booking.segments
    await confirmed(coalition, OPERATOR, second)
    before, same = await everything(coalition), key()
    asked = [
        Confirmation(each.id, operating_number="9", operating_carrier="GR")
        for each in (first, second)
    ]
    for replayed in (False, True):
        done = await confirm(coalition, it.brand("AERO"), asked, same)
        refused = OperatedByAnotherBrand(carrier="GR")
        assert (errors(done), done.replayed) == ([refused, SegmentAlreadyCredited()], replayed)
    assert await everything(coalition) == before
    assert await statuses(coalition, booking) == [SegmentStatus.PENDING, SegmentStatus.CREDITED]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"operating_carrier": "?"}, "operatingCarrier"),
        ({"operating_carrier": "ZZ", "operating_number": "ZZ9"}, "operatingFlightNumber"),
        ({"operating_number": "118"}, "operatingFlightNumber"),
    ],
)
async def test_a_carrier_that_makes_no_sense_is_refused(
    coalition: Coalition, said: dict[str, str], field: str
) -> None:
    """What is no carrier or no number is refused by the field, and so is a carrier of a stay."""
    it = await scene(coalition)
    own, house = (await booked(coalition, it, flight(117), stay())).segments
    for segment, given, path in (
        (own, said, field),
        (house, {"operating_carrier": "ZZ"}, "operatingCarrier"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await confirm(coalition, OPERATOR, [Confirmation(segment.id, 5, **given)], key())  # type: ignore[arg-type]
        assert refused.value.path == f"segments.0.{path}"


async def test_a_request_without_the_number_is_what_it_was(coalition: Coalition) -> None:
    """The key of a request is good for no other number; a refusal sticks to it."""
    it = await scene(coalition)
    (sold,) = (await booked(coalition, it, SOLD)).segments
    assert Confirmation(sold.id, 5).intent == (sold.id, 5, None, None)
    numbered = Confirmation(sold.id, 5, operating_number="9")
    assert numbered.intent == (sold.id, 5, None, None, "9")
    assert replace(numbered, operating_carrier="ZZ").intent == (*numbered.intent, "ZZ")
    name = key()
    for replayed in (False, True):
        done = await confirm(coalition, OPERATOR, [Confirmation(sold.id)], name)
        assert (errors(done), done.replayed) == ([UNKNOWN], replayed)
    asked = [Confirmation(sold.id, operating_number="9")]
    with pytest.raises(IdempotencyKeyReused):
        await confirm(coalition, OPERATOR, asked, name)
    assert "operatingFlightNumber" in UNKNOWN.message
    assert "new idempotency key" in UNKNOWN.message


@pytest.mark.parametrize("with_booking", [True, False])
async def test_a_claim_needs_the_number_too(coalition: Coalition, *, with_booking: bool) -> None:
    """A claim of a codeshare is approved once its number is known, by the claim or by who decides;
    voided, the journey is free again under both of its numbers."""
    it = await scene(coalition)
    booking = await booked(coalition, it, SOLD) if with_booking else None
    made = await claimed(coalition, it, SOLD)
    assert await decided(coalition, made, None) == UNKNOWN
    assert await points(coalition, it) == 0
    assert await decided(coalition, made, "9") is None
    assert (await whole_claim(coalition, made)).status is ClaimStatus.APPROVED
    if booking is not None:
        assert await statuses(coalition, booking) == [SegmentStatus.CREDITED]
        assert await number_of(coalition, booking.segments[0]) == "9"
    (own,) = (await booked(coalition, it, FLOWN, record_locator="OWN")).segments
    assert await flown(coalition, own, None) == FlightAlreadyCredited()
    await void_claim(coalition, OPERATOR, made.id, "A mistake.", key())
    assert await points(coalition, it) == 0
    assert await flown(coalition, own, None) is None
    said = await claimed(coalition, it, flight(6, operating_carrier="GR", operating_number="7"))
    assert await decided(coalition, said, None) is None
    await require_sound(coalition)


async def test_a_rejected_claim_needs_no_number(coalition: Coalition) -> None:
    """A number or a carrier with a rejection is refused by the field."""
    it = await scene(coalition)
    made = await claimed(coalition, it, SOLD)
    said = Decision(made.id, Verdict.REJECT, None, "Not on the list.", key(), "9")
    for each, field in (
        (said, "operatingFlightNumber"),
        (replace(said, operating_carrier="ZZ"), "operatingCarrier"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await decide(coalition, OPERATOR, each)
        assert refused.value.path == field


async def test_what_is_credited_comes_before_what_is_not_charted(coalition: Coalition) -> None:
    """Where a flight is credited already and the chart says nothing of it, the first is told; the
    segment waits, and is credited once the other is voided."""
    it = await scene(coalition)
    (first,) = (await booked(coalition, it, flight(1, carrier="ZZ"))).segments
    other = await booked(coalition, it, flight(1, carrier="ZZ"), record_locator="BB")
    (second,) = other.segments
    assert errors(await confirmed(coalition, OPERATOR, second)) == [AccrualNotCharted()]
    assert errors(await confirmed(coalition, OPERATOR, first, points=5)) == [None]
    assert errors(await confirmed(coalition, OPERATOR, second)) == [FlightAlreadyCredited()]
    assert await statuses(coalition, other) == [SegmentStatus.PENDING]
    await void(coalition, OPERATOR, [first.id], VoidReason.MISTAKE, key())
    assert errors(await confirmed(coalition, OPERATOR, second, points=6)) == [None]
    assert await points(coalition, it) == 6


async def test_what_is_voided_has_no_points(coalition: Coalition) -> None:
    """A segment has points while it is credited, and none before and after."""
    it = await scene(coalition)
    (segment,) = (await booked(coalition, it)).segments
    assert segment.points is None
    assert after(await confirmed(coalition, OPERATOR, segment))[0].points == 500
    done = await void(coalition, OPERATOR, [segment.id], VoidReason.REFUND, key())
    (voided,) = after(done)
    assert (voided.status, voided.points) == (SegmentStatus.VOIDED, None)
    assert voided.transaction_id is not None
    await require_sound(coalition)


@pytest.mark.parametrize(
    ("refusal", "advice"),
    [
        (SegmentClosed(status="NOT_CREDITED"), "missingCreditClaim"),
        (PointsSpent(available=0, required=5), "clawback"),
        (PointsSpent(), "new idempotency key"),
        (FlightAlreadyCredited(), "new idempotency key"),
        (SegmentNotTravelled(begins_on="2026-01-31"), "new idempotency key"),
        (AccrualNotCharted(), "says its points"),
        (OperatedByAnotherBrand(carrier="GR"), "operatingCarrier GR"),
    ],
)
def test_a_refusal_says_what_to_do(refusal: Exception, advice: str) -> None:
    """Each message tells what its reader can do next."""
    assert advice in str(refusal)
    assert "missingCreditClaim" not in str(SegmentClosed(status="VOIDED"))
