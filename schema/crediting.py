"""What becomes of what is booked: confirming that it was travelled, and voiding it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from brands.errors import BookingNotFound, DomainError, InvalidInput, SegmentNotFound
from brands.travel.booking_parts import Done, SegmentResult
from brands.travel.bookings import Booking, Segment
from brands.travel.crediting import Confirmation, confirm
from brands.travel.voiding import VoidReason, void
from schema.context import Context, Info
from schema.enums import described
from schema.errors import UserError, told, was_replayed
from schema.fields import mutation
from schema.inputs import IdempotencyKey
from schema.nodes import Tag, id_of
from schema.scalars import Points

if TYPE_CHECKING:
    from schema.bookings import BookingSegmentType, BookingType

described(
    VoidReason,
    "Why something booked counts no more.",
    {
        VoidReason.VOID: "The ticket or the booking was voided.",
        VoidReason.REFUND: "It was paid back.",
        VoidReason.EXCHANGE: "It was exchanged for another.",
        VoidReason.NOT_TRAVELLED: "It was not travelled.",
        VoidReason.MISTAKE: "It was booked, attached or credited by mistake.",
    },
)


@strawberry.input(description="That a flight was flown, or a stay has ended.")
class BookingSegmentConfirmationInput:
    """See `brands.travel.crediting.Confirmation`."""

    segment: strawberry.ID = strawberry.field(description="The segment's id.")
    points: Points | None = strawberry.field(
        description="The points that it earns. 0, with a reason, if it earns none; those of the "
        "program's chart if left out. More than 0 only the program's own brand, and the operator, "
        "may give."
    )
    reason: str | None = strawberry.field(description="Why so, in 1 to 500 characters.")
    flown_at: datetime | None = strawberry.field(
        description="When it was flown, or the guest checked out, at most two days later than "
        "booked; now if left out. The rates of that moment apply; who supplies it to another "
        "brand's program pays those of the present, where they are higher."
    )
    operating_carrier: str | None = strawberry.field(
        description="The carrier that operates the flight, where the booking does not say so, or "
        "says another. Not another brand's of the coalition: that one would be its supplier. What "
        "is said here holds."
    )
    operating_flight_number: str | None = strawberry.field(
        description="The number that the carrier that operates the flight has for it, where "
        "another has sold it. Required for points if the booking does not have it, unless both are "
        "names of one brand; what is said here holds."
    )


@strawberry.input(description="Segments that were travelled, at most 100.")
class BookingSegmentConfirmInput:
    """See `brands.travel.crediting.confirm`."""

    segments: list[BookingSegmentConfirmationInput] = strawberry.field(
        description="The segments, of any bookings, each once."
    )
    idempotency_key: IdempotencyKey

    def confirmations(self) -> list[Confirmation]:
        """As the domain has it. Raises `SegmentNotFound`."""
        return [
            Confirmation(
                id_of(Tag.SEGMENT, each.segment, SegmentNotFound, path=f"segments.{n}.segment"),
                each.points,
                each.reason,
                each.flown_at,
                each.operating_flight_number,
                each.operating_carrier,
            )
            for n, each in enumerate(self.segments)
        ]


@strawberry.type(description="What came of one segment of a request.")
class BookingSegmentPayload:
    """Each of several is done or refused by itself."""

    segment: Segment | None = strawberry.field(
        graphql_type=Annotated["BookingSegmentType", strawberry.lazy("schema.bookings")] | None,
        description="The segment as it stands now; null if it is credited to another program by "
        "now, so that it is not there for this caller.",
    )
    errors: list[UserError] = strawberry.field(
        description="Why what was asked of it was refused; empty if it was done."
    )


@strawberry.type
class _SegmentsPayload:
    """What every answer about several segments says."""

    results: list[BookingSegmentPayload] = strawberry.field(
        default_factory=list,
        description="What came of each segment; empty if the request as a whole was refused.",
    )
    replayed: bool = strawberry.field(
        default=False, description="Whether this key was answered so before; nothing was done now."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="Why the request as a whole was refused; empty if it was not.",
    )


@strawberry.type(description="The answer to `bookingSegmentConfirm`.")
class BookingSegmentConfirmPayload(_SegmentsPayload):
    """Results, or errors."""


@strawberry.input(description="What counts no more. Give exactly one of `booking` and `segments`.")
class BookingVoidInput:
    """See `brands.travel.voiding.void`."""

    booking: strawberry.ID | None = strawberry.field(
        description="The id of a booking: all its segments that the caller sees and that have not "
        "ended."
    )
    segments: list[strawberry.ID] | None = strawberry.field(
        description="The ids of at most 100 segments, of any bookings."
    )
    reason: VoidReason = strawberry.field(description="Why.")
    idempotency_key: IdempotencyKey


@strawberry.type(description="The answer to `bookingVoid`.")
class BookingVoidPayload(_SegmentsPayload):
    """The booking with results, or errors."""

    booking: Booking | None = strawberry.field(
        default=None,
        graphql_type=Annotated["BookingType", strawberry.lazy("schema.bookings")] | None,
        description="The booking as it stands now, if one was given; null if there are errors.",
    )


@strawberry.type
class CreditingMutations:
    """Mutations of segments."""

    @mutation(
        description="Confirms that flights were flown and stays have ended: their points are "
        "credited, and the supplier pays for them. A flight is credited to a member once, however "
        "often it was booked. For the brand that supplies them, and for the operator."
    )
    @staticmethod
    async def booking_segment_confirm(
        info: Info,
        input: Annotated[
            BookingSegmentConfirmInput, strawberry.argument(description="What was travelled.")
        ],
    ) -> BookingSegmentConfirmPayload:
        """Up to a hundred segments."""
        context = info.context
        context.forget()
        try:
            done = await confirm(
                context.coalition, context.caller, input.confirmations(), input.idempotency_key
            )
        except DomainError as error:
            return BookingSegmentConfirmPayload(errors=told(error), replayed=was_replayed(error))
        return BookingSegmentConfirmPayload(results=_results(done), replayed=done.replayed)

    @mutation(
        description="Voids segments: what is pending ends, and points that were credited are taken "
        "back by the clawback policy of the program's brand, at what was paid for them. For the "
        "agency, as long as they are not credited; for the brand that supplies them or whose "
        "program it is, and for the operator."
    )
    @staticmethod
    async def booking_void(
        info: Info,
        input: Annotated[BookingVoidInput, strawberry.argument(description="What to void.")],
    ) -> BookingVoidPayload:
        """A booking, or up to a hundred segments."""
        context = info.context
        context.forget()
        try:
            return await _void(context, input)
        except DomainError as error:
            return BookingVoidPayload(errors=told(error), replayed=was_replayed(error))


async def _void(context: Context, given: BookingVoidInput) -> BookingVoidPayload:
    if (given.booking is None) == (given.segments is None):
        raise InvalidInput(path="booking", reason="Give exactly one of booking and segments.")
    which = (
        _segment_ids(given.segments or ())
        if given.booking is None
        else id_of(Tag.BOOKING, given.booking, BookingNotFound, path="booking")
    )
    done = await void(context.coalition, context.caller, which, given.reason, given.idempotency_key)
    booking = None if isinstance(which, list) else await context.loaders.bookings.load(which)
    return BookingVoidPayload(results=_results(done), replayed=done.replayed, booking=booking)


def _segment_ids(given: Sequence[str]) -> list[UUID]:
    return [
        id_of(Tag.SEGMENT, each, SegmentNotFound, path=f"segments.{place}")
        for place, each in enumerate(given)
    ]


def _results(done: Done) -> list[BookingSegmentPayload]:
    return [_result(each) for each in done.results]


def _result(of_one: SegmentResult) -> BookingSegmentPayload:
    errors = [] if of_one.error is None else told(of_one.error)
    return BookingSegmentPayload(segment=of_one.segment, errors=errors)
