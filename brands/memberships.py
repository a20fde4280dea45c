"""Memberships: a member at a brand, with the brand's own number and one points account.

A membership's id is also its points account's. The operator sees every membership, a brand its
own, a member hers; to anybody else they do not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from brands.actions import Action, record
from brands.callers import Caller, CallerKind
from brands.clock import NEVER, Micros, from_micros, to_micros
from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.errors import (
    AlreadyMember,
    InvalidInput,
    MembershipNotFound,
    NotPermitted,
    NumberTaken,
)
from brands.ids import book_of, new_id
from brands.joining import ATTEMPTS, CONTENTION, Joined, Seat, checked_number, join, taken_numbers
from brands.members import MemberBy, member_to_join, visible_ids
from brands.registry import Brand
from brands.suspension import require_active


class MembershipStatus(StrEnum):
    """Whether points can still move on it."""

    ACTIVE = "ACTIVE"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Membership:
    """A member at a brand. Of the `posted` points, those `held` are set aside."""

    id: UUID
    member_id: UUID
    brand_id: UUID
    number: str
    status: MembershipStatus
    joined_at: datetime
    posted: int
    held: int


@dataclass(frozen=True, slots=True)
class Lot:
    """What is left of the points of one credit. Without `expires_at` they do not expire."""

    transaction_id: UUID
    amount: int
    remaining: int
    held: int
    earned_at: datetime
    expires_at: datetime | None


async def memberships_of(
    coalition: Coalition,
    caller: Caller,
    member_ids: Sequence[UUID],
    brand_id: UUID | None = None,
) -> dict[UUID, list[Membership]]:
    """The memberships that the caller may see, by member, in the order in which they were joined.

    Each member asked for has a list; `brand_id` narrows them to one brand. One statement, at most.
    """
    found: dict[UUID, list[Membership]] = {id: [] for id in member_ids}
    asked = visible_ids(caller, member_ids)
    if asked:
        condition, values = "s.book = ANY($1) AND s.member_id = ANY($2::uuid[])", _places(asked)
        if brand_id is not None:
            condition, values = f"{condition} AND s.brand_id = $3", [*values, brand_id]
        for membership in await _memberships(coalition, caller, condition, values):
            found[membership.member_id].append(membership)
    return found


async def memberships_by_id(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, Membership]:
    """Those of the memberships that the caller may see. One statement, at most."""
    found = await _by_id(coalition, caller, ids)
    return {membership.id: membership for membership in found}


async def membership_by_id(coalition: Coalition, caller: Caller, id: UUID) -> Membership:
    """The membership of this id. Raises `MembershipNotFound`."""
    found = await _by_id(coalition, caller, [id])
    if not found:
        raise MembershipNotFound(name=str(id))
    return found[0]


async def balance_at(coalition: Coalition, caller: Caller, id: UUID, at: datetime) -> int:
    """The points posted to a membership up to an instant, as recorded by then.

    Raises `MembershipNotFound`, `InvalidInput` (no offset).
    """
    balances = await balances_at(coalition, caller, [id], at)
    if id not in balances:
        raise MembershipNotFound(name=str(id))
    return balances[id]


async def balances_at(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID], at: datetime
) -> dict[UUID, int]:
    """`balance_at` of those of the memberships that the caller may see. One statement, at most."""
    if at.tzinfo is None:
        raise InvalidInput(path="at", reason="A time has an offset.")
    if not ids or caller.kind is CallerKind.AGENCY:
        return {}
    rows = await coalition.database.fetch(
        "SELECT s.id, s.member_id, s.brand_id, coalesce((SELECT e.balance FROM entries e"
        " WHERE e.book = s.book AND e.account_id = s.id AND e.recorded_at <= $3"
        " ORDER BY e.recorded_at DESC, e.version DESC LIMIT 1), 0) AS balance"
        " FROM memberships s WHERE s.book = ANY($1) AND s.id = ANY($2::uuid[])",
        *(*_places(ids), to_micros(at)),
    )
    return {as_uuid(row["id"]): row["balance"] for row in rows if _sees(caller, row)}


async def lots_of(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, list[Lot]]:
    """The lots with points left, in the order in which debits will use them, by membership.

    Each membership asked for has a list, empty if the caller may not see it. One statement, at
    most.
    """
    found: dict[UUID, list[Lot]] = {id: [] for id in ids}
    if not ids or caller.kind is CallerKind.AGENCY:
        return found
    rows = await coalition.database.fetch(
        "SELECT s.id, s.member_id, s.brand_id, l.transaction_id, l.amount, l.remaining, l.held,"
        " l.earned_at, l.expires_at FROM memberships s"
        " JOIN lots l ON l.book = s.book AND l.account_id = s.id AND l.spent = 0"
        " WHERE s.book = ANY($1) AND s.id = ANY($2::uuid[])"
        " ORDER BY l.expires_at, l.earned_at, l.transaction_id",
        *_places(ids),
    )
    for row in rows:
        if _sees(caller, row):
            found[as_uuid(row["id"])].append(_lot(row))
    return found


async def open_membership(
    coalition: Coalition,
    caller: Caller,
    by: MemberBy,
    brand_code: str,
    number: str | None = None,
) -> Membership:
    """Makes a member a member at a brand too, under this number or a generated one.

    For the operator and the brand. Raises `BrandNotFound`, `NotPermitted`, `BrandSuspended`,
    `MemberNotFound`, `NumberMalformed`, `NumberTaken`, `AlreadyMember` (a closed membership is
    one), `InvalidInput`.
    """
    if caller.kind not in (CallerKind.OPERATOR, CallerKind.BRAND):
        raise NotPermitted
    brand = coalition.registry.snapshot.brand(brand_code, path="brand")
    if not caller.acts_for_brand(brand.id):
        raise NotPermitted
    require_active(brand, "brand")
    number = checked_number(brand, number, "number")
    member = await member_to_join(coalition, caller, by)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _open(coalition, caller, member.id, brand, number)
        except CONTENTION:
            await _refuse_if_taken(coalition, member.id, brand, number)
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


async def close_membership(coalition: Coalition, caller: Caller, id: UUID) -> Membership:
    """Closes a membership: no points move on it any more. Closing it again changes nothing.

    For the operator and the brand. Raises `MembershipNotFound`, `NotPermitted`.
    """
    membership = await membership_by_id(coalition, caller, id)
    if not caller.acts_for_brand(membership.brand_id):
        raise NotPermitted
    place = (book_of(id), id)
    async with coalition.database.transaction() as tx:
        # The account first: that row is what postings lock, and they see it closed from then on.
        await tx.fetch(
            "UPDATE accounts SET closed = 1, revision = revision + 1 WHERE book = $1 AND id = $2",
            *place,
        )
        now = await tx.now()
        closed = await tx.fetch(
            "UPDATE memberships SET status = 'CLOSED', closed_at = $3"
            " WHERE book = $1 AND id = $2 AND status = 'ACTIVE' RETURNING id",
            *(*place, now),
        )
        if closed:
            await record(tx, caller, now, [Action("membership.close", str(id), {})])
    return await membership_by_id(coalition, caller, id)


def new_membership(joined: Joined, now: Micros) -> Membership:
    """A membership as it begins: active, with no points."""
    return Membership(
        id=joined.id,
        member_id=joined.member_id,
        brand_id=joined.brand.id,
        number=joined.number,
        status=MembershipStatus.ACTIVE,
        joined_at=from_micros(now),
        posted=0,
        held=0,
    )


async def _open(
    coalition: Coalition, caller: Caller, member_id: UUID, brand: Brand, number: str | None
) -> Membership:
    async with coalition.database.transaction() as tx:
        now = await tx.now()
        seat = Seat(new_id(book_of(member_id)), member_id, brand, number)
        (joined,) = await join(tx, [seat], now)
        details = {"member": member_id, "brand": brand.code}
        await record(tx, caller, now, [Action("membership.open", str(joined.id), details)])
    return new_membership(joined, now)


async def _refuse_if_taken(
    coalition: Coalition, member_id: UUID, brand: Brand, number: str | None
) -> None:
    """Says which of the names was taken, if one was; then another attempt would fare no better."""
    rows = await coalition.database.fetch(
        "SELECT id FROM memberships WHERE book = $1 AND member_id = $2 AND brand_id = $3",
        *(book_of(member_id), member_id, brand.id),
    )
    if rows:
        raise AlreadyMember(path="brand", brand=brand.code)
    if number is not None and await taken_numbers(coalition.database, [(brand.id, number)]):
        raise NumberTaken(path="number", brand=brand.code, number=number)


def _places(ids: Sequence[UUID]) -> list[Any]:
    """Ids as two values: the books that they name, and the ids."""
    return [sorted({book_of(id) for id in ids}), list(dict.fromkeys(ids))]


async def _by_id(coalition: Coalition, caller: Caller, ids: Sequence[UUID]) -> list[Membership]:
    if not ids or caller.kind is CallerKind.AGENCY:
        return []
    condition = "s.book = ANY($1) AND s.id = ANY($2::uuid[])"
    return await _memberships(coalition, caller, condition, _places(ids))


async def _memberships(
    coalition: Coalition, caller: Caller, condition: str, values: Sequence[Any]
) -> list[Membership]:
    rows = await coalition.database.fetch(
        "SELECT s.id, s.member_id, s.brand_id, s.number, s.status, s.joined_at,"
        " a.balance, a.held FROM memberships s JOIN accounts a ON a.book = s.book AND a.id = s.id"
        f" WHERE {condition} ORDER BY s.joined_at, s.id",
        *values,
    )
    return [_membership(row) for row in rows if _sees(caller, row)]


def _sees(caller: Caller, row: Row) -> bool:
    return caller.sees_membership(as_uuid(row["brand_id"]), as_uuid(row["member_id"]))


def _membership(row: Row) -> Membership:
    return Membership(
        id=as_uuid(row["id"]),
        member_id=as_uuid(row["member_id"]),
        brand_id=as_uuid(row["brand_id"]),
        number=row["number"],
        status=MembershipStatus(row["status"]),
        joined_at=from_micros(row["joined_at"]),
        posted=row["balance"],
        held=row["held"],
    )


def _lot(row: Row) -> Lot:
    expires_at = row["expires_at"]
    return Lot(
        transaction_id=as_uuid(row["transaction_id"]),
        amount=row["amount"],
        remaining=row["remaining"],
        held=row["held"],
        earned_at=from_micros(row["earned_at"]),
        expires_at=None if expires_at == NEVER else from_micros(expires_at),
    )
