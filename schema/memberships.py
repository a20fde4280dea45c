"""Memberships: a member at a brand, her balance there; opening one and closing it."""

from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from brands.clock import now
from brands.errors import DomainError, MembershipNotFound
from brands.members import Member, MemberBy
from brands.memberships import (
    Lot,
    Membership,
    MembershipStatus,
    close_membership,
    open_membership,
)
from brands.money import Money
from brands.moving.limits import Allowance
from brands.moving.transfers import Transfer
from brands.registry import Brand
from brands.transactions import Transaction
from brands.travel.booking_pages import bookings_of_membership
from brands.travel.bookings import Booking
from brands.travel.claim_lists import ClaimsOf
from brands.travel.claims import CreditClaim
from schema.booking_pages import booking_list, booking_window
from schema.claim_pages import Status, claim_list
from schema.connections import After, Connection, FirstOnly
from schema.context import Info
from schema.enums import described
from schema.errors import UserError, told
from schema.fields import derived, mutation, resolved
from schema.histories import history, history_window
from schema.inputs import MemberByInput
from schema.nodes import Node, Tag, global_id, id_of
from schema.scalars import MoneyType, Points

if TYPE_CHECKING:
    from schema.allowances import TransferAllowanceType
    from schema.bookings import BookingConnection
    from schema.brands import BrandType
    from schema.claims import MissingCreditClaimConnection
    from schema.ledger import LedgerTransactionConnection, LedgerTransactionType
    from schema.members import MemberType
    from schema.transfers import TransferType

described(
    MembershipStatus,
    "Whether points can move on a membership.",
    {
        MembershipStatus.ACTIVE: "They can.",
        MembershipStatus.CLOSED: "They can no more. Its history remains.",
    },
)


@strawberry.type(description="The points of a membership now, and what they are worth.")
class Balance:
    """Reckoned from the membership; only what is pending is looked up."""

    posted: Points = strawberry.field(description="Points posted: the balance of the account.")
    held: Points = strawberry.field(description="Of these, the points set aside by holds.")
    available: Points = strawberry.field(
        description="The points that can be spent now: posted less held."
    )
    membership: strawberry.Private[Membership]

    @resolved(
        graphql_type=Points,
        description="Points that are to come: of what travel agencies have booked with its number "
        "and the supplier has not confirmed yet, by the brand's earn chart. 0 where the brand does "
        "not show them.",
    )
    @staticmethod
    async def pending(root: "Balance", info: Info) -> int:
        """Loaded, where there may be any."""
        membership, programs = root.membership, info.context.coalition.registry.snapshot.programs
        if not programs.terms(membership.brand_id, now()).pending_shown:
            return 0
        return await info.context.loaders.pending_points.load(membership.id) or 0

    value: Money = strawberry.field(
        graphql_type=MoneyType,
        description="What the posted points are worth at the brand's redemption rate now.",
    )


@strawberry.type(
    name="Lot",
    description="What is left of the points of one credit. Debits use up the lot that expires "
    "first, and among equals the oldest.",
)
class LotType:
    """Resolved on `brands.memberships.Lot`."""

    amount: Points = strawberry.field(description="The points credited.")
    remaining: Points = strawberry.field(description="The points left of them.")
    held: Points = strawberry.field(description="Of those left, the points set aside by holds.")
    earned_at: datetime = strawberry.field(description="When the points were earned.")
    expires_at: datetime | None = strawberry.field(
        description="When those left expire; null if they do not."
    )

    @resolved(
        graphql_type=Annotated["LedgerTransactionType", strawberry.lazy("schema.ledger")] | None,
        description="The transaction that credited them.",
    )
    @staticmethod
    def transaction(root: Lot, info: Info) -> Awaitable[Transaction | None]:
        """Loaded."""
        return info.context.loaders.transactions.load(root.transaction_id)


