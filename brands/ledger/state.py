"""The state of the books that one batch of commands concerns, and the changes that it makes.

A writer loads a `State` under lock, the core works on it, the writer stores the `Changes`. Rows are
tuples in the order of the table's columns. The classes here are mutable and live for one batch.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from brands.clock import Micros
from brands.ledger.chart import AccountKind
from brands.ledger.commands import Record, RecordKind, Token
from brands.money import MAX_BALANCE

Row = tuple[Any, ...]


class Lot:
    """The points of one credit: what is left of them, and how much of that is held."""

    __slots__ = ("account", "amount", "earned_at", "expires_at", "held", "origin", "remaining")

    def __init__(
        self,
        account: UUID,
        origin: UUID,
        amount: int,
        remaining: int,
        held: int,
        earned_at: Micros,
        expires_at: Micros,
    ) -> None:
        self.account = account
        self.origin = origin
        self.amount = amount
        self.remaining = remaining
        self.held = held
        self.earned_at = earned_at
        self.expires_at = expires_at

    @property
    def order(self) -> tuple[Micros, Micros, int]:
        """Earliest expiry first, ties by age."""
        return self.expires_at, self.earned_at, self.origin.int


class Account:
    """One account. `lots` are open ones in order; `all_lots` says that none is left unloaded.

    `caps` is what has been used of limits, (points, count) by name, as far as it was loaded.
    """

    __slots__ = (
        "all_lots",
        "balance",
        "book",
        "caps",
        "closed",
        "floor",
        "held",
        "id",
        "is_points",
        "lots",
        "owner",
        "posted_at",
        "rate",
        "revision",
        "unit",
        "version",
    )

    def __init__(
        self,
        book: int,
        id: UUID,
        owner: UUID,
        kind: str,
        unit: UUID,
        balance: int,
        held: int,
        floor: int | None,
        version: int,
        rate: int | None,
        closed: bool,
        posted_at: Micros,
        revision: int = 0,
    ) -> None:
        self.book = book
        self.id = id
        self.owner = owner
        self.is_points = kind == AccountKind.POINTS
        self.unit = unit
        self.balance = balance
        self.held = held
        self.floor = floor
        self.version = version
        self.revision = revision
        self.rate = rate
        self.closed = closed
        self.posted_at = posted_at
        self.lots: list[Lot] = []
        self.all_lots = False
        self.caps: dict[str, tuple[int, int]] = {}


class Hold:
    """Points set aside on one account: which lots they are in, and what became of them."""

    __slots__ = (
        "account",
        "captured",
        "ended_at",
        "ended_by",
        "expires_at",
        "id",
        "lots",
        "points",
        "status",
    )

    def __init__(
        self,
        id: UUID,
        account: UUID,
        points: int,
        status: str,
        expires_at: Micros,
        lots: list[tuple[UUID, int]],
    ) -> None:
        self.id = id
        self.account = account
        self.points = points
        self.captured = 0
        self.status = status
        self.expires_at = expires_at
        self.ended_at: Micros | None = None
        self.ended_by: UUID | None = None
        self.lots = lots


class Original:
    """A transaction to be reversed: its entries, its use of lots, and what was reversed before."""

    __slots__ = ("caps", "entries", "id", "kind", "reversed", "uses")

    def __init__(
        self,
        id: UUID,
        kind: str,
        entries: list[tuple[UUID, int]],
        uses: Mapping[tuple[UUID, UUID], int],
        reversed_points: int,
    ) -> None:
        self.id = id
        self.kind = kind
        self.entries = entries
        self.uses = dict(uses)
        """(account, lot) -> points taken from it and not given back since, in FIFO order."""
        self.reversed = reversed_points
        self.caps: list[tuple[UUID, str, int, int]] = []
        """(account, name, points, count) that it used of limits."""


class State:
    """All that a batch of commands concerns, as locked."""

    __slots__ = ("accounts", "holds", "lots", "originals", "rates", "spent_tokens")

    def __init__(
        self,
        accounts: dict[UUID, Account],
        rates: Mapping[UUID, Sequence[tuple[Micros, int]]],
    ) -> None:
        self.accounts = accounts
        self.holds: dict[UUID, Hold] = {}
        self.lots: dict[tuple[UUID, UUID], Lot] = {}
        """By account and origin; with those that an original to be reversed had used up."""
        self.originals: dict[UUID, Original] = {}
        self.spent_tokens: set[Token] = set()
        self.rates = rates

    def value_of(self, brand: UUID, at: Micros) -> int:
        """The redemption rate of a brand's points at an instant; its first one before that."""
        history = self.rates[brand]
        value = history[0][1]
        for effective_from, rate in history:
            if effective_from > at:
                break
            value = rate
        return value

    def fits(self, *transactions: Mapping[UUID, int]) -> bool:
        """Whether every balance and amount stays within what the books can hold."""
        accounts = self.accounts
        if len(transactions) == 1:
            for account_id, amount in transactions[0].items():
                balance = accounts[account_id].balance + amount
                if not (abs(amount) <= MAX_BALANCE and abs(balance) <= MAX_BALANCE):
                    return False
            return True
        balances: dict[UUID, int] = {}
        for deltas in transactions:
            for account_id, amount in deltas.items():
                before = balances.get(account_id)
                if before is None:
                    before = accounts[account_id].balance
                balances[account_id] = balance = before + amount
                if abs(balance) > MAX_BALANCE or abs(amount) > MAX_BALANCE:
                    return False
        return True


class Changes:
    """What a batch changes. Accounts, lots and holds are the objects of the state."""

    __slots__ = (
        "accounts",
        "cap_uses",
        "entries",
        "hold_lots",
        "holds",
        "lots",
        "new_holds",
        "new_lots",
        "records",
        "transactions",
        "uses",
    )

    def __init__(self) -> None:
        self.transactions: list[Row] = []
        self.entries: list[Row] = []
        self.accounts: dict[UUID, Account] = {}
        self.new_lots: dict[tuple[UUID, UUID], Lot] = {}
        self.lots: dict[tuple[UUID, UUID], Lot] = {}
        self.uses: list[Row] = []
        self.new_holds: dict[UUID, Hold] = {}
        self.holds: dict[UUID, Hold] = {}
        self.hold_lots: list[Row] = []
        self.cap_uses: list[Row] = []
        self.records: dict[RecordKind, list[Record]] = {}

    @property
    def books(self) -> set[int]:
        """Those in which there are new transactions."""
        return {row[0] for row in self.transactions}
