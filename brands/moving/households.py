"""Households: members who agreed to pool their points; `brands.moving.pooling` is how they come to.

Who is in a household is for its members and the operator to know, and not even they see more of
each other than a first name and an initial.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.clock import from_micros
from brands.coalition import Coalition
from brands.database import Reader, Row, as_uuid
from brands.ids import book_of
from brands.members import visible_ids


@dataclass(frozen=True, slots=True)
class ShownName:
    """As much of a member's name as those see of it who are, or may come, in her household."""

    given_name: str | None
    family_initial: str | None


@dataclass(frozen=True, slots=True)
class HouseholdMember:
    """A member in a household `since` then. `coalition_number` is for herself and the operator,
    `name` for members, and for the operator with the scope `pii`; else None."""

    member_id: UUID
    coalition_number: str | None
    name: ShownName | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Household:
    """Members who pool, in the order in which they came."""

    id: UUID
    since: datetime
    members: tuple[HouseholdMember, ...]


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation, and who sent it (`HouseholdMember.name` says who sees that)."""

    id: UUID
    invited_at: datetime
    inviter: ShownName | None


async def household_of(coalition: Coalition, member_id: UUID) -> tuple[UUID, ...]:
    """The members of a member's household, herself included; nobody if she is in none."""
    rows = await coalition.database.fetch(
        "SELECT y.member_id FROM household_members x"
        " JOIN household_members y ON y.household_id = x.household_id AND y.status = 'ACTIVE'"
        " WHERE x.book = $1 AND x.member_id = $2 AND x.status = 'ACTIVE'"
        " ORDER BY y.answered_at, y.member_id",
        *(book_of(member_id), member_id),
    )
    return tuple(as_uuid(row["member_id"]) for row in rows)


async def share_household(coalition: Coalition, member_a: UUID, member_b: UUID) -> bool:
    """Whether two different members are in one household now. One statement."""
    rows = await coalition.database.fetch(
        "SELECT 1 AS shared FROM household_members x"
        " JOIN household_members y ON y.household_id = x.household_id AND y.status = 'ACTIVE'"
        " WHERE x.book = $1 AND x.member_id = $2 AND x.status = 'ACTIVE'"
        " AND y.book = $3 AND y.member_id = $4 AND y.id <> x.id",
        *(book_of(member_a), member_a, book_of(member_b), member_b),
    )
    return bool(rows)


async def households_of(
    coalition: Coalition, caller: Caller, member_ids: Sequence[UUID]
) -> dict[UUID, Household]:
    """The households that there are, by member: for herself and the operator. One statement, at
    most."""
    asked = _seen(caller, member_ids)
    if not asked:
        return {}
    rows = await coalition.database.fetch(
        "SELECT x.member_id AS asked, h.id, h.founded_at, y.member_id, y.answered_at,"
        " m.coalition_number, p.given_name, p.family_name FROM household_members x"
        " JOIN households h ON h.id = x.household_id"
        " JOIN household_members y ON y.household_id = x.household_id AND y.status = 'ACTIVE'"
        " JOIN members m ON m.book = y.book AND m.id = y.member_id"
        " LEFT JOIN profiles p ON p.book = y.book AND p.member_id = y.member_id"
        " WHERE x.book = ANY($1) AND x.member_id = ANY($2::uuid[]) AND x.status = 'ACTIVE'"
        " ORDER BY y.answered_at, y.member_id",
        *(sorted({book_of(id) for id in asked}), asked),
    )
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(as_uuid(row["asked"]), []).append(row)
    return {member_id: _household(caller, rows) for member_id, rows in found.items()}


async def invitations_of(
    coalition: Coalition, caller: Caller, member_ids: Sequence[UUID]
) -> dict[UUID, list[Invitation]]:
    """The open invitations that members were sent, the oldest first: for herself and the operator.

    Each member asked for has a list. One statement, at most.
    """
    found: dict[UUID, list[Invitation]] = {id: [] for id in member_ids}
    asked = _seen(caller, member_ids)
    if asked:
        condition = "r.book = ANY($1) AND r.member_id = ANY($2::uuid[])"
        values = [sorted({book_of(id) for id in asked}), asked]
        opened = await open_invitations(coalition.database, caller, condition, values)
        for member_id, invitation in opened:
            found[member_id].append(invitation)
    return found


def _seen(caller: Caller, member_ids: Sequence[UUID]) -> list[UUID]:
    """Whose households a caller may ask for."""
    return [] if caller.kind is CallerKind.BRAND else visible_ids(caller, member_ids)


async def open_invitations(
    reader: Reader, caller: Caller, condition: str, values: Sequence[Any]
) -> list[tuple[UUID, Invitation]]:
    """Open invitations `r`, the oldest first, each with whom it was sent to."""
    # Whoever sent one that is open is in the household still: her place tells her book.
    rows = await reader.fetch(
        "SELECT r.id, r.member_id, r.invited_at, p.given_name, p.family_name"
        " FROM household_members r JOIN household_members i ON i.household_id = r.household_id"
        " AND i.member_id = r.invited_by AND i.status = 'ACTIVE'"
        " LEFT JOIN profiles p ON p.book = i.book AND p.member_id = i.member_id"
        f" WHERE r.status = 'INVITED' AND {condition} ORDER BY r.invited_at, r.id",
        *values,
    )
    return [
        (
            as_uuid(row["member_id"]),
            Invitation(as_uuid(row["id"]), from_micros(row["invited_at"]), _name(caller, row)),
        )
        for row in rows
    ]


def _household(caller: Caller, rows: Sequence[Row]) -> Household:
    return Household(
        as_uuid(rows[0]["id"]),
        from_micros(rows[0]["founded_at"]),
        tuple(_member(caller, row) for row in rows),
    )


def _member(caller: Caller, row: Row) -> HouseholdMember:
    member_id = as_uuid(row["member_id"])
    knows_number = caller.is_operator or caller.member_id == member_id
    return HouseholdMember(
        member_id,
        row["coalition_number"] if knows_number else None,
        _name(caller, row),
        from_micros(row["answered_at"]),
    )


def _name(caller: Caller, row: Row) -> ShownName | None:
    if caller.is_operator and "pii" not in caller.scopes:
        return None
    family_name = unicodedata.normalize("NFC", row["family_name"] or "")
    return ShownName(row["given_name"], family_name[:1] or None)
