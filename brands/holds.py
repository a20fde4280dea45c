"""Holds: a member's points set aside by her brand, until they are captured or let go.

Captured points are redeemed at the membership's own brand, in part or whole; the rest is released.
Whether a hold is still pending is for the books to say, whatever races.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from brands.callers import Caller
from brands.clock import from_micros, now_micros
from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.errors import HoldNotFound, InvalidInput, NotPermitted
from brands.ids import book_of, new_id
from brands.intents import claim_of, reference_of, wording_of
from brands.ledger.chart import MONEY, AccountKind, TransactionKind, stripe
from brands.ledger.commands import EndHold, PlaceHold, Post, Posting
from brands.money import positive_points
from brands.parties import seen_party
from brands.suspension import unless_suspended

LONGEST_HOLD = timedelta(days=366)
_SECOND = timedelta(seconds=1)


class HoldStatus(StrEnum):
    """How a hold stands. It leaves PENDING once."""

    PENDING = "PENDING"
    CAPTURED = "CAPTURED"
    VOIDED = "VOIDED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Hold:
    """Points set aside. Of `points`, those `captured` were spent, by `transaction_id`."""

    id: UUID
    membership_id: UUID
    points: int
    captured: int
    status: HoldStatus
    placed_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    transaction_id: UUID | None


@dataclass(frozen=True, slots=True)
class Held:
    """The answer to a request about a hold: the hold as it stands now."""

    hold: Hold
    replayed: bool


async def place(
    coalition: Coalition,
    caller: Caller,
    membership_id: UUID,
    points: int,
    lasts: timedelta,
    idempotency_key: str,
) -> Held:
    """Sets points aside for one second to 366 days. For the brand, and for operators.

    Raises `MembershipNotFound`, `NotPermitted`, `PointsNotPositive`, `PointsOutOfRange`,
    `InvalidInput`, `InvalidIdempotencyKey`; sticky are `BrandSuspended`, `InsufficientPoints` and
    `MembershipClosed`.
    """
    claim = claim_of(
        caller,
        idempotency_key,
        "holdPlace",
        membership=membership_id,
        points=points,
        lasts=lasts // timedelta(microseconds=1),
    )
    positive_points(points)
    if not _SECOND <= lasts <= LONGEST_HOLD:
        raise InvalidInput(path="lasts", reason="A hold lasts from one second to 366 days.")
    party = await seen_party(coalition.parties, caller, membership_id)
    if not caller.acts_for_brand(party.brand_id):
        raise NotPermitted
    command = PlaceHold(
        id=new_id(book_of(membership_id)),
        claim=claim,
        account=membership_id,
        points=points,
        expires_at=now_micros() + lasts // timedelta(microseconds=1),
        request_id=caller.request_id,
    )
    brand = coalition.registry.snapshot.brand_by_id(party.brand_id)
    outcome = (await coalition.ledger.submit(unless_suspended(brand, command))).accepted()
    return Held((await _seen_hold(coalition, caller, outcome.id))[0], outcome.replayed)


async def capture(
    coalition: Coalition,
    caller: Caller,
    hold_id: UUID,
    points: int | None,
    idempotency_key: str,
    reference: str | None = None,
    description: str | None = None,
) -> Held:
    """Redeems held points, all of them or `points`, and releases the rest.

    Raises `HoldNotFound`, `NotPermitted`, `PointsNotPositive`, `PointsOutOfRange`, `InvalidInput`,
    `InvalidIdempotencyKey`; sticky are `HoldNotPending` and `CaptureExceedsHold`.
    """
    claim = claim_of(
        caller,
        idempotency_key,
        "holdCapture",
        hold=hold_id,
        points=points,
        reference=reference,
        description=description,
    )
    if points is not None:
        positive_points(points)
    reference = reference_of(reference)
    description = description and wording_of(description, "description")
    hold, brand = await _held_for(coalition, caller, hold_id)
    captured = hold.points if points is None else points
    value = coalition.registry.snapshot.valuation(brand).rates.redemption_rate
    command = Post(
        id=new_id(book_of(hold_id)),
        claim=claim,
        kind=TransactionKind.REDEMPTION,
        postings=redemption(hold.membership_id, brand, captured, value),
        points=captured,
        event_at=now_micros(),
        reference=reference,
        description=description,
        captures=hold_id,
        request_id=caller.request_id,
    )
    outcome = (await coalition.ledger.submit(command)).accepted()
    return Held((await _seen_hold(coalition, caller, hold_id))[0], outcome.replayed)


async def void(coalition: Coalition, caller: Caller, hold_id: UUID, idempotency_key: str) -> Held:
    """Lets held points go. Nothing is posted.

    Raises `HoldNotFound`, `NotPermitted`, `InvalidIdempotencyKey`; sticky is `HoldNotPending`.
    """
    claim = claim_of(caller, idempotency_key, "holdVoid", hold=hold_id)
    hold, _ = await _held_for(coalition, caller, hold_id)
    command = EndHold(
        id=new_id(book_of(hold_id)),
        claim=claim,
        hold=hold_id,
        account=hold.membership_id,
        request_id=caller.request_id,
    )
    outcome = (await coalition.ledger.submit(command)).accepted()
    return Held((await _seen_hold(coalition, caller, hold_id))[0], outcome.replayed)


async def holds_by_id(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, Hold]:
    """Those of the holds that are on memberships which the caller may see. One statement."""
    return {id: hold for id, (hold, _) in (await _seen_holds(coalition, caller, ids)).items()}


def redemption(membership_id: UUID, brand_id: UUID, points: int, value: int) -> tuple[Posting, ...]:
    """Points that a member spends at their own brand, which is paid their `value` each."""
    book = book_of(membership_id)
    pool = stripe(book, brand_id, AccountKind.POOL)
    payee = stripe(book, brand_id, AccountKind.SETTLEMENT)
    spent = stripe(book, brand_id, AccountKind.REDEEMED)
    return (
        Posting(brand_id, membership_id, spent, points),
        Posting(MONEY, pool, payee, points * value),
    )


async def _held_for(coalition: Coalition, caller: Caller, hold_id: UUID) -> tuple[Hold, UUID]:
    """A hold that the caller may end, and its brand."""
    hold, brand = await _seen_hold(coalition, caller, hold_id)
    if not caller.acts_for_brand(brand):
        raise NotPermitted
    return hold, brand


async def _seen_hold(coalition: Coalition, caller: Caller, hold_id: UUID) -> tuple[Hold, UUID]:
    found = await _seen_holds(coalition, caller, [hold_id])
    if hold_id not in found:
        raise HoldNotFound(path="hold", name=str(hold_id))
    return found[hold_id]


async def _seen_holds(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, tuple[Hold, UUID]]:
    """The holds that the caller may see, each with its brand."""
    rows = await coalition.database.fetch(
        "SELECT h.id, h.account_id, h.points, h.captured, h.status, h.placed_at, h.expires_at, "
        "h.ended_at, h.ended_by, s.member_id, s.brand_id "
        "FROM holds h JOIN memberships s ON s.book = h.book AND s.id = h.account_id "
        "WHERE h.book = ANY($1::smallint[]) AND h.id = ANY($2::uuid[])",
        sorted({book_of(id) for id in ids}),
        list(dict.fromkeys(ids)),
    )
    return {
        as_uuid(row["id"]): (_hold(row), as_uuid(row["brand_id"]))
        for row in rows
        if caller.sees_membership(as_uuid(row["brand_id"]), as_uuid(row["member_id"]))
    }


def _hold(row: Row) -> Hold:
    status, ended_at = HoldStatus(row["status"]), row["ended_at"]
    return Hold(
        id=as_uuid(row["id"]),
        membership_id=as_uuid(row["account_id"]),
        points=row["points"],
        captured=row["captured"],
        status=status,
        placed_at=from_micros(row["placed_at"]),
        expires_at=from_micros(row["expires_at"]),
        ended_at=None if ended_at is None else from_micros(ended_at),
        transaction_id=as_uuid(row["ended_by"]) if status is HoldStatus.CAPTURED else None,
    )
