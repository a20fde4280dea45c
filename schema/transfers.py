"""Transfers: what one would give, locking it, making it, taking it back."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from brands.errors import (
    DomainError,
    InvalidInput,
    MembershipNotFound,
    QuoteNotFound,
    TransferNotFound,
)
from brands.memberships import Membership
from brands.money import Money
from brands.quotes import Quote, Terms, TransferRequest, preview, quote
from brands.transactions import Transaction
from brands.transfers import Made, Transfer, TransferStatus, create, reverse
from schema.context import Info
from schema.enums import described
from schema.errors import UserError, told, was_replayed
from schema.fields import derived, mutation, resolved
from schema.inputs import IdempotencyKey
from schema.nodes import Node, Tag, global_id, id_of
from schema.scalars import MoneyType, Points

if TYPE_CHECKING:
    from schema.ledger import LedgerTransactionType
    from schema.memberships import MembershipType

described(
    TransferStatus,
    "How far a transfer has come.",
    {
        TransferStatus.PENDING: "The points have left, and have not arrived yet.",
        TransferStatus.COMPLETED: "The points have arrived.",
        TransferStatus.CANCELLED: "It was called off before the points arrived.",
        TransferStatus.REVERSED: "It was taken back.",
    },
)

_MEMBERSHIP = Annotated["MembershipType", strawberry.lazy("schema.memberships")]
_DESTINATION = (
    "The membership that the points arrive at; null if the caller may name it but not look into it."
)


@strawberry.type(
    name="TransferQuote",
    description="What a transfer comes to. A quote locks its figures until it expires; a preview "
    "shows the same and locks nothing.",
)
class TransferQuoteType:
    """Resolved on `Quote`, and on `Terms` for a preview."""

    id: strawberry.ID | None = derived(
        lambda shown: global_id(Tag.QUOTE, shown.id) if isinstance(shown, Quote) else None,
        description="The quote's id, to make the transfer with; null in a preview.",
    )
    points_out: Points = derived(
        lambda shown: _terms(shown).points_out, description="The points that leave."
    )
    points_in: Points = derived(
        lambda shown: _terms(shown).points_in, description="The points that arrive."
    )
    base_points: Points = derived(
        lambda shown: _terms(shown).base_points,
        description="Of those that arrive, the points that the rates give.",
    )
    bonus_points: Points = derived(
        lambda shown: _terms(shown).bonus_points,
        description="Of those that arrive, the points given beyond the rates.",
    )
    fee: Money | None = derived(
        lambda shown: _terms(shown).fee,
        graphql_type=MoneyType | None,
        description="What the transfer costs; null if nothing.",
    )
    effective_rate: Decimal = derived(
        lambda shown: _terms(shown).effective_rate,
        description="Points that arrive for one that leaves, to twelve significant digits.",
    )
    expires_at: datetime | None = derived(
        lambda shown: shown.expires_at if isinstance(shown, Quote) else None,
        description="Until when the figures hold; null in a preview, which promises nothing.",
    )

    @resolved(graphql_type=_MEMBERSHIP, description="The membership that the points leave.")
    @staticmethod
    async def source(root: Quote | Terms, info: Info) -> Membership | None:
        """Loaded."""
        return await info.context.loaders.memberships.load(_terms(root).source)

    @resolved(graphql_type=_MEMBERSHIP | None, description=_DESTINATION)
    @staticmethod
    async def destination(root: Quote | Terms, info: Info) -> Membership | None:
        """Loaded."""
        return await info.context.loaders.memberships.load(_terms(root).destination)


def _terms(shown: Quote | Terms) -> Terms:
    return shown.terms if isinstance(shown, Quote) else shown


@strawberry.type(
    name="Transfer",
    description="Points that left one membership and arrived at another.",
)
class TransferType(Node):
    """Resolved on `brands.transfers.Transfer`."""

    id: strawberry.ID = derived(
        lambda transfer: global_id(Tag.TRANSFER, transfer.id),
        description="The transfer's global id.",
    )
    status: TransferStatus = strawberry.field(description="How far it has come.")
    points_out: Points = derived(
        lambda transfer: transfer.terms.points_out, description="The points that left."
    )
    points_in: Points = derived(
        lambda transfer: transfer.terms.points_in, description="The points that arrived."
    )
    fee: Money | None = derived(
        lambda transfer: transfer.terms.fee,
        graphql_type=MoneyType | None,
        description="What it cost; null if nothing.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    arrives_at: datetime = strawberry.field(description="When the points arrive, or arrived.")

    @resolved(
        graphql_type=_MEMBERSHIP | None,
        description="The membership that the points left; null if the caller may not look into it.",
    )
    @staticmethod
    async def source(root: Transfer, info: Info) -> Membership | None:
        """Loaded."""
        return await info.context.loaders.memberships.load(root.terms.source)

    @resolved(graphql_type=_MEMBERSHIP | None, description=_DESTINATION)
    @staticmethod
    async def destination(root: Transfer, info: Info) -> Membership | None:
        """Loaded."""
        return await info.context.loaders.memberships.load(root.terms.destination)

    @resolved(
        graphql_type=TransferQuoteType | None,
        description="The quote it was made by; null if there was none, or none of this caller's.",
    )
    @staticmethod
    async def quote(root: Transfer, info: Info) -> Quote | None:
        """Loaded."""
        if root.quote_id is None:
            return None
        return await info.context.loaders.quotes.load(root.quote_id)

    @resolved(
        graphql_type=list[Annotated["LedgerTransactionType", strawberry.lazy("schema.ledger")]],
        description="What was posted for it: the transfer itself, and what has reversed it since.",
    )
    @staticmethod
    async def transactions(root: Transfer, info: Info) -> list[Transaction]:
        """Loaded."""
        loads = [info.context.loaders.transactions.load(id) for id in root.transactions]
        return [found for load in loads if (found := await load) is not None]

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Whether an object is a transfer."""
        return isinstance(value, Transfer)


