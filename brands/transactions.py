"""Transactions as they can be read: what was posted, and each entry that the caller may see.

An operator sees every entry; a brand those in its own points and on its own accounts; a member
those on her points accounts. A transaction of which one may see no entry does not exist for one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.clock import Micros, from_micros
from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.errors import TransactionNotFound
from brands.ids import book_of
from brands.intents import claim_of, wording_of
from brands.ledger.chart import COALITION, MONEY, AccountKind, TransactionKind
from brands.ledger.commands import Outcome
from brands.money import positive_points
from brands.reversals import take_back


class Position(NamedTuple):
    """Where a transaction stands in a history: a later one has a greater position."""

    recorded_at: Micros
    id: UUID


@dataclass(frozen=True, slots=True)
class Transaction:
    """An immutable posting. `points` is its headline figure; `reversed_by` may be several parts."""

    id: UUID
    kind: TransactionKind
    event_at: datetime
    recorded_at: datetime
    reference: str | None
    description: str | None
    reverses: UUID | None
    reversed_by: tuple[UUID, ...]
    points: int
    position: Position


class OwnerKind(StrEnum):
    """Whose an account can be."""

    MEMBER = "MEMBER"
    BRAND = "BRAND"
    COALITION = "COALITION"


@dataclass(frozen=True, slots=True)
class Account:
    """One side of an entry. A member's points account has the id of its membership.

    `owner_id` is None for the coalition's own; `unit` is a brand (its points), or None: money.
    """

    id: UUID
    kind: AccountKind
    owner_kind: OwnerKind
    owner_id: UUID | None
    unit: UUID | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a transaction did to one account: points, or micro-units of money, with a sign."""

    account: Account
    amount: int
    balance_after: int


TRANSACTION_COLUMNS = (
    "t.id, t.kind, t.event_at, t.recorded_at, t.reference, t.description, t.reverses, t.points, "
    "r.id AS reversal_id"
)
REVERSALS = "LEFT JOIN transactions r ON r.book = t.book AND r.reverses = t.id"
"""Rows repeat a transaction for each of its reversals: `transactions_of` puts them together."""


async def transactions_by_id(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, Transaction]:
    """Those of the transactions that the caller may see. One statement."""
    visible = _visible_entries(caller, 3)
    if visible is None or not ids:
        return {}
    condition, values = visible
    rows = await coalition.database.fetch(
        f"SELECT {TRANSACTION_COLUMNS} FROM transactions t {REVERSALS} "
        "WHERE t.book = ANY($1::smallint[]) AND t.id = ANY($2::uuid[]) AND EXISTS ("
        "SELECT 1 FROM entries e JOIN accounts a ON a.book = e.book AND a.id = e.account_id "
        f"WHERE e.book = t.book AND e.transaction_id = t.id AND {condition})",
        *_places(ids),
        *values,
    )
    return transactions_of(rows)


async def entries_of(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, list[Entry]]:
    """The entries of transactions that the caller may see: points before money, debits first.

    One statement. A transaction of which the caller may see nothing has no place in the answer.
    """
    visible = _visible_entries(caller, 3)
    if visible is None or not ids:
        return {}
    condition, values = visible
    rows = await coalition.database.fetch(
        "SELECT e.transaction_id, e.amount, e.balance, a.id, a.kind, a.owner_id, a.unit "
        "FROM entries e JOIN accounts a ON a.book = e.book AND a.id = e.account_id "
        "WHERE e.book = ANY($1::smallint[]) AND e.transaction_id = ANY($2::uuid[]) "
        f"AND {condition}",
        *_places(ids),
        *values,
    )
    entries: dict[UUID, list[Entry]] = {}
    for row in rows:
        entries.setdefault(as_uuid(row["transaction_id"]), []).append(_entry(row))
    for of_one in entries.values():
        of_one.sort(key=lambda each: (each.account.unit is None, each.amount, each.account.id))
    return entries


