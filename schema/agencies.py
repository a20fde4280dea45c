"""Travel agencies: looking at them, taking one in, and suspending it."""

from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.agencies import Agency, AgencyStatus, NewAgency, create_agency, find_agency, set_status
from brands.errors import DomainError
from brands.travel.booking_pages import BookingFilter, bookings_of_agency
from brands.travel.bookings import Booking
from brands.travel.claim_lists import ClaimsOf
from brands.travel.claims import CreditClaim
from schema.booking_pages import RecordLocator, WithStatus, booking_list, booking_window
from schema.claim_pages import Status, claim_list
from schema.connections import After, Connection, FirstOnly
from schema.context import Info
from schema.enums import described
from schema.errors import UserError, told
from schema.fields import derived, mutation, resolved
from schema.nodes import Node, Tag, global_id

if TYPE_CHECKING:
    from schema.bookings import BookingConnection
    from schema.claims import MissingCreditClaimConnection

described(
    AgencyStatus,
    "Whether an agency takes part in the coalition.",
    {
        AgencyStatus.ACTIVE: "It takes part.",
        AgencyStatus.SUSPENDED: "It does not, for the time being: its credentials are refused.",
    },
)


@strawberry.type(
    name="Agency",
    description="A travel agency, whose bookings carry members' loyalty numbers. Seen by the "
    "operator and by itself.",
)
class AgencyType(Node):
    """Resolved on `brands.agencies.Agency`."""

    id: strawberry.ID = derived(
        lambda agency: global_id(Tag.AGENCY, agency.id), description="The agency's global id."
    )
    code: str = strawberry.field(
        description='The short name by which the API knows the agency, like "SKYTRIP".'
    )
    name: str = strawberry.field(description="What the agency is called.")
    status: AgencyStatus = strawberry.field(description="Whether it takes part in the coalition.")
    iata_number: str | None = strawberry.field(
        description="Its IATA numeric code; null if it has none."
    )
    created_at: datetime = strawberry.field(description="When it joined the coalition.")

    @resolved(
        graphql_type=Annotated["BookingConnection", strawberry.lazy("schema.bookings")],
        description="What it has booked and attached loyalty numbers to, the newest first.",
    )
    @staticmethod
    async def bookings(
        root: Agency,
        info: Info,
        first: FirstOnly = strawberry.UNSET,
        after: After = strawberry.UNSET,
        record_locator: RecordLocator = None,
        status: WithStatus = None,
    ) -> Connection[Booking]:
        """Read by the page. Raises `BadPage`."""
        context, wanted = info.context, booking_window(first, after)
        only = BookingFilter(record_locator, status)
        found = bookings_of_agency(context.coalition, context.caller, root.id, wanted, only)
        return booking_list(await found)

    @resolved(
        graphql_type=Annotated["MissingCreditClaimConnection", strawberry.lazy("schema.claims")],
        description="Claims for missing credit that it has made, the newest first.",
    )
    @staticmethod
    def claims(
        root: Agency,
        info: Info,
        first: FirstOnly = strawberry.UNSET,
        after: After = strawberry.UNSET,
        status: Status = None,
    ) -> Awaitable[Connection[CreditClaim]]:
        """Read by the page. Raises `BadPage`."""
        return claim_list(info.context, ClaimsOf(agency_id=root.id), first, after, status)

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Whether an object is an agency."""
        return isinstance(value, Agency)


@strawberry.input(description="A travel agency to take in.")
class AgencyCreateInput:
    """See `brands.agencies.NewAgency`."""

    code: str = strawberry.field(
        description="2 to 16 capital letters and digits, a letter first. It cannot be changed."
    )
    name: str = strawberry.field(description="What the agency is called; 200 characters at most.")
    iata_number: str | None = strawberry.field(
        description="Its IATA numeric code, 7 digits or 8 with the check digit. None if left out."
    )


@strawberry.type(description="The answer to `agencyCreate`.")
class AgencyCreatePayload:
    """Either an agency or errors."""

    agency: Agency | None = strawberry.field(
        default=None,
        graphql_type=AgencyType | None,
        description="The agency; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.input(description="An agency that is to be suspended, or taken back.")
class AgencyStatusSetInput:
    """See `brands.agencies.set_status`."""

    code: str = strawberry.field(description="The agency's code.")
    status: AgencyStatus = strawberry.field(description="What it is to be.")


@strawberry.type(description="The answer to `agencyStatusSet`.")
class AgencyStatusSetPayload:
    """Either an agency or errors."""

    agency: Agency | None = strawberry.field(
        default=None,
        graphql_type=AgencyType | None,
        description="The agency; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class AgencyQueries:
    """Queries about agencies."""

    @resolved(
        graphql_type=AgencyType | None,
        description="The agency with this code, if there is one that this caller may see: the "
        "operator sees every agency, an agency itself.",
    )
    @staticmethod
    def agency(
        info: Info,
        code: Annotated[str, strawberry.argument(description="The agency's code.")],
    ) -> Awaitable[Agency | None]:
        """Found."""
        return find_agency(info.context.coalition, info.context.caller, code)


@strawberry.type
class AgencyMutations:
    """Mutations of agencies."""

    @mutation(
        description="Takes a travel agency in. For the operator. Sent again with the same figures "
        "it changes nothing and gives the same answer."
    )
    @staticmethod
    async def agency_create(
        info: Info,
        input: Annotated[AgencyCreateInput, strawberry.argument(description="The agency.")],
    ) -> AgencyCreatePayload:
        """One agency."""
        context = info.context
        new = NewAgency(input.code, input.name, input.iata_number or None)
        try:
            agency = await create_agency(context.coalition, context.caller, new)
        except DomainError as error:
            return AgencyCreatePayload(errors=told(error))
        return AgencyCreatePayload(agency=agency)

    @mutation(
        description="Suspends a travel agency, or takes it back: its credentials are refused, or "
        "good again, from the next request on. For the operator. Doing so again changes nothing."
    )
    @staticmethod
    async def agency_status_set(
        info: Info,
        input: Annotated[
            AgencyStatusSetInput, strawberry.argument(description="Which, and how it is to be.")
        ],
    ) -> AgencyStatusSetPayload:
        """One agency."""
        context = info.context
        try:
            agency = await set_status(context.coalition, context.caller, input.code, input.status)
        except DomainError as error:
            return AgencyStatusSetPayload(errors=told(error))
        return AgencyStatusSetPayload(agency=agency)