@strawberry.type(
    description="A member's tier at a brand. There are no tiers yet: no membership has one."
)
class TierStatus:
    """The place of what is to come."""

    code: str = strawberry.field(description="The tier's short name.")
    name: str = strawberry.field(description="What the tier is called.")


@strawberry.federation.type(
    name="Membership",
    keys=["id", "brand { code } number"],
    description="A member at one brand: the brand's own loyalty number, a status, and one account "
    "of the brand's points.",
)
class MembershipType(Node):
    """Resolved on `brands.memberships.Membership`."""

    id: strawberry.ID = derived(
        lambda membership: global_id(Tag.MEMBERSHIP, membership.id),
        description="The membership's global id.",
    )
    number: str = strawberry.field(description="The loyalty number at the brand.")
    status: MembershipStatus = strawberry.field(description="Whether points can move on it.")
    joined_at: datetime = strawberry.field(description="When the member joined the brand.")
    tier: TierStatus | None = derived(
        lambda _: None, description="The member's tier at the brand; null if there is none."
    )

    @resolved(
        graphql_type=Annotated["BrandType", strawberry.lazy("schema.brands")],
        description="The brand.",
    )
    @staticmethod
    def brand(root: Membership, info: Info) -> Brand:
        """From the registry's snapshot."""
        return info.context.loaders.brand(root.brand_id)

    @resolved(
        graphql_type=Annotated["MemberType", strawberry.lazy("schema.members")],
        description="The member.",
    )
    @staticmethod
    def member(root: Membership, info: Info) -> Awaitable[Member | None]:
        """Loaded."""
        return info.context.loaders.members.load(MemberBy(id=root.member_id))

    @resolved(
        graphql_type=list[Annotated["TransferAllowanceType", strawberry.lazy("schema.allowances")]],
        description="What every limit that is now in force leaves of transfers out of this "
        "membership and into it.",
    )
    @staticmethod
    async def transfer_allowance(root: Membership, info: Info) -> list[Allowance]:
        """Loaded."""
        return await info.context.loaders.allowances.load(root.id) or []

    @resolved(
        graphql_type=list[Annotated["TransferType", strawberry.lazy("schema.transfers")]],
        description="The transfers whose points have left this membership and have not arrived: "
        "they can still be cancelled. The newest first, at most 100.",
    )
    @staticmethod
    async def transfers_under_way(root: Membership, info: Info) -> list[Transfer]:
        """Loaded."""
        return await info.context.loaders.transfers_under_way.load(root.id) or []

    @resolved(description="Its points now, and what they are worth.")
    @staticmethod
    def balance(root: Membership, info: Info) -> Balance:
        """Read with the membership itself."""
        coalition = info.context.coalition
        rate = coalition.registry.snapshot.valuation(root.brand_id).rates.redemption_rate
        return Balance(
            posted=Points(root.posted),
            held=Points(root.held),
            available=Points(root.posted - root.held),
            membership=root,
            value=Money(root.posted * rate, coalition.currency),
        )

    @resolved(
        graphql_type=Points,
        description="The points that were posted by an instant, by when they were recorded.",
    )
    @staticmethod
    async def balance_at(
        root: Membership,
        info: Info,
        at: Annotated[datetime, strawberry.argument(description="The instant.")],
    ) -> int:
        """Loaded."""
        return await info.context.loaders.balance_at(root.id, at) or 0

    @resolved(
        graphql_type=list[LotType],
        description="The lots that have points left, in the order in which debits will use them.",
    )
    @staticmethod
    async def lots(root: Membership, info: Info) -> list[Lot]:
        """Loaded."""
        return await info.context.loaders.lots.load(root.id) or []

    @resolved(
        graphql_type=Annotated["LedgerTransactionConnection", strawberry.lazy("schema.ledger")],
        description="What was posted to it, the latest first.",
    )
    @staticmethod
    async def transactions(
        root: Membership,
        info: Info,
        first: FirstOnly = strawberry.UNSET,
        after: After = strawberry.UNSET,
    ) -> Connection[Transaction]:
        """Loaded. Raises `BadPage`."""
        wanted = history_window(first, after)
        return history(await info.context.loaders.membership_page(root.id, wanted), wanted)

    @resolved(
        graphql_type=Annotated["BookingConnection", strawberry.lazy("schema.bookings")],
        description="Bookings of travel agencies with segments that are linked to it, the newest "
        "first.",
    )
    @staticmethod
    async def bookings(
        root: Membership,
        info: Info,
        first: FirstOnly = strawberry.UNSET,
        after: After = strawberry.UNSET,
    ) -> Connection[Booking]:
        """Read by the page. Raises `BadPage`."""
        context, wanted = info.context, booking_window(first, after)
        found = bookings_of_membership(context.coalition, context.caller, root.id, wanted)
        return booking_list(await found)

    @resolved(
        graphql_type=Annotated["MissingCreditClaimConnection", strawberry.lazy("schema.claims")],
        description="Claims for missing credit that are linked to it, the newest first.",
    )
    @staticmethod
    def claims(
        root: Membership,
        info: Info,
        first: FirstOnly = strawberry.UNSET,
        after: After = strawberry.UNSET,
        status: Status = None,
    ) -> Awaitable[Connection[CreditClaim]]:
        """Read by the page. Raises `BadPage`."""
        return claim_list(info.context, ClaimsOf(membership_id=root.id), first, after, status)

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Whether an object is a membership."""
        return isinstance(value, Membership)


@strawberry.input(description="A membership to open.")
class MembershipOpenInput:
    """See `brands.memberships.open_membership`."""

    member: MemberByInput = strawberry.field(description="Whose.")
    brand: str = strawberry.field(description="The code of the brand.")
    number: str | None = strawberry.field(
        description="The loyalty number the brand has given; one is generated if left out."
    )


@strawberry.type(description="The answer to `membershipOpen`.")
class MembershipOpenPayload:
    """Either a membership or errors."""

    membership: Membership | None = strawberry.field(
        default=None,
        graphql_type=MembershipType | None,
        description="The membership; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.input(description="A membership to close.")
class MembershipCloseInput:
    """See `brands.memberships.close_membership`."""

    membership: strawberry.ID = strawberry.field(description="The membership's id.")


@strawberry.type(description="The answer to `membershipClose`.")
class MembershipClosePayload:
    """Either a membership or errors."""

    membership: Membership | None = strawberry.field(
        default=None,
        graphql_type=MembershipType | None,
        description="The membership; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class MembershipMutations:
    """Mutations of memberships."""

    @mutation(
        description="Opens a membership for a member who is enrolled already. For the operator, "
        "and for the brand."
    )
    @staticmethod
    async def membership_open(
        info: Info,
        input: Annotated[MembershipOpenInput, strawberry.argument(description="What to open.")],
    ) -> MembershipOpenPayload:
        """One membership."""
        context = info.context
        context.forget()
        try:
            membership = await open_membership(
                context.coalition,
                context.caller,
                input.member.required(),
                input.brand,
                input.number,
            )
        except DomainError as error:
            return MembershipOpenPayload(errors=told(error))
        return MembershipOpenPayload(membership=membership)

    @mutation(
        description="Closes a membership: from then on no points move on it. For the operator, and "
        "for the brand."
    )
    @staticmethod
    async def membership_close(
        info: Info,
        input: Annotated[MembershipCloseInput, strawberry.argument(description="What to close.")],
    ) -> MembershipClosePayload:
        """One membership."""
        context = info.context
        context.forget()
        try:
            membership = await close_membership(
                context.coalition,
                context.caller,
                id_of(Tag.MEMBERSHIP, input.membership, MembershipNotFound, path="membership"),
            )
        except DomainError as error:
            return MembershipClosePayload(errors=told(error))
        return MembershipClosePayload(membership=membership)
