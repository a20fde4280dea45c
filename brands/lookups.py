"""Finding many members at once, each named in its own way, in one statement."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from brands.bounds import MAX_EXTERNAL_ID, is_storable
from brands.callers import Caller, CallerKind
from brands.clock import from_micros
from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.errors import BrandNotFound
from brands.ids import book_of
from brands.members import Member, MemberBy, namespace_of
from brands.naming.numbers import MAX_NUMBER

_COLUMNS = "SELECT m.*, {number} AS number, {brand} AS at_brand FROM members m"
_PLAIN = _COLUMNS.format(number="CAST(NULL AS text)", brand="CAST(NULL AS uuid)")
_NUMBERED = _COLUMNS.format(number="n.number", brand="n.brand_id")
_SEEN_BY_BRAND = (
    " AND EXISTS (SELECT 1 FROM memberships s WHERE s.book = m.book"
    " AND s.member_id = m.id AND s.brand_id = {brand})"
)


async def find_many(
    coalition: Coalition, caller: Caller, wanted: Sequence[MemberBy]
) -> dict[MemberBy, Member]:
    """Those of the members so named whom the caller may see; see `brands.members.find`.

    One statement, at most, however many and however they are named.
    """
    if caller.kind is CallerKind.AGENCY:
        return {}
    asked = _Asked(coalition, caller, wanted)
    if not asked.branches:
        return {}
    rows = await coalition.database.fetch(" UNION ALL ".join(asked.branches), *asked.values)
    found: dict[MemberBy, Member] = {}
    for row in rows:
        member = _member(caller, row)
        if caller.kind is CallerKind.MEMBER and member.id != caller.member_id:
            continue
        for by in asked.named_by(row):
            found[by] = member
    return found


def _member(caller: Caller, row: Row) -> Member:
    shown = row["external_owner"] == namespace_of(caller) or caller.kind is not CallerKind.BRAND
    return Member(
        id=as_uuid(row["id"]),
        coalition_number=row["coalition_number"],
        external_id=row["external_id"] if shown else None,
        enrolled_at=from_micros(row["enrolled_at"]),
    )


class _Asked:
    """The ways in which members are named, as branches of one statement and their values."""

    def __init__(self, coalition: Coalition, caller: Caller, wanted: Sequence[MemberBy]) -> None:
        self.branches: list[str] = []
        self.values: list[Any] = []
        self._brand = caller.brand_id if caller.kind is CallerKind.BRAND else None
        self._owner = namespace_of(caller)
        self._names = _names(coalition, caller, wanted)
        by_id, by_number, by_external_id, by_membership = self._names
        if by_id:
            self._add(
                f"{_PLAIN} WHERE m.book = ANY({{}}) AND m.id = ANY({{}}::uuid[])",
                sorted({book_of(id) for id in by_id}),
                list(by_id),
            )
        if by_number:
            self._add(f"{_PLAIN} WHERE m.coalition_number = ANY({{}})", list(by_number))
        if by_external_id:
            self._add(
                f"{_PLAIN} WHERE m.external_owner = {{}} AND m.external_id = ANY({{}})",
                self._owner,
                list(by_external_id),
            )
        if by_membership:
            self._add(
                f"{_NUMBERED} JOIN memberships n ON n.book = m.book AND n.member_id = m.id"
                " WHERE n.brand_id = ANY({}::uuid[]) AND n.number = ANY({})",
                list({brand for brand, _ in by_membership}),
                list({number for _, number in by_membership}),
            )

    def named_by(self, row: Row) -> list[MemberBy]:
        """Which of the names a row answers."""
        by_id, by_number, by_external_id, by_membership = self._names
        if row["number"] is not None:
            by = by_membership.get((as_uuid(row["at_brand"]), row["number"]))
            return [] if by is None else [by]
        names: list[MemberBy | None] = [
            by_id.get(as_uuid(row["id"])),
            by_number.get(row["coalition_number"]),
        ]
        if row["external_owner"] == self._owner and row["external_id"] is not None:
            names.append(by_external_id.get(row["external_id"]))
        return [by for by in names if by is not None]

    def _add(self, branch: str, *values: Any) -> None:
        places = (f"${place}" for place in range(len(self.values) + 1, 1_000))
        self.values += values
        if self._brand is not None:
            branch += _SEEN_BY_BRAND.format(brand="{}")
            self.values.append(self._brand)
        self.branches.append(branch.format(*(next(places) for _ in range(branch.count("{}")))))


_Names = tuple[
    Mapping[UUID, MemberBy],
    Mapping[str, MemberBy],
    Mapping[str, MemberBy],
    Mapping[tuple[UUID, str], MemberBy],
]


def _names(coalition: Coalition, caller: Caller, wanted: Sequence[MemberBy]) -> _Names:
    """The names that could be somebody's, by id, coalition number, external id, and membership."""
    by_id = {by.id: by for by in wanted if by.id is not None}
    by_number = {
        by.coalition_number: by for by in wanted if _could_be(by.coalition_number, MAX_NUMBER)
    }
    by_external_id = {
        by.external_id.strip(): by
        for by in wanted
        if by.external_id is not None
        and namespace_of(caller) is not None
        and _could_be(by.external_id, MAX_EXTERNAL_ID)
    }
    by_membership: dict[tuple[UUID, str], MemberBy] = {}
    for by in wanted:
        if by.membership is None or not _could_be(by.membership[1], MAX_NUMBER):
            continue
        try:
            brand = coalition.registry.snapshot.brand(by.membership[0])
        except BrandNotFound:
            continue
        # To a brand a number at another brand names nobody: it may not learn whose that is.
        if caller.kind is not CallerKind.BRAND or caller.brand_id == brand.id:
            by_membership[brand.id, by.membership[1]] = by
    return by_id, by_number, by_external_id, by_membership  # type: ignore[return-value]


def _could_be(text: str | None, maximum: int) -> bool:
    return text is not None and len(text) <= maximum and is_storable(text)
