"""Transfers: making one, calling it off, taking it back."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from brands.errors import DomainError, InvalidInput, QuoteNotFound, TransferNotFound
from brands.memberships import Membership
from brands.money import Money
from brands.moving.quotes import Quote
from brands.moving.routes import TransferRequest
from brands.moving.transferring import Made, cancel, create, reverse
from brands.moving.transfers import Transfer, TransferStatus
from brands.transactions import Transaction
from schema.context import Info
from schema.enums import described
from schema.errors import UserError, told, was_replayed
from schema.fields import derived, mutation, resolved
from schema.inputs import IdempotencyKey, TransferQuoteInput
from schema.nodes import Node, Tag, global_id, id_of
from schema.scalars import MoneyType, Points

if TYPE_CHECKING:
    from schema.ledger import LedgerTransactionType
    from schema.memberships import MembershipType
    from schema.quotes import TransferQuoteType

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
    name="Transfer",
    description="Points that left one membership and arrived at another.",
)
class TransferType(Node):
    """Resolved on `brands.moving.transfers.Transfer`."""

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
    fee_points: Points = derived(
        lambda transfer: transfer.terms.fee_points,
        description="Of the points that left, those kept as a fee.",
    )
    reversed_points: Points = strawberry.field(
        description="Of the points that left, those that were taken back."
    )
    is_gift: bool = derived(
        lambda transfer: transfer.terms.is_gift,
        description="Whether the points went to another member.",
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
        graphql_type=Annotated["TransferQuoteType", strawberry.lazy("schema.quotes")] | None,
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


@strawberry.input(description="A transfer to make. Give exactly one of `quote` and `transfer`.")
class TransferCreateInput:
    """See `brands.moving.transferring.create`."""

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


@strawberry.type
class _TransferPayload:
    """What every answer about a transfer says: either a transfer or errors."""

    transfer: Transfer | None = strawberry.field(
        default=None,
        graphql_type=TransferType | None,
        description="The transfer as it stands now; null if there are errors.",
    )
    replayed: bool = strawberry.field(
        default=False, description="Whether this key was answered so before; nothing was done now."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type(description="The answer to `transferCreate`.")
class TransferCreatePayload(_TransferPayload):
    """The transfer that was made, or errors."""


@strawberry.input(description="A transfer to call off.")
class TransferCancelInput:
    """See `brands.moving.transferring.cancel`."""

    transfer: strawberry.ID = strawberry.field(description="The transfer's id.")
    idempotency_key: IdempotencyKey


@strawberry.type(description="The answer to `transferCancel`.")
class TransferCancelPayload(_TransferPayload):
    """The transfer, now cancelled, or errors."""


@strawberry.input(description="A transfer to take back, or a part of one.")
class TransferReverseInput:
    """See `brands.moving.transferring.reverse`."""

    transfer: strawberry.ID = strawberry.field(description="The transfer's id.")
    points: Points | None = strawberry.field(
        description="How many of the points that left come back; all that are left if omitted. "
        "What had arrived is taken back in proportion, rounded up."
    )
    reason: str = strawberry.field(description="Why, in 1 to 500 characters.")
    idempotency_key: IdempotencyKey


@strawberry.type(description="The answer to `transferReverse`.")
class TransferReversePayload(_TransferPayload):
    """The transfer, now reversed, or errors."""


@strawberry.type
class TransferMutations:
    """Mutations of transfers."""

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
            if input.quote is not None and error.path in _OF_REQUEST:
                error.path = "quote"  # which tells of the recipient, say
            return TransferCreatePayload(
                errors=told(error, inside=within), replayed=was_replayed(error)
            )
        return TransferCreatePayload(transfer=made.transfer, replayed=made.replayed)

    @mutation(
        description="Calls a transfer off whose points have not arrived yet. For the member, the "
        "brand that the points left, and the operator."
    )
    @staticmethod
    async def transfer_cancel(
        info: Info,
        input: Annotated[TransferCancelInput, strawberry.argument(description="What to call off.")],
    ) -> TransferCancelPayload:
        """One cancellation."""
        context = info.context
        context.forget()
        try:
            made = await cancel(
                context.coalition,
                context.caller,
                id_of(Tag.TRANSFER, input.transfer, TransferNotFound, path="transfer"),
                input.idempotency_key,
            )
        except DomainError as error:
            return TransferCancelPayload(errors=told(error), replayed=was_replayed(error))
        return TransferCancelPayload(transfer=made.transfer, replayed=made.replayed)

    @mutation(
        description="Takes a transfer back at its original figures, whole or in part. Where points "
        "that arrived are spent, the receiving brand's clawback policy decides. For the operator."
    )
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
                input.points,
                input.reason,
                input.idempotency_key,
            )
        except DomainError as error:
            return TransferReversePayload(errors=told(error), replayed=was_replayed(error))
        return TransferReversePayload(transfer=made.transfer, replayed=made.replayed)


_OF_REQUEST = {"source", "destination", "recipient", "recipient.brand", "pointsOut", "pointsIn"}
"""Fields of the transfer itself, one level down in the input of `transferCreate`."""
