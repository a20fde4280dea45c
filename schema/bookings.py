"""Bookings of travel agencies: attaching loyalty numbers to them, and what becomes of them."""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from brands.agencies import Agency
from brands.errors import BookingNotFound, DomainError, SegmentNotFound
from brands.itineraries import Flight, Stay
from brands.memberships import Membership
from brands.registry import Brand
from brands.transactions import Transaction
from brands.travel.attaching import attach, detach
from brands.travel.attachments import Attachment
from brands.travel.bookings import Booking, Passenger, Segment, SegmentStatus
from schema.connections import PageInfo
from schema.context import Info
from schema.errors import UserError, told, was_replayed
from schema.fields import derived, mutation, resolved
from schema.inputs import IdempotencyKey, MembershipNumberInput
from schema.journeys import FlightInput, FlightType, StayInput, StayType
from schema.nodes import Node, Tag, global_id, id_of
from schema.scalars import Points

if TYPE_CHECKING:
    from schema.agencies import AgencyType
    from schema.brands import BrandType
    from schema.ledger import LedgerTransactionType
    from schema.memberships import MembershipType


@strawberry.type(
    name="BookingPassenger", description="Who travels, as the agency wrote it. Personal data."
)
class BookingPassengerType:
    """Resolved on `brands.travel.bookings.Passenger`."""

    surname: str = strawberry.field(description="Her family name.")
    given_name: str | None = strawberry.field(description="Her given name, initials or title.")


@strawberry.type(
    name="BookingSegment",
    description="A flight or stay in a booking, which is to be credited to a loyalty number.",
)
class BookingSegmentType:
    """Resolved on `brands.travel.bookings.Segment`."""

    id: strawberry.ID = derived(
        lambda segment: global_id(Tag.SEGMENT, segment.id), description="The segment's id."
    )
    status: SegmentStatus = strawberry.field(description="What became of it.")
    reason: str | None = strawberry.field(description="Why so, where something was said of that.")
    flight: Flight | None = derived(
        lambda segment: segment.facts if isinstance(segment.facts, Flight) else None,
        graphql_type=FlightType | None,
        description="The flight; null if it is a stay.",
    )
    stay: Stay | None = derived(
        lambda segment: segment.facts if isinstance(segment.facts, Stay) else None,
        graphql_type=StayType | None,
        description="The stay; null if it is a flight.",
    )
    number: str = strawberry.field(
        description="The loyalty number that it is to be credited to, as the agency gave it."
    )
    is_linked: bool | None = strawberry.field(
        description="Whether that was the number of an open membership, and the passenger's name "
        "its member's, when it was attached. If not, it is looked up once more when it is "
        "confirmed. Null for agencies, which use `loyaltyNumbersVerify`, and for a supplier that "
        "is not the program's brand."
    )
    points: Points | None = strawberry.field(
        description="The points that are credited for it; null unless it is CREDITED, and for "
        "agencies."
    )
    changed_at: datetime = strawberry.field(description="When it became so.")

    @resolved(
        graphql_type=Annotated["BrandType", strawberry.lazy("schema.brands")],
        description="The brand whose points it earns.",
    )
    @staticmethod
    def program(root: Segment, info: Info) -> Brand:
        """From the registry's snapshot."""
        return info.context.loaders.brand(root.brand_id)

    @resolved(
        graphql_type=Annotated["BrandType", strawberry.lazy("schema.brands")],
        description="The brand that supplies it, confirms it and pays for its points: that of the "
        "carrier that operates the flight, or sells it, or of the chain; else the program's own.",
    )
    @staticmethod
    def supplier(root: Segment, info: Info) -> Brand:
        """From the registry's snapshot."""
        return info.context.loaders.brand(root.supplier_id)

    @resolved(
        graphql_type=Annotated["MembershipType", strawberry.lazy("schema.memberships")] | None,
        description="The membership that it is linked to, for whoever may see that.",
    )
    @staticmethod
    async def membership(root: Segment, info: Info) -> Membership | None:
        """Loaded."""
        if root.membership_id is None:
            return None
        return await info.context.loaders.memberships.load(root.membership_id)

    @resolved(
        graphql_type=Annotated["LedgerTransactionType", strawberry.lazy("schema.ledger")] | None,
        description="The transaction that credited its points, for whoever may see that.",
    )
    @staticmethod
    async def transaction(root: Segment, info: Info) -> Transaction | None:
        """Loaded."""
        if root.transaction_id is None:
            return None
        return await info.context.loaders.transactions.load(root.transaction_id)