async def reverse(
    coalition: Coalition,
    caller: Caller,
    transaction_id: UUID,
    points: int | None,
    reason: str,
    idempotency_key: str,
) -> Outcome:
    """Takes a transaction back, whole or `points` of it, at its original figures. For operators.

    Raises `NotPermitted`, `TransactionNotFound`, `PointsNotPositive`, `PointsOutOfRange`,
    `InvalidInput`, `InvalidIdempotencyKey`; sticky are `AlreadyReversed`, `NotReversible`,
    `ReversalExceedsOriginal` and `InsufficientPoints`.
    """
    caller.require_operator()
    claim = claim_of(
        caller,
        idempotency_key,
        "transactionReverse",
        transaction=transaction_id,
        points=points,
        reason=reason,
    )
    if points is not None:
        positive_points(points)
    reason = wording_of(reason, "reason")
    if transaction_id not in await transactions_by_id(coalition, caller, [transaction_id]):
        raise TransactionNotFound(path="transaction", name=str(transaction_id))
    return await take_back(coalition, caller, claim, transaction_id, points, reason)


def transactions_of(rows: Iterable[Row]) -> dict[UUID, Transaction]:
    """Transactions from rows that may repeat one, once for each of its reversals."""
    grouped: dict[UUID, dict[UUID | None, Row]] = {}
    for row in rows:
        reversal = None if row["reversal_id"] is None else as_uuid(row["reversal_id"])
        grouped.setdefault(as_uuid(row["id"]), {})[reversal] = row
    return {id: _transaction(id, group) for id, group in grouped.items()}


def _transaction(id: UUID, group: dict[UUID | None, Row]) -> Transaction:
    row = next(iter(group.values()))
    return Transaction(
        id=id,
        kind=TransactionKind(row["kind"]),
        event_at=from_micros(row["event_at"]),
        recorded_at=from_micros(row["recorded_at"]),
        reference=row["reference"],
        description=row["description"],
        reverses=None if row["reverses"] is None else as_uuid(row["reverses"]),
        reversed_by=tuple(sorted(reversal for reversal in group if reversal is not None)),
        points=row["points"],
        position=Position(row["recorded_at"], id),
    )


def _entry(row: Row) -> Entry:
    kind, owner, unit = AccountKind(row["kind"]), as_uuid(row["owner_id"]), as_uuid(row["unit"])
    if kind is AccountKind.POINTS:
        owner_kind = OwnerKind.MEMBER
    else:
        owner_kind = OwnerKind.COALITION if owner == COALITION else OwnerKind.BRAND
    account = Account(
        id=as_uuid(row["id"]),
        kind=kind,
        owner_kind=owner_kind,
        owner_id=None if owner_kind is OwnerKind.COALITION else owner,
        unit=None if unit == MONEY else unit,
    )
    return Entry(account, row["amount"], row["balance"])


def _places(ids: Sequence[UUID]) -> tuple[list[int], list[UUID]]:
    """Ids as two values: the books that they name, and the ids."""
    return sorted({book_of(id) for id in ids}), list(dict.fromkeys(ids))


def _visible_entries(caller: Caller, place: int) -> tuple[str, tuple[Any, ...]] | None:
    """What SQL says of the accounts `a` whose entries the caller may see; None for none at all.

    The values of the condition are numbered from `place` on.
    """
    match caller.kind:
        case CallerKind.OPERATOR:
            return "a.book >= 0", ()
        case CallerKind.BRAND:
            assert caller.brand_id is not None
            condition = f"(a.unit = ${place}::uuid OR a.owner_id = ${place}::uuid)"
            return condition, (caller.brand_id,)
        case CallerKind.MEMBER:
            assert caller.member_id is not None
            points = AccountKind.POINTS.value
            return f"(a.kind = '{points}' AND a.owner_id = ${place}::uuid)", (caller.member_id,)
        case CallerKind.AGENCY:
            return None
