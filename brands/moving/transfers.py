"""Transfers as they stand: what left, what arrives, and how far it has come.

A transfer's row is written with the posting by which its points leave, and never changed. The rest
is read from the books: whether the points have arrived, and what was reversed since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from brands.callers import Caller
from brands.clock import from_micros
from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.ids import book_of
from brands.moving.terms import Terms, learn_rules, terms_of_row
from brands.parties import Found

MOST_SHOWN = 100
"""Transfers under way that are shown of a membership, at most."""


class TransferStatus(StrEnum):
    """How far a transfer has come."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    REVERSED = "REVERSED"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer. `transactions` are its postings, and whatever has reversed them since.

    The points arrive by the posting by which they left, unless there is an `arrival`.
    """

    id: UUID
    terms: Terms
    status: TransferStatus
    quote_id: UUID | None
    departure: UUID
    arrival: UUID | None
    transactions: tuple[UUID, ...]
    reversed_points: int
    """Of the points that left, those that were taken back."""
    created_at: datetime
    arrives_at: datetime


async def transfers_by_id(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, Transfer]:
    """Those of the transfers that the caller may see: hers, or from or to the caller's brand."""
    rows = await coalition.database.fetch(
        f"{_SELECT} WHERE t.book = ANY($1::smallint[]) AND t.id = ANY($2::uuid[])",
        list({book_of(id) for id in ids}),
        list(ids),
    )
    found = await transfers_of(coalition, rows)
    terms = [transfer.terms for transfer in found.values()]
    parties = await coalition.parties.find(
        [side for each in terms for side in (each.source, each.destination)]
    )
    shown = ((id, _as_seen(caller, transfer, parties)) for id, transfer in found.items())
    return {id: transfer for id, transfer in shown if transfer is not None}


async def transfers_under_way(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, list[Transfer]]:
    """The transfers whose points have left a membership and not arrived, by membership: the newest
    first, at most 100. For who may see the membership."""
    parties = await coalition.parties.find(ids)
    seen = [
        party.id
        for party in (parties[id] for id in ids if id in parties)
        if caller.sees_membership(party.brand_id, party.member_id)
    ]
    rows = await coalition.database.fetch(
        f"{_SELECT} WHERE t.book = ANY($1::smallint[]) AND t.source_id = ANY($2::uuid[])"
        " AND t.arrival_id IS NOT NULL AND a.id IS NULL AND r.id IS NULL"
        " ORDER BY t.created_at DESC, t.id DESC",
        list({book_of(id) for id in seen}),
        seen,
    )
    found: dict[UUID, list[Transfer]] = {id: [] for id in ids}
    for transfer in (await transfers_of(coalition, rows)).values():
        of_one = found[transfer.terms.source]
        if len(of_one) < MOST_SHOWN:
            of_one.append(transfer)
    return found


async def transfer_of_posting(coalition: Coalition, source: UUID, departure: UUID) -> Transfer:
    """The transfer by which points left a membership in a transaction."""
    rows = await coalition.database.fetch(
        f"{_SELECT} WHERE t.book = $1 AND t.source_id = $2 AND t.transaction_id = $3",
        book_of(source),
        source,
        departure,
    )
    (transfer,) = (await transfers_of(coalition, rows)).values()
    return transfer


_SELECT = """
SELECT t.id, t.source_id, t.destination_id, t.points_out, t.points_in, t.base_points,
       t.bonus_points, t.fee, t.terms, t.quote_id, t.transaction_id, t.created_at, t.arrives_at,
       t.arrival_id, a.id AS arrived, r.id AS reversal_id, r.points AS reversed_points,
       b.id AS arrival_reversal_id
FROM transfers t
LEFT JOIN transactions r ON r.book = t.book AND r.reverses = t.transaction_id
LEFT JOIN transactions a ON a.book = t.arrival_book AND a.id = t.arrival_id
LEFT JOIN transactions b ON b.book = t.arrival_book AND b.reverses = t.arrival_id
"""
"""Rows repeat a transfer for each of its reversals."""


async def transfers_of(coalition: Coalition, rows: Sequence[Row]) -> dict[UUID, Transfer]:
    """Transfers from rows that repeat a transfer for each of its reversals."""
    await learn_rules(coalition, rows)
    grouped: dict[UUID, list[Row]] = {}
    for row in rows:
        grouped.setdefault(as_uuid(row["id"]), []).append(row)
    return {id: _transfer(coalition, id, group) for id, group in grouped.items()}


def _transfer(coalition: Coalition, id: UUID, rows: Sequence[Row]) -> Transfer:
    row = rows[0]
    parts = {
        as_uuid(each["reversal_id"]): int(each["reversed_points"])
        for each in rows
        if each["reversal_id"] is not None
    }
    back = {as_uuid(each["arrival_reversal_id"]) for each in rows if each["arrival_reversal_id"]}
    departure = as_uuid(row["transaction_id"])
    arrival = None if row["arrival_id"] is None else as_uuid(row["arrival_id"])
    arrived = () if row["arrived"] is None else (as_uuid(row["arrived"]),)
    reversed_points = sum(parts.values())
    return Transfer(
        id=id,
        terms=terms_of_row(row, coalition),
        status=_status(arrival, arrived, reversed_points, row["points_out"]),
        quote_id=None if row["quote_id"] is None else as_uuid(row["quote_id"]),
        departure=departure,
        arrival=arrival,
        transactions=(departure, *arrived, *sorted({*parts, *back})),
        reversed_points=reversed_points,
        created_at=from_micros(row["created_at"]),
        arrives_at=from_micros(row["arrives_at"]),
    )


def _status(
    arrival: UUID | None, arrived: Sequence[UUID], reversed_points: int, points_out: int
) -> TransferStatus:
    if arrival is not None and not arrived:
        return TransferStatus.CANCELLED if reversed_points else TransferStatus.PENDING
    return TransferStatus.REVERSED if reversed_points == points_out else TransferStatus.COMPLETED


def _as_seen(caller: Caller, transfer: Transfer, parties: Found) -> Transfer | None:
    """The transfer as the caller may see it.

    Whoever sees only the side where points arrive does not see what it cost where they left; and a
    gift not before it has arrived.
    """
    source, destination = parties[transfer.terms.source], parties[transfer.terms.destination]
    if caller.sees_membership(source.brand_id, source.member_id):
        return transfer
    if not caller.sees_membership(destination.brand_id, destination.member_id):
        return None
    not_there = (TransferStatus.PENDING, TransferStatus.CANCELLED)
    if transfer.terms.is_gift and transfer.status in not_there:
        return None
    figures = transfer.terms.figures._replace(fee=0, fee_points=0)
    return replace(transfer, terms=replace(transfer.terms, figures=figures))
