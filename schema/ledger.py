"""The books as they can be read: transactions and their entries; taking one back."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from brands.errors import DomainError, TransactionNotFound
from brands.ledger.chart import AccountKind, TransactionKind
from brands.money import decimal_of
from brands.transactions import Account, Entry, OwnerKind, Transaction, reverse
from schema.connections import PageInfo
from schema.context import Info
from schema.enums import described
from schema.errors import UserError, told, was_replayed
from schema.fields import derived, mutation, resolved
from schema.inputs import IdempotencyKey
from schema.nodes import Node, Tag, global_id, id_of, read_global_id
from schema.scalars import Points

described(
    TransactionKind,
    "Why a transaction was posted.",
    {
        TransactionKind.ACCRUAL: "Points were earned.",
        TransactionKind.REDEMPTION: "Points were spent.",
        TransactionKind.TRANSFER_OUT: "Points left for another member, or are under way.",
        TransactionKind.TRANSFER_IN: "Points arrived from another member, or were under way.",
        TransactionKind.CONVERSION: "Points of one brand became points of another, of one member.",
        TransactionKind.EXPIRY: "Points expired.",
        TransactionKind.ADJUSTMENT: "Points were given or taken by hand, with a reason.",
        TransactionKind.REVERSAL: "An earlier transaction was taken back, whole or in part.",
        TransactionKind.REVALUATION: "The money behind points was brought to a new valuation.",
        TransactionKind.FEE: "A fee was charged.",
        TransactionKind.SETTLEMENT: "A brand's position was settled.",
    },
)
described(
    AccountKind,
    "What an account of the books is for.",
    {
        AccountKind.POINTS: "What a member can spend at one brand.",
        AccountKind.ISSUED: "Where points earned come from, in a brand's points.",
        AccountKind.REDEEMED: "Where points spent go, in a brand's points.",
        AccountKind.EXPIRED: "Where expired points go, in a brand's points.",
        AccountKind.CONVERTED: "Where transferred points come from and go, in a brand's points.",
        AccountKind.ADJUSTED: "Where adjusted points come from and go, in a brand's points.",
        AccountKind.SETTLEMENT: "What the coalition owes a brand, or a brand the coalition; money.",
        AccountKind.POOL: "The money behind a brand's outstanding points.",
        AccountKind.MARGIN: "What the coalition keeps of the differences between rates; money.",
        AccountKind.ROUNDING: "What rounding on statements leaves; money.",
        AccountKind.BREAKAGE: "What expired points leave to the coalition; money.",
        AccountKind.CLEARING: "Between two books: what left one and has arrived in another; money.",
        AccountKind.TRANSIT: "What will stand behind points that are under way; money.",
    },
)


def _owner(account: Account) -> strawberry.ID | None:
    if account.owner_id is None:
        return None
    tag = Tag.MEMBER if account.owner_kind is OwnerKind.MEMBER else Tag.BRAND
    return global_id(tag, account.owner_id)


@strawberry.type(
    name="Account",
    description="An account of the books: one owner, one kind, one unit.",
)
class AccountType:
    """Resolved on `brands.transactions.Account`."""

    id: strawberry.ID = derived(
        lambda account: global_id(Tag.ACCOUNT, account.id), description="The account's global id."
    )
    kind: AccountKind = strawberry.field(description="What it is for.")
    owner: strawberry.ID | None = derived(
        _owner,
        description="The global id of the member or brand whose it is; null if it is the "
        "coalition's.",
    )

    @resolved(
        description="What it counts: the code of the brand whose points they are; on accounts of "
        "money the code of the settlement currency."
    )
    @staticmethod
    def unit(root: Account, info: Info) -> str:
        """From the registry's snapshot."""
        if root.unit is None:
            return info.context.coalition.currency
        return info.context.loaders.brand(root.unit).code


@strawberry.type(
    name="Entry",
    description="What a transaction did to one account. The entries of a transaction sum to zero "
    "in every unit; a caller sees those that concern it.",
)
class EntryType:
    """Resolved on `brands.transactions.Entry`."""

    account: Account = strawberry.field(graphql_type=AccountType, description="The account.")
    amount: Decimal = derived(
        lambda entry: _amount(entry, entry.amount),
        description="What was added to the account, or, below zero, taken from it: whole points, "
        "or money in units of the currency.",
    )
    balance_after: Decimal = derived(
        lambda entry: _amount(entry, entry.balance_after),
        description="The account's balance right after.",
    )


def _amount(entry: Entry, amount: int) -> Decimal:
    return decimal_of(amount) if entry.account.unit is None else Decimal(amount)


