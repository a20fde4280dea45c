"""Members: finding them, and their personal data. `brands.enrolment` makes them.

Whom a caller may not see is not there. The operator sees every member; a brand sees those who have
a membership at it; a member sees herself; an agency sees nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from brands.bounds import MAX_EXTERNAL_ID, is_storable
from brands.callers import Caller, CallerKind
from brands.clock import from_micros
from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.errors import BrandNotFound, InvalidInput, MemberNotFound
from brands.ids import book_of
from brands.naming.numbers import MAX_NUMBER

OPERATOR_NAMESPACE = "operator"


@dataclass(frozen=True, slots=True)
class Member:
    """A person. `external_id` is shown to her, the operator, and whoever gave it; else None."""

    id: UUID
    coalition_number: str
    external_id: str | None
    enrolled_at: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """A member's personal data, as far as it is known."""

    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    birth_date: date | None = None


@dataclass(frozen=True, slots=True)
class MemberBy:
    """How a member is named: in exactly one of four ways, or `InvalidInput`.

    `external_id` is looked up in the caller's own namespace; `membership` is (brand code, number).
    """

    id: UUID | None = None
    coalition_number: str | None = None
    external_id: str | None = None
    membership: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        ways = (self.id, self.coalition_number, self.external_id, self.membership)
        if sum(way is not None for way in ways) != 1:
            raise InvalidInput(reason="A member is named in exactly one way.")


def namespace_of(caller: Caller) -> str | None:
    """Whose external ids the caller speaks of: the brand's or the operator's own; else nobody's."""
    if caller.kind is CallerKind.BRAND:
        return str(caller.brand_id)
    return OPERATOR_NAMESPACE if caller.is_operator else None


async def find(coalition: Coalition, caller: Caller, by: MemberBy) -> Member | None:
    """The member so named, if the caller may see her. One statement, at most."""
    condition = _named(coalition, caller, by)
    if condition is None or caller.kind is CallerKind.AGENCY:
        return None
    return next(iter(await _members(coalition, caller, *condition)), None)


async def member_to_join(coalition: Coalition, caller: Caller, by: MemberBy) -> Member:
    """The member whom the caller wants to give a membership. Raises `MemberNotFound`.

    A brand may name by her coalition number, which she showed it, a member whom it has not seen
    before; in any other way only its own.
    """
    condition = _named(coalition, caller, by)
    found: list[Member] = []
    if condition is not None:
        if caller.kind is CallerKind.BRAND and by.coalition_number is not None:
            found = await _members_anywhere(coalition, caller, *condition)
        else:
            found = await _members(coalition, caller, *condition)
    if not found:
        raise MemberNotFound(path="member")
    return found[0]


async def members_by_id(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, Member]:
    """Those of the members that the caller may see. One statement, at most."""
    asked = visible_ids(caller, ids)
    if not asked:
        return {}
    found = await _members(
        coalition,
        caller,
        "m.book = ANY($1) AND m.id = ANY($2::uuid[])",
        [sorted({book_of(id) for id in asked}), asked],
    )
    return {member.id: member for member in found}


async def profiles_of(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, Profile]:
    """The profiles that there are and that the caller may see. One statement, at most.

    Hers to a member; to a brand those of its members, until the membership is closed; to the
    operator with the scope `pii`.
    """
    asked = visible_ids(caller, ids)
    if not asked or (caller.is_operator and "pii" not in caller.scopes):
        return {}
    rows = await coalition.database.fetch(
        "SELECT p.*, EXISTS (SELECT 1 FROM memberships s WHERE s.book = p.book"
        " AND s.member_id = p.member_id AND s.brand_id = $3 AND s.status = 'ACTIVE') AS at_brand"
        " FROM profiles p WHERE p.book = ANY($1) AND p.member_id = ANY($2::uuid[])",
        *(sorted({book_of(id) for id in asked}), asked, caller.brand_id),
    )
    own = frozenset[UUID]() if caller.brand_id is None else frozenset({caller.brand_id})
    return {
        as_uuid(row["member_id"]): _profile(row)
        for row in rows
        if caller.sees_profile(
            as_uuid(row["member_id"]), own if row["at_brand"] else frozenset[UUID]()
        )
    }


def visible_ids(caller: Caller, ids: Sequence[UUID]) -> list[UUID]:
    """Which members a caller may so much as ask for: an agency none, a member herself."""
    if caller.kind is CallerKind.AGENCY:
        return []
    if caller.kind is CallerKind.MEMBER:
        return [id for id in dict.fromkeys(ids) if id == caller.member_id]
    return list(dict.fromkeys(ids))


def _named(coalition: Coalition, caller: Caller, by: MemberBy) -> tuple[str, list[Any]] | None:
    """A condition on `members m` and its values; None where nobody could be so named.

    To a brand, a number at another brand names nobody: it may not learn whose that is.
    """
    if by.id is not None:
        return "m.book = $1 AND m.id = $2", [book_of(by.id), by.id]
    if by.coalition_number is not None:
        if not _could_be(by.coalition_number, MAX_NUMBER):
            return None
        return "m.coalition_number = $1", [by.coalition_number]
    if by.external_id is not None:
        owner = namespace_of(caller)
        if owner is None or not _could_be(by.external_id, MAX_EXTERNAL_ID):
            return None
        return "m.external_owner = $1 AND m.external_id = $2", [owner, by.external_id.strip()]
    assert by.membership is not None
    code, number = by.membership
    try:
        brand = coalition.registry.snapshot.brand(code)
    except BrandNotFound:
        return None
    foreign = caller.kind is CallerKind.BRAND and caller.brand_id != brand.id
    if foreign or not _could_be(number, MAX_NUMBER):
        return None
    condition = (
        "(m.book, m.id) IN (SELECT n.book, n.member_id FROM memberships n"
        " WHERE n.brand_id = $1 AND n.number = $2)"
    )
    return condition, [brand.id, number]


def _could_be(text: str, maximum: int) -> bool:
    return len(text) <= maximum and is_storable(text)


async def _members(
    coalition: Coalition, caller: Caller, condition: str, values: Sequence[Any]
) -> list[Member]:
    if caller.kind is CallerKind.BRAND:
        condition += (
            " AND EXISTS (SELECT 1 FROM memberships s WHERE s.book = m.book"
            f" AND s.member_id = m.id AND s.brand_id = ${len(values) + 1})"
        )
        values = [*values, caller.brand_id]
    found = await _members_anywhere(coalition, caller, condition, values)
    if caller.kind is CallerKind.MEMBER:
        return [member for member in found if member.id == caller.member_id]
    return found


async def _members_anywhere(
    coalition: Coalition, caller: Caller, condition: str, values: Sequence[Any]
) -> list[Member]:
    rows = await coalition.database.fetch(f"SELECT m.* FROM members m WHERE {condition}", *values)
    return [_member(caller, row) for row in rows]


def _member(caller: Caller, row: Row) -> Member:
    """A member as the caller sees her, from her row."""
    owns = row["external_owner"] == namespace_of(caller)
    shown = owns or caller.is_operator or caller.kind is CallerKind.MEMBER
    return Member(
        id=as_uuid(row["id"]),
        coalition_number=row["coalition_number"],
        external_id=row["external_id"] if shown else None,
        enrolled_at=from_micros(row["enrolled_at"]),
    )


def _profile(row: Row) -> Profile:
    born = row["birth_date"]
    return Profile(
        given_name=row["given_name"],
        family_name=row["family_name"],
        email=row["email"],
        birth_date=None if born is None else date.fromisoformat(born),
    )
