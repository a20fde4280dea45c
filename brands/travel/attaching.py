"""Attaching a passenger's loyalty number to what she has booked, replacing it, and detaching it.

Whoever attaches learns nothing of the number: the answer is the same whether it is somebody's of
that name or nobody's. All of a request is done, in one transaction, or nothing.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from uuid import UUID

from brands.agencies import agency_of_code
from brands.callers import Caller, CallerKind
from brands.clock import now_micros
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.errors import AgencyNotFound, InvalidInput, LookupsThrottled, NotPermitted
from brands.ids import book_of, home_book, new_id
from brands.intents import claim_of
from brands.ledger.commands import Claim, Command, Note, Refuse
from brands.registry import Brand
from brands.rejections import Rejection
from brands.suspension import suspension
from brands.travel.attachments import (
    ATTACH,
    Attaching,
    Attachment,
    Loyalty,
    checked,
    new_booking,
    require_pending,
)
from brands.travel.booking_parts import require_few
from brands.travel.booking_steps import (
    answered_before,
    settled,
    step_records,
    stepped,
    subject_of,
    token_of,
)
from brands.travel.bookings import (
    Booking,
    Segment,
    SegmentStatus,
    all_bookings,
    booking_by_id,
    booking_of_name,
    checked_number,
    name_of,
    required,
)
from brands.travel.rejections import BookingChanged, NothingPending
from brands.verification import NumberAndName, guarded_lookup

DETACH = "bookingDetach"


@dataclass(frozen=True, slots=True)
class Attached:
    """The booking after what was done to it, as the caller may see it."""

    booking: Booking
    replayed: bool


async def attach(coalition: Coalition, caller: Caller, given: Attachment) -> Attached:
    """Attaches a number to flights and stays. For agencies, and for operators on behalf of one.

    What the booking has already is not attached twice: if it is pending, it gets the number and the
    facts given now, and that is how a number is replaced. Raises `NotPermitted`, `AgencyNotFound`,
    `BrandNotFound`, `InvalidInput`, `LookupsThrottled`. Refused for good, with nothing attached:
    `SegmentAlreadyCredited`, `SegmentClosed` (what has another number and is not pending),
    `BookingChanged`.
    """
    agency_id = await _agency_of(coalition, caller, given)
    asked = checked(given)
    brand = coalition.registry.snapshot.brand(given.brand, path="loyalty.brand")
    number = checked_number(brand, asked.number)
    name = name_of(coalition, agency_id, asked.record_locator, asked.passenger)
    home = home_book(name, coalition.books)
    claim = claim_of(
        caller,
        given.idempotency_key,
        ATTACH,
        agency=agency_id,
        locator=asked.record_locator,
        passenger=astuple(asked.passenger),
        loyalty=(brand.id, asked.number),
        flights=[astuple(each) for each in asked.flights],
        stays=[astuple(each) for each in asked.stays],
    )
    loyalty: Loyalty | None = None

    async def command(part: Claim) -> Command:
        nonlocal loyalty
        if await answered_before(coalition, [part]):
            return Refuse(new_id(home), part, BookingChanged())  # its answer is there already
        loyalty = loyalty or await _looked_up(coalition, caller, brand, number, asked)
        there = await booking_of_name(coalition, home, name)
        work = Attaching(
            coalition.registry.snapshot.programs,
            caller,
            asked,
            loyalty.as_known(there) if loyalty.is_guarded and there is not None else loyalty,
            there or new_booking(agency_id, home, asked),
            name,
            set() if there is None else await _brands_of(coalition, there),
        )
        try:
            work.lay_out()
        except Rejection as rejection:
            return Refuse(new_id(home), part, rejection)
        return work.command(part)

    outcome = await settled(coalition, claim, ATTACH, agency_id, command)
    return Attached(await _booking_of_note(coalition, caller, outcome.id), outcome.replayed)


async def detach(
    coalition: Coalition,
    caller: Caller,
    booking_id: UUID,
    segments: Sequence[UUID] | None,
    idempotency_key: str,
) -> Attached:
    """Takes the number from segments that are pending: those given, or all that are.

    For the agency and for operators. Raises `BookingNotFound`, `SegmentNotFound`, `NotPermitted`,
    `InvalidInput`. Refused for good, with nothing detached: `NothingPending`,
    `SegmentAlreadyCredited`, `SegmentClosed`, `BookingChanged`.
    """
    if segments is not None:
        require_few(segments, "segments")
    claim = claim_of(
        caller, idempotency_key, DETACH, booking=booking_id, segments=segments and sorted(segments)
    )
    seen = await booking_by_id(coalition, caller, booking_id)
    if not caller.sees_agency(seen.agency_id):
        raise NotPermitted

    async def command(part: Claim) -> Command:
        booking = (await all_bookings(coalition, [booking_id]))[booking_id]
        chosen = _chosen(booking, segments)
        try:
            if not chosen:
                raise NothingPending
            for each in chosen:
                require_pending(each)
        except Rejection as rejection:
            return Refuse(new_id(book_of(booking_id)), part, rejection)
        return _detaching(caller, booking, chosen, part)

    outcome = await settled(coalition, claim, DETACH, booking_id, command)
    return Attached(await booking_by_id(coalition, caller, booking_id), outcome.replayed)


def _chosen(booking: Booking, segments: Sequence[UUID] | None) -> list[Segment]:
    """The segments asked for, or all that are pending. Raises `SegmentNotFound`."""
    if segments is None:
        return [each for each in booking.segments if each.status is SegmentStatus.PENDING]
    by_id = {each.id: each for each in booking.segments}
    return [required(by_id, id, f"segments.{place}") for place, id in enumerate(segments)]


def _detaching(caller: Caller, booking: Booking, chosen: Sequence[Segment], claim: Claim) -> Note:
    ended, at = [stepped(each, SegmentStatus.DETACHED) for each in chosen], now_micros()
    return Note(
        id=new_id(book_of(booking.id)),
        claim=claim,
        operation=DETACH,
        subject=booking.id,
        tokens=tuple(map(token_of, chosen)),
        records=tuple(record for each in ended for record in step_records(each, caller.client, at)),
        request_id=caller.request_id,
    )


async def _agency_of(coalition: Coalition, caller: Caller, given: Attachment) -> UUID:
    """On whose behalf it is done. Raises `NotPermitted`, `AgencyNotFound`, `InvalidInput`."""
    if caller.kind is CallerKind.AGENCY and caller.agency_id is not None and given.agency is None:
        return caller.agency_id
    if caller.kind not in (CallerKind.AGENCY, CallerKind.OPERATOR):
        raise NotPermitted
    if given.agency is None:
        raise InvalidInput(path="agency", reason="An operator says for which agency this is.")
    agency = await agency_of_code(coalition.database, given.agency, path="agency")
    if not caller.sees_agency(agency.id):
        raise AgencyNotFound(path="agency", name=given.agency[:64])
    return agency.id


async def _looked_up(
    coalition: Coalition, caller: Caller, brand: Brand, number: str, asked: Attachment
) -> Loyalty:
    """Whose the number is, if the passenger's name is hers; nobody's where it is shut to everybody
    because of what others have tried, and while the brand is suspended. Raises `LookupsThrottled`
    where the caller is shut out."""
    if suspension(brand) is not None:
        return Loyalty(brand, number, None, is_guarded=True)
    who = asked.passenger
    row = NumberAndName(brand.code, asked.number, who.surname, who.given_name)
    try:
        (found,) = await guarded_lookup(coalition, caller, [row])
    except LookupsThrottled as throttled:
        if throttled.path is not None:
            return Loyalty(brand, number, None, is_guarded=True)
        raise replace(throttled, path="loyalty.number") from None
    return Loyalty(brand, number, found.party.id if found.party else None)


async def _brands_of(coalition: Coalition, booking: Booking) -> set[UUID]:
    """The brands that know of a booking."""
    rows = await coalition.database.fetch(
        "SELECT brand_id FROM booking_brands WHERE book = $1 AND booking_id = $2",
        book_of(booking.id),
        booking.id,
    )
    return {as_uuid(row["brand_id"]) for row in rows}


async def _booking_of_note(coalition: Coalition, caller: Caller, note: UUID) -> Booking:
    return await booking_by_id(coalition, caller, await subject_of(coalition, note))