@strawberry.input(
    description="A transfer between two memberships. Give exactly one of `pointsOut` and "
    "`pointsIn`."
)
class TransferQuoteInput:
    """See `brands.quotes.TransferRequest`."""

    source: strawberry.ID = strawberry.field(
        description="The id of the membership that the points leave."
    )
    destination: strawberry.ID | None = strawberry.field(
        description="The id of the membership that the points arrive at. Required for now."
    )
    points_out: Points | None = strawberry.field(description="How many points leave.")
    points_in: Points | None = strawberry.field(
        description="How many points arrive, at least: as few leave as will do."
    )

    def request(self) -> TransferRequest:
        """As the domain has it. Raises `MembershipNotFound`."""
        return TransferRequest(
            source=id_of(Tag.MEMBERSHIP, self.source, MembershipNotFound, path="source"),
            destination=None
            if self.destination is None
            else id_of(Tag.MEMBERSHIP, self.destination, MembershipNotFound, path="destination"),
            points_out=self.points_out,
            points_in=self.points_in,
        )


@strawberry.type(description="The answer to `transferQuote` and `transferPreview`.")
class TransferQuotePayload:
    """Either figures or errors."""

    quote: Quote | Terms | None = strawberry.field(
        default=None,
        graphql_type=TransferQuoteType | None,
        description="The figures; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.input(description="A transfer to make. Give exactly one of `quote` and `transfer`.")
class TransferCreateInput:
    """See `brands.transfers.create`."""

    quote: strawberry.ID | None = strawberry.field(
        description="The id of a quote: the transfer is made at exactly its figures."
    )
    transfer: TransferQuoteInput | None = strawberry.field(
        description="What to transfer at today's rates, without a quote."
    )
    minimum_points_in: Points | None = strawberry.field(
        description="Refuse the transfer if fewer points would arrive."
    )
    idempotency_key: IdempotencyKey

    def order(self) -> UUID | TransferRequest:
        """As the domain has it. Raises `InvalidInput`, `QuoteNotFound`, `MembershipNotFound`."""
        if (self.quote is None) == (self.transfer is None):
            raise InvalidInput(path="quote", reason="Give exactly one of quote and transfer.")
        if self.quote is not None:
            return id_of(Tag.QUOTE, self.quote, QuoteNotFound, path="quote")
        assert self.transfer is not None
        return self.transfer.request()


@strawberry.type(description="The answer to `transferCreate`.")
class TransferCreatePayload:
    """Either a transfer or errors."""

    transfer: Transfer | None = strawberry.field(
        default=None,
        graphql_type=TransferType | None,
        description="The transfer; null if there are errors.",
    )
    replayed: bool = strawberry.field(
        default=False, description="Whether this key was answered so before; nothing was done now."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.input(description="A transfer to take back.")
class TransferReverseInput:
    """See `brands.transfers.reverse`."""

    transfer: strawberry.ID = strawberry.field(description="The transfer's id.")
    reason: str = strawberry.field(description="Why, in 1 to 500 characters.")
    idempotency_key: IdempotencyKey


@strawberry.type(description="The answer to `transferReverse`.")
class TransferReversePayload:
    """Either a transfer or errors."""

    transfer: Transfer | None = strawberry.field(
        default=None,
        graphql_type=TransferType | None,
        description="The transfer, now reversed; null if there are errors.",
    )
    replayed: bool = strawberry.field(
        default=False, description="Whether this key was answered so before; nothing was done now."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class TransferQueries:
    """Queries about transfers."""

    @resolved(description="What a transfer would come to now. Locks nothing and promises nothing.")
    @staticmethod
    async def transfer_preview(
        info: Info,
        input: Annotated[
            TransferQuoteInput, strawberry.argument(description="What would be transferred.")
        ],
    ) -> TransferQuotePayload:
        """One preview."""
        context = info.context
        try:
            terms = await preview(context.coalition, context.caller, input.request())
        except DomainError as error:
            return TransferQuotePayload(errors=told(error))
        return TransferQuotePayload(quote=terms)


@strawberry.type
class TransferMutations:
    """Mutations of transfers."""

    @mutation(
        description="Locks what a transfer comes to now, for five minutes and for this client. For "
        "the member, the brand that the points leave, and the operator."
    )
    @staticmethod
    async def transfer_quote(
        info: Info,
        input: Annotated[
            TransferQuoteInput, strawberry.argument(description="What is to be transferred.")
        ],
    ) -> TransferQuotePayload:
        """One quote."""
        context = info.context
        context.forget()
        try:
            made = await quote(context.coalition, context.caller, input.request())
        except DomainError as error:
            return TransferQuotePayload(errors=told(error))
        return TransferQuotePayload(quote=made)

    @mutation(
        description="Makes a transfer, by a quote or at today's rates. For the member, the brand "
        "that the points leave, and the operator."
    )
    @staticmethod
    async def transfer_create(
        info: Info,
        input: Annotated[TransferCreateInput, strawberry.argument(description="What to transfer.")],
    ) -> TransferCreatePayload:
        """One transfer."""
        context = info.context
        context.forget()
        inside = None if input.transfer is None else "transfer"
        try:
            order = input.order()
            made = await create(
                context.coalition,
                context.caller,
                order,
                input.minimum_points_in,
                input.idempotency_key,
            )
        except DomainError as error:
            within = inside if error.path in _OF_REQUEST else None
            return TransferCreatePayload(
                errors=told(error, inside=within), replayed=was_replayed(error)
            )
        return TransferCreatePayload(transfer=made.transfer, replayed=made.replayed)

    @mutation(description="Takes a whole transfer back at its original figures. For the operator.")
    @staticmethod
    async def transfer_reverse(
        info: Info,
        input: Annotated[
            TransferReverseInput, strawberry.argument(description="What to take back.")
        ],
    ) -> TransferReversePayload:
        """One reversal."""
        context = info.context
        context.forget()
        try:
            made: Made = await reverse(
                context.coalition,
                context.caller,
                id_of(Tag.TRANSFER, input.transfer, TransferNotFound, path="transfer"),
                input.reason,
                input.idempotency_key,
            )
        except DomainError as error:
            return TransferReversePayload(errors=told(error), replayed=was_replayed(error))
        return TransferReversePayload(transfer=made.transfer, replayed=made.replayed)


_OF_REQUEST = {"source", "destination", "pointsOut", "pointsIn"}
"""Fields of the transfer itself, one level down in the input of `transferCreate`."""
