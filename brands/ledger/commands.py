"""What can be asked of the books, and what they answer.

A command says everything the pure core needs to decide it; ids and instants are part of it, so that
the core makes none. Amounts are whole: points, or micro-units of the settlement currency.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import orjson

from brands.clock import NEVER, Micros
from brands.ledger.chart import TransactionKind
from brands.rejections import Rejection


class Posting(NamedTuple):
    """An intent: `amount` (above zero) of `unit` leaves `source` and arrives at `destination`.

    The unit is a brand's id (its points) or `chart.MONEY`; both accounts are of it, and of the
    command's book. Becomes two entries, netted by account within its transaction.
    """

    unit: UUID
    source: UUID
    destination: UUID
    amount: int


class Claim(NamedTuple):
    """A client's idempotency key and the fingerprint of what it meant by it."""

    client: str
    key: str
    fingerprint: bytes


def fingerprint(operation: str, **intent: Any) -> bytes:
    """The fingerprint of a client's intent: never of the postings derived from it."""
    text = orjson.dumps([operation, intent], option=orjson.OPT_SORT_KEYS, default=str)
    return blake2b(text, digest_size=16).digest()


class RecordKind(NamedTuple):
    """A table whose rows are written in one database transaction with a posting.

    `columns` are (name, PostgreSQL type) pairs in the order of the values.
    """

    table: str
    columns: tuple[tuple[str, str], ...]


class Record(NamedTuple):
    """One such row. It is written if the command is accepted, and not otherwise."""

    kind: RecordKind
    values: tuple[Any, ...]


class Token(NamedTuple):
    """Something that can be used once only (a quote, an arrival), in the book that tells of it."""

    book: int
    name: str


@dataclass(frozen=True, slots=True)
class Cap:
    """What a command uses of a limit on a membership, and how far that limit goes.

    `name` says what is counted, and over which period; what was used so far is summed by it. With
    a maximum of None there is none. The rest is told when the limit is reached.
    """

    account: UUID
    name: str
    points: int
    count: int
    max_points: int | None
    max_count: int | None
    period: str
    direction: str
    resets_at: Micros


class Shortfall(StrEnum):
    """What a reversal does when the points it takes back are spent already."""

    REJECT = "REJECT"
    ALLOW_NEGATIVE = "ALLOW_NEGATIVE"
    UP_TO_BALANCE = "UP_TO_BALANCE"


@dataclass(frozen=True, slots=True)
class Arrival:
    """The other half of a posting that moves points to somebody else: a transaction of its own, in
    the book of its id, posted with the first or not at all."""

    id: UUID
    kind: TransactionKind
    postings: tuple[Posting, ...]
    points: int


@dataclass(frozen=True, slots=True)
class Post:
    """Post a transaction. `points` is its headline figure, as a statement would show it.

    Money legs are given at the rates in force at `event_at`; the core makes the pools whole at the
    rate in force now, and the brand's settlement account bears the difference.
    """

    id: UUID
    claim: Claim | None
    """None for what falls due by itself; a token keeps that from being done twice."""
    kind: TransactionKind
    postings: tuple[Posting, ...]
    points: int
    event_at: Micros
    reference: str | None = None
    description: str | None = None
    arrival: Arrival | None = None
    lots_expire_at: Micros = NEVER
    keep_earliest: bool = False
    """The credited points expire with the earliest-expiring of those debited, whatever else is
    said."""
    earned_at: Micros | None = None
    """When the credited points were earned; `event_at` unless said otherwise."""
    captures: UUID | None = None
    """A pending hold on the debited account, which this posting uses and ends."""
    objection: Rejection | None = None
    """Refused with this, if nothing on the debited side forbids it: what is wrong on the other side
    is told to nobody who could not have paid."""
    caps: tuple[Cap, ...] = ()
    """Refused with `TransferLimitReached` if one of these would be exceeded."""
    tokens: tuple[Token, ...] = ()
    """Single-use tokens (a quote, say) that this posting spends; `TokenSpent` if one was."""
    deadline: Micros | None = None
    """Refused with `QuoteExpired` when recorded at or after this instant."""
    not_before: Micros | None = None
    """Refused with `TransferNotCompleted` when recorded before this instant."""
    records: tuple[Record, ...] = ()
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Reverse:
    """Mirror an earlier transaction at its original figures, whole (`points` None) or in part.

    Of a transfer `points` counts the points that had left; what had arrived is taken back in
    proportion, rounded up until the last part makes it exact. A transfer that was posted as two
    transactions is taken back as two: `original` is the one by which the points left.
    """

    id: UUID
    claim: Claim
    original: UUID
    points: int | None
    event_at: Micros
    shortfall: Shortfall = Shortfall.REJECT
    arrival: tuple[UUID, UUID] | None = None
    """The transaction by which the points arrived: the id for its reversal, and its own."""
    departed_only: bool = False
    """The points of the transfer have not arrived, and will not: it is called off."""
    counted: tuple[UUID, ...] = ()
    """Memberships that the original was counted against limits of, though it has no entry there."""
    tokens: tuple[Token, ...] = ()
    deadline: Micros | None = None
    """Refused with `TransferNotCancellable` when recorded at or after this instant."""
    description: str | None = None
    records: tuple[Record, ...] = ()
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """Set points aside until captured, voided or expired. `id` becomes the hold's."""

    id: UUID
    claim: Claim
    account: UUID
    points: int
    expires_at: Micros
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class EndHold:
    """Release a pending hold without a posting. An `expiry` waits for the hold's `expires_at`."""

    id: UUID
    claim: Claim
    hold: UUID
    account: UUID
    expiry: bool = False
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ExpireLots:
    """Take out what is left, unheld, of an account's lots that have expired, if anything is."""

    id: UUID
    account: UUID
    brand: UUID
    beneficiary: UUID
    """The money account that gains: the brand's `settlement` or the coalition's `breakage`."""


@dataclass(frozen=True, slots=True)
class Revalue:
    """Bring a brand's pool in one book to the value in force now, if it is not at it already."""

    id: UUID
    brand: UUID


@dataclass(frozen=True, slots=True)
class Refuse:
    """Record a refusal that a service has decided on, so that it sticks to the key."""

    id: UUID
    claim: Claim
    rejection: Rejection


@dataclass(frozen=True, slots=True)
class Note:
    """Write rows beside the books and spend tokens, without posting anything.

    There is no transaction, and nothing in the feed; what remains of the command itself is one row,
    by the command's id: what was done (`operation`), and to what.
    """

    id: UUID
    claim: Claim
    operation: str
    subject: UUID
    tokens: tuple[Token, ...] = ()
    """Refused with `TokenSpent` if one of these was spent before."""
    records: tuple[Record, ...] = ()
    request_id: str = ""


NOTES = RecordKind(
    "notes",
    (
        *(("book", "smallint"), ("id", "uuid"), ("operation", "text"), ("subject", "uuid")),
        *(("client", "text"), ("request_id", "text"), ("recorded_at", "bigint")),
    ),
)


Command: TypeAlias = Post | Reverse | Note | PlaceHold | EndHold | ExpireLots | Revalue | Refuse


@dataclass(frozen=True, slots=True)
class Outcome:
    """The books' answer. With a `rejection` nothing was posted.

    `id` is the command's as first recorded: the transaction's, the hold's or the note's. A replayed
    answer was given before, to the same key with the same intent.
    """

    id: UUID
    rejection: Rejection | None = None
    replayed: bool = False

    def accepted(self) -> "Outcome":
        """This outcome, or its rejection raised."""
        if self.rejection is not None:
            raise replace(self.rejection, replayed=self.replayed)
        return self
