"""Transfers: points that leave one membership and arrive at another, now of the same member only.

Whether there are points enough, whether a quote is spent or has expired, whether a membership is
closed: the books decide that, in the one command that also writes the transfer's own row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from brands.callers import Caller
from brands.clock import Micros, from_micros, now_micros, to_micros
from brands.coalition import Coalition
from brands.conversions import exact_ratio, postings
from brands.database import Row, as_uuid
from brands.errors import BrandNotFound, SameBrand, TransferNotFound
from brands.ids import book_of, new_id
from brands.intents import claim_of, wording_of
from brands.ledger.chart import TransactionKind
from brands.ledger.commands import Claim, Outcome, Post, Record, RecordKind, Refuse
from brands.money import Money, positive_points
from brands.quotes import (
    Quote,
    Terms,
    TransferRequest,
    quote_of_client,
    rates_as_text,
    rates_between,
    rates_of_request,
    terms_of,
    terms_of_row,
)
from brands.registry import Brand
from brands.rejections import PointsInBelowMinimum, QuoteUsed, Rejection, TokenSpent
from brands.reversals import take_back


class TransferStatus(StrEnum):
    """How far a transfer has come."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    REVERSED = "REVERSED"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer as made. `transactions` are the posting and whatever has reversed it since."""

    id: UUID
    terms: Terms
    status: TransferStatus
    quote_id: UUID | None
    transactions: tuple[UUID, ...]
    created_at: datetime
    arrives_at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """The answer to a request for a transfer, or for its reversal."""

    transfer: Transfer
    replayed: bool


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """So many points out become so many in, exactly; each side's worth where it is redeemed."""

    points_out: int
    points_in: int
    value_out: Money
    value_in: Money


TRANSFER_RECORD = RecordKind(
    "transfers",
    (
        ("book", "smallint"),
        ("id", "uuid"),
        ("client", "text"),
        ("source_id", "uuid"),
        ("destination_id", "uuid"),
        ("points_out", "bigint"),
        ("points_in", "bigint"),
        ("base_points", "bigint"),
        ("bonus_points", "bigint"),
        ("fee", "bigint"),
        ("terms", "text"),
        ("quote_id", "uuid"),
        ("transaction_id", "uuid"),
        ("created_at", "bigint"),
        ("arrives_at", "bigint"),
    ),
)


async def create(
    coalition: Coalition,
    caller: Caller,
    order: UUID | TransferRequest,
    minimum_points_in: int | None,
    idempotency_key: str,
) -> Made:
    """Makes a transfer: the one that a quote (by its id) has locked, or one at today's rates.

    Raises `QuoteNotFound` or what `rates_of_request` raises. Refused for good, whenever the key
    comes again: `TransferTooSmall`, `AmountTooLarge`, `PointsInBelowMinimum`, `QuoteExpired`,
    `QuoteUsed`, `MembershipClosed`, `InsufficientPoints`.
    """
    if minimum_points_in is not None:
        positive_points(minimum_points_in, path="minimumPointsIn")
    if isinstance(order, UUID):
        claim = claim_of(
            caller, idempotency_key, "transferCreate", quote=order, minimum=minimum_points_in
        )
        quote = await quote_of_client(coalition, caller, order)
        return await _make(coalition, caller, claim, quote.terms, minimum_points_in, quote)
    claim = claim_of(
        caller,
        idempotency_key,
        "transferCreate",
        source=order.source,
        destination=order.destination,
        points_out=order.points_out,
        points_in=order.points_in,
        minimum=minimum_points_in,
    )
    rates = await rates_of_request(coalition, caller, order)
    try:
        terms = terms_of(coalition, order, rates)
    except Rejection as rejection:
        return await _refuse(coalition, claim, order.source, rejection)
    return await _make(coalition, caller, claim, terms, minimum_points_in)


async def reverse(
    coalition: Coalition, caller: Caller, transfer_id: UUID, reason: str, idempotency_key: str
) -> Made:
    """Takes a whole transfer back at its original figures. For operators.

    Raises `NotPermitted`, `TransferNotFound`, `InvalidInput`. Refused for good:
    `AlreadyReversed`, and `InsufficientPoints` where the points that arrived are spent.
    """
    caller.require_operator()
    claim = claim_of(
        caller, idempotency_key, "transferReverse", transfer=transfer_id, reason=reason
    )
    reason = wording_of(reason, "reason")
    original = (await _transfer(coalition, caller, transfer_id)).transactions[0]
    outcome = await take_back(coalition, caller, claim, original, None, reason)
    return Made(await _transfer(coalition, caller, transfer_id), outcome.replayed)


async def transfers_by_id(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, Transfer]:
    """Those of the transfers that the caller may see: hers, or from or to the caller's brand."""
    rows = await coalition.database.fetch(
        f"{_SELECT} WHERE t.book = ANY($1::smallint[]) AND t.id = ANY($2::uuid[]) {_ORDER}",
        list({book_of(id) for id in ids}),
        list(ids),
    )
    return _transfers(coalition, [row for row in rows if _sees(caller, row)])


def exchange_rate(
    coalition: Coalition, from_code: str, to_code: str, at: datetime | None = None
) -> ExchangeRate:
    """What points of one brand become at another, by the rates at an instant, or now.

    Raises `BrandNotFound` and `SameBrand`.
    """
    source, destination = (
        _brand(coalition, code, path) for code, path in ((from_code, "from"), (to_code, "to"))
    )
    if source.id == destination.id:
        raise SameBrand(path="to", brand=to_code)
    ratio = exact_ratio(rates_between(coalition, source.id, destination.id, at))
    return ExchangeRate(
        ratio.points_out,
        ratio.points_in,
        Money(ratio.value_out, coalition.currency),
        Money(ratio.value_in, coalition.currency),
    )


