"""Lists of claims: an agency's, a brand's, a membership's, by status; and claims for one journey.

What is in which list is kept by the database (`credit_claim_lists`), so that a page is found by its
place, however many claims there are before it or of another status.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.ids import book_of
from brands.itineraries import Facts, facts_from_text
from brands.travel.claims import ClaimStatus, CreditClaim, all_claims, seen_by


class ClaimsOf(NamedTuple):
    """Whose claims are listed: an agency's, a membership's, or those that concern a brand."""

    agency_id: UUID | None = None
    membership_id: UUID | None = None
    brand_id: UUID | None = None


async def page_of_claims(
    coalition: Coalition,
    caller: Caller,
    whose: ClaimsOf,
    size: int,
    *,
    after: UUID | None = None,
    status: ClaimStatus | None = None,
) -> list[CreditClaim]:
    """At most so many claims, the latest first, behind the one given; of one status, if one is
    given. None where the caller may not see whose they are. Three statements."""
    if not await _may_list(coalition, caller, whose):
        return []
    values: list[Any] = [next(each for each in whose if each is not None), size]
    conditions = ["owner_id = $1"]
    for column, value in (("status =", status), ("claim_id <", after)):
        if value is not None:
            values.append(value)
            conditions.append(f"{column} ${len(values)}")
    rows = await coalition.database.fetch(
        f"SELECT claim_id FROM credit_claim_lists WHERE {' AND '.join(conditions)}"
        " ORDER BY claim_id DESC LIMIT $2",
        *values,
    )
    found = await all_claims(coalition, [as_uuid(row["claim_id"]) for row in rows])
    return await seen_by(coalition, caller, found[::-1])


async def duplicates_of(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, list[CreditClaim]]:
    """For each of the claims, others for the same journey of the same traveller, the oldest first,
    of those that the caller may see. For brands and the operator; to anybody else there are none.
    Four statements, however many claims there are."""
    if not ids or caller.kind not in (CallerKind.BRAND, CallerKind.OPERATOR):
        return {}
    rows = await coalition.database.fetch(
        f"{_SELECT} WHERE book = ANY($1::smallint[]) AND id = ANY($2::uuid[])",
        list({book_of(id) for id in ids}),
        list(ids),
    )
    asked = [_journey(row) for row in rows]
    others = await _journeys(
        coalition,
        {each.brand_id for each in asked},
        {each.number for each in asked},
        {each.membership_id for each in asked if each.membership_id is not None},
    )
    alike = {
        each.id: [o.id for o in others if o.id != each.id and o.is_like(each)] for each in asked
    }
    found = await all_claims(coalition, list({id for those in alike.values() for id in those}))
    seen = {each.id: each for each in await seen_by(coalition, caller, found)}
    return {id: [seen[other] for other in those if other in seen] for id, those in alike.items()}


async def claims_like(
    coalition: Coalition, brand_id: UUID, number: str, membership_id: UUID | None, facts: Facts
) -> list[CreditClaim]:
    """The claims for a journey and a number, or a membership; whole, the oldest first. A statement,
    and two more where there are such claims."""
    linked = set() if membership_id is None else {membership_id}
    known = await _journeys(coalition, {brand_id}, {number}, linked)
    names = frozenset(facts.identities)
    return await all_claims(coalition, [each.id for each in known if each.names & names])


class _Journey(NamedTuple):
    """What a claim is for, and whose."""

    id: UUID
    brand_id: UUID
    number: str
    membership_id: UUID | None
    names: frozenset[str]

    def is_like(self, other: "_Journey") -> bool:
        """Whether another claim is for the same journey of the same traveller."""
        if self.names.isdisjoint(other.names):
            return False
        return (self.brand_id, self.number) == (other.brand_id, other.number) or (
            self.membership_id is not None and self.membership_id == other.membership_id
        )


_SELECT = "SELECT id, brand_id, number, membership_id, facts FROM credit_claims"


async def _journeys(
    coalition: Coalition, brands: set[UUID], numbers: set[str], memberships: set[UUID]
) -> list[_Journey]:
    """What is claimed for these numbers of these brands, or for memberships, the oldest first."""
    rows = await coalition.database.fetch(
        f"{_SELECT} WHERE brand_id = ANY($1::uuid[]) AND number = ANY($2::text[])"
        f" UNION {_SELECT} WHERE membership_id = ANY($3::uuid[]) ORDER BY id",
        *(list(brands), list(numbers), list(memberships)),
    )
    return [_journey(row) for row in rows]


def _journey(row: Row) -> _Journey:
    return _Journey(
        as_uuid(row["id"]),
        as_uuid(row["brand_id"]),
        row["number"],
        None if row["membership_id"] is None else as_uuid(row["membership_id"]),
        frozenset(facts_from_text(row["facts"]).identities),
    )


async def _may_list(coalition: Coalition, caller: Caller, whose: ClaimsOf) -> bool:
    if whose.agency_id is not None:
        return caller.sees_agency(whose.agency_id)
    if whose.brand_id is not None:
        return caller.acts_for_brand(whose.brand_id)
    assert whose.membership_id is not None
    party = (await coalition.parties.find([whose.membership_id])).get(whose.membership_id)
    return party is not None and caller.sees_membership(party.brand_id, party.member_id)