@strawberry.type(
    name="LedgerTransaction",
    description="An immutable posting to the books. A mistake is corrected by another, a reversal.",
)
class LedgerTransactionType(Node):
    """Resolved on `brands.transactions.Transaction`."""

    id: strawberry.ID = derived(
        lambda transaction: global_id(Tag.TRANSACTION, transaction.id),
        description="The transaction's global id.",
    )
    kind: TransactionKind = strawberry.field(description="Why it was posted.")
    points: Points = strawberry.field(
        description="Its headline figure, as a statement would show it."
    )
    event_at: datetime = strawberry.field(
        description="When it happened. The rates of that moment apply."
    )
    recorded_at: datetime = strawberry.field(description="When it was written down.")
    reference: str | None = strawberry.field(description="The client's own name for it.")
    description: str | None = strawberry.field(description="What it was for, or the reason given.")
    receipt: str | None = derived(
        lambda _: None,
        description="A document that proves the transaction and can be checked offline; null until "
        "the books are sealed, which they are not yet.",
    )

    @resolved(
        graphql_type=list[EntryType],
        description="Its entries, as far as this caller may see them: points before money.",
    )
    @staticmethod
    async def entries(root: Transaction, info: Info) -> list[Entry]:
        """Loaded."""
        return await info.context.loaders.entries.load(root.id) or []

    @resolved(
        graphql_type=Annotated["LedgerTransactionType", strawberry.lazy("schema.ledger")] | None,
        description="The transaction that this one takes back; null if it is no reversal.",
    )
    @staticmethod
    async def reverses(root: Transaction, info: Info) -> Transaction | None:
        """Loaded."""
        if root.reverses is None:
            return None
        return await info.context.loaders.transactions.load(root.reverses)

    @resolved(
        graphql_type=list[Annotated["LedgerTransactionType", strawberry.lazy("schema.ledger")]],
        description="The transactions that take this one back, in whole or in parts.",
    )
    @staticmethod
    async def reversed_by(root: Transaction, info: Info) -> list[Transaction]:
        """Loaded."""
        loads = [info.context.loaders.transactions.load(id) for id in root.reversed_by]
        return [found for load in loads if (found := await load) is not None]

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Whether an object is a transaction."""
        return isinstance(value, Transaction)


@strawberry.type(name="LedgerTransactionEdge", description="A transaction in a list.")
class LedgerTransactionEdge:
    """Resolved on `schema.connections.Edge`."""

    node: LedgerTransactionType = strawberry.field(description="The transaction.")
    cursor: str = strawberry.field(description="Where it stands in the list.")


@strawberry.type(
    name="LedgerTransactionConnection", description="Transactions, the latest recorded first."
)
class LedgerTransactionConnection:
    """Resolved on `schema.connections.Connection`."""

    edges: list[LedgerTransactionEdge] = strawberry.field(
        description="The transactions of this page."
    )
    page_info: PageInfo = strawberry.field(description="Where this page begins and ends.")


@strawberry.input(description="A transaction to take back, whole or in part.")
class TransactionReverseInput:
    """See `brands.transactions.reverse`."""

    transaction: strawberry.ID = strawberry.field(description="The transaction's id.")
    points: Points | None = strawberry.field(
        description="How many points of it; all that are left if left out."
    )
    reason: str = strawberry.field(description="Why, in 1 to 500 characters.")
    idempotency_key: IdempotencyKey


@strawberry.type(description="The answer to `transactionReverse`.")
class TransactionReversePayload:
    """Either a reversal or errors."""

    transaction: Transaction | None = strawberry.field(
        default=None,
        graphql_type=LedgerTransactionType | None,
        description="The reversal; null if there are errors.",
    )
    replayed: bool = strawberry.field(
        default=False, description="Whether this key was answered so before; nothing was done now."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was not."
    )


@strawberry.type
class LedgerQueries:
    """Queries about the books."""

    @resolved(
        graphql_type=LedgerTransactionType | None,
        description="A transaction, if there is one of this id of which this caller may see "
        "anything.",
    )
    @staticmethod
    async def ledger_transaction(
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The transaction's id.")],
    ) -> Transaction | None:
        """Loaded."""
        name = read_global_id(id)
        if name is None or name.tag is not Tag.TRANSACTION:
            return None
        return await info.context.loaders.transactions.load(name.id)


@strawberry.type
class LedgerMutations:
    """Mutations of the books."""

    @mutation(
        description="Takes a transaction back at its original figures, whole or in part, at most "
        "once over all. For the operator."
    )
    @staticmethod
    async def transaction_reverse(
        info: Info,
        input: Annotated[
            TransactionReverseInput, strawberry.argument(description="What to take back.")
        ],
    ) -> TransactionReversePayload:
        """One reversal."""
        context = info.context
        context.forget()
        try:
            outcome = await reverse(
                context.coalition,
                context.caller,
                id_of(Tag.TRANSACTION, input.transaction, TransactionNotFound, path="transaction"),
                input.points,
                input.reason,
                input.idempotency_key,
            )
        except DomainError as error:
            return TransactionReversePayload(errors=told(error), replayed=was_replayed(error))
        made = await context.loaders.transactions.load(outcome.id)
        return TransactionReversePayload(transaction=made, replayed=outcome.replayed)