def _brand(coalition: Coalition, code: str, path: str) -> Brand:
    try:
        return coalition.registry.snapshot.brand(code)
    except BrandNotFound as error:
        error.path = path
        raise


async def _make(
    coalition: Coalition,
    caller: Caller,
    claim: Claim,
    terms: Terms,
    minimum: int | None,
    quote: Quote | None = None,
) -> Made:
    if minimum is not None and terms.points_in < minimum:
        refusal = PointsInBelowMinimum(points_in=terms.points_in, minimum=minimum)
        return await _refuse(coalition, claim, terms.source, refusal)
    book = book_of(terms.source)
    id, transaction, now = new_id(book), new_id(book), now_micros()
    command = Post(
        id=transaction,
        claim=claim,
        kind=TransactionKind.CONVERSION,
        postings=postings(book, terms.source, terms.destination, terms.rates, terms.figures),
        points=terms.points_out,
        event_at=now,
        tokens=(f"quote:{quote.id}",) if quote else (),
        deadline=to_micros(quote.expires_at) if quote else None,
        records=(_record(book, id, caller.client, terms, quote, transaction, now),),
        request_id=caller.request_id,
    )
    outcome = await coalition.ledger.submit(command)
    if outcome.replayed or outcome.rejection is not None:
        return await _answer_again(coalition, terms.source, outcome)
    at = from_micros(now)
    quote_id = quote.id if quote else None
    made = Transfer(id, terms, TransferStatus.COMPLETED, quote_id, (transaction,), at, at)
    return Made(made, replayed=False)


async def _refuse(coalition: Coalition, claim: Claim, source: UUID, rejection: Rejection) -> Made:
    """Makes a refusal stick to its key; what the key was first answered with stands, if it was."""
    outcome = await coalition.ledger.submit(Refuse(new_id(book_of(source)), claim, rejection))
    return await _answer_again(coalition, source, outcome)


async def _answer_again(coalition: Coalition, source: UUID, outcome: Outcome) -> Made:
    """What a key was answered with before: the transfer as it stands now, or the refusal."""
    if isinstance(outcome.rejection, TokenSpent):
        raise QuoteUsed(path="quote", replayed=outcome.replayed)
    outcome.accepted()
    rows = await coalition.database.fetch(
        f"{_SELECT} WHERE t.book = $1 AND t.source_id = $2 AND t.transaction_id = $3 {_ORDER}",
        book_of(source),
        source,
        outcome.id,
    )
    (transfer,) = _transfers(coalition, rows).values()
    return Made(transfer, replayed=True)


def _record(
    book: int,
    id: UUID,
    client: str,
    terms: Terms,
    quote: Quote | None,
    transaction: UUID,
    now: Micros,
) -> Record:
    values: tuple[Any, ...] = (
        book,
        id,
        client,
        terms.source,
        terms.destination,
        *terms.figures,
        rates_as_text(terms.rates),
        quote.id if quote else None,
        transaction,
        now,
        now,
    )
    return Record(TRANSFER_RECORD, values)


_SELECT = """
SELECT t.id, t.source_id, t.destination_id, t.points_out, t.points_in, t.base_points,
       t.bonus_points, t.fee, t.terms, t.quote_id, t.transaction_id, t.created_at, t.arrives_at,
       s.member_id AS source_member, s.brand_id AS source_brand,
       d.member_id AS destination_member, d.brand_id AS destination_brand,
       r.id AS reversal_id, r.points AS reversed_points
FROM transfers t
JOIN memberships s ON s.book = t.book AND s.id = t.source_id
JOIN memberships d ON d.book = t.book AND d.id = t.destination_id
LEFT JOIN transactions r ON r.book = t.book AND r.reverses = t.transaction_id
"""
_ORDER = "ORDER BY t.id, r.id"


async def _transfer(coalition: Coalition, caller: Caller, id: UUID) -> Transfer:
    found = (await transfers_by_id(coalition, caller, [id])).get(id)
    if found is None:
        raise TransferNotFound(path="transfer", name=str(id))
    return found


def _sees(caller: Caller, row: Row) -> bool:
    return any(
        caller.sees_membership(as_uuid(row[f"{side}_brand"]), as_uuid(row[f"{side}_member"]))
        for side in ("source", "destination")
    )


def _transfers(coalition: Coalition, rows: Sequence[Row]) -> dict[UUID, Transfer]:
    """Transfers from rows that repeat a transfer for each of its reversals."""
    grouped: dict[UUID, list[Row]] = {}
    for row in rows:
        grouped.setdefault(as_uuid(row["id"]), []).append(row)
    return {id: _transfer_of(coalition, id, group) for id, group in grouped.items()}


def _transfer_of(coalition: Coalition, id: UUID, rows: Sequence[Row]) -> Transfer:
    row = rows[0]
    reversals = [each for each in rows if each["reversal_id"] is not None]
    gone = sum(each["reversed_points"] for each in reversals)
    return Transfer(
        id=id,
        terms=terms_of_row(row, coalition.currency),
        status=TransferStatus.REVERSED if gone == row["points_out"] else TransferStatus.COMPLETED,
        quote_id=None if row["quote_id"] is None else as_uuid(row["quote_id"]),
        transactions=(
            as_uuid(row["transaction_id"]),
            *(as_uuid(each["reversal_id"]) for each in reversals),
        ),
        created_at=from_micros(row["created_at"]),
        arrives_at=from_micros(row["arrives_at"]),
    )