@strawberry.type(
    name="Booking",
    description="What a travel agency has booked for one passenger under one record locator. Of "
    "its segments everybody sees those that concern her: the agency and the operator all of them, "
    "a brand those that it supplies or that its program credits, a member those linked to her.",
)
class BookingType(Node):
    """Resolved on `brands.travel.bookings.Booking`."""

    id: strawberry.ID = derived(
        lambda booking: global_id(Tag.BOOKING, booking.id), description="The booking's global id."
    )
    record_locator: str = strawberry.field(description="Its record locator at the agency.")
    passenger: Passenger | None = strawberry.field(
        graphql_type=BookingPassengerType | None,
        description="Who travels. Null if that was erased, and for operators without the scope "
        "`pii`.",
    )
    segments: list[Segment] = strawberry.field(
        graphql_type=list[BookingSegmentType],
        description="Its flights and stays, in the order in which they were attached.",
    )
    created_at: datetime = strawberry.field(description="When something was first attached.")

    @resolved(
        graphql_type=Annotated["AgencyType", strawberry.lazy("schema.agencies")] | None,
        description="The agency, for whoever may see that.",
    )
    @staticmethod
    def agency(root: Booking, info: Info) -> Awaitable[Agency | None]:
        """Loaded."""
        return info.context.loaders.agencies.load(root.agency_id)

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Whether an object is a booking."""
        return isinstance(value, Booking)


@strawberry.type(name="BookingEdge", description="A booking in a list.")
class BookingEdge:
    """Resolved on `schema.connections.Edge`."""

    node: BookingType = strawberry.field(description="The booking.")
    cursor: str = strawberry.field(description="Where it stands in the list.")


@strawberry.type(name="BookingConnection", description="Bookings, the newest first.")
class BookingConnection:
    """Resolved on `schema.connections.Connection`."""

    edges: list[BookingEdge] = strawberry.field(description="The bookings of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page begins and ends.")


@strawberry.input(description="Who travels, as the booking has it.")
class BookingPassengerInput:
    """See `brands.travel.bookings.Passenger`."""

    surname: str = strawberry.field(description="Her family name.")
    given_name: str | None = strawberry.field(
        description="Her given name or its initials, perhaps with a title, as the trade writes it."
    )
    ticket_number: str | None = strawberry.field(
        description="The ticket that the flights are on: 13 digits."
    )


@strawberry.input(
    description="A passenger's loyalty number, for what she has booked. Whether the number is "
    "somebody's, and whether the name is hers, is not told by the answer."
)
class BookingAttachInput:
    """See `brands.travel.attaching.attach`."""

    record_locator: str = strawberry.field(
        description="The booking's record locator: 2 to 20 letters, digits and hyphens."
    )
    passenger: BookingPassengerInput = strawberry.field(
        description="Who travels. A booking is one passenger's, told apart by her name."
    )
    loyalty: MembershipNumberInput = strawberry.field(
        description="The brand whose points are to be earned, and her number there."
    )
    segments: list[FlightInput] | None = strawberry.field(
        description="Flights. One that the booking has already is not attached twice."
    )
    stays: list[StayInput] | None = strawberry.field(description="Stays.")
    agency: str | None = strawberry.field(
        description="The agency's code. Only an operator gives it; an agency is itself."
    )
    idempotency_key: IdempotencyKey

    def attachment(self) -> Attachment:
        """As the domain has it."""
        ticket = self.passenger.ticket_number
        return Attachment(
            record_locator=self.record_locator,
            passenger=Passenger(self.passenger.surname, self.passenger.given_name or None),
            brand=self.loyalty.brand,
            number=self.loyalty.number,
            flights=tuple(each.flight(ticket) for each in self.segments or ()),
            stays=tuple(each.stay() for each in self.stays or ()),
            idempotency_key=self.idempotency_key,
            agency=self.agency or None,
        )


@strawberry.type
class _BookingPayload:
    """What every answer about a booking says: either a booking or errors."""

    booking: Booking | None = strawberry.field(
        default=None,
        graphql_type=BookingType | None,
        description="The booking as it stands now; null if there are errors.",
    )
    replayed: bool = strawberry.field(
        default=False, description="Whether this key was answered so before; nothing was done now."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type(description="The answer to `bookingAttach`.")
class BookingAttachPayload(_BookingPayload):
    """The booking, or errors."""


@strawberry.input(description="Segments of a booking that are to have no loyalty number any more.")
class BookingDetachInput:
    """See `brands.travel.attaching.detach`."""

    booking: strawberry.ID = strawberry.field(description="The booking's id.")
    segments: list[strawberry.ID] | None = strawberry.field(
        description="The ids of segments; all that are pending if left out."
    )
    idempotency_key: IdempotencyKey


@strawberry.type(description="The answer to `bookingDetach`.")
class BookingDetachPayload(_BookingPayload):
    """The booking, or errors."""


@strawberry.type
class BookingMutations:
    """Mutations of bookings."""

    @mutation(
        description="Attaches a passenger's loyalty number to flights and stays of her booking. "
        "What is attached already and pending gets the number and the facts given now: so a number "
        "is replaced. If anything of it is credited or closed, and has another number, nothing is "
        "changed. For agencies, and for the operator on behalf of one."
    )
    @staticmethod
    async def booking_attach(
        info: Info,
        input: Annotated[BookingAttachInput, strawberry.argument(description="What to attach.")],
    ) -> BookingAttachPayload:
        """One booking."""
        context = info.context
        context.forget()
        try:
            made = await attach(context.coalition, context.caller, input.attachment())
        except DomainError as error:
            if error.path is not None and error.path.endswith(".ticketNumber"):
                error.path = "passenger.ticketNumber"
            return BookingAttachPayload(errors=told(error), replayed=was_replayed(error))
        return BookingAttachPayload(booking=made.booking, replayed=made.replayed)

    @mutation(
        description="Takes the loyalty number from segments that are pending: from all given, or "
        "none. For the agency, and for the operator."
    )
    @staticmethod
    async def booking_detach(
        info: Info,
        input: Annotated[BookingDetachInput, strawberry.argument(description="What to detach.")],
    ) -> BookingDetachPayload:
        """One booking."""
        context = info.context
        context.forget()
        try:
            made = await detach(
                context.coalition,
                context.caller,
                id_of(Tag.BOOKING, input.booking, BookingNotFound, path="booking"),
                None if input.segments is None else _segment_ids(input.segments),
                input.idempotency_key,
            )
        except DomainError as error:
            return BookingDetachPayload(errors=told(error), replayed=was_replayed(error))
        return BookingDetachPayload(booking=made.booking, replayed=made.replayed)


def _segment_ids(given: Sequence[str]) -> list[UUID]:
    return [
        id_of(Tag.SEGMENT, each, SegmentNotFound, path=f"segments.{place}")
        for place, each in enumerate(given)
    ]
