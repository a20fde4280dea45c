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
    Three statements, however many claims there are."""
    if not ids or caller.kind not in (CallerKind.BRAND, CallerKind.OPERATOR):
        return {}
    rows = await coalition.database.fetch(
        f"{_PAIRS} AND o.brand_id = a.brand_id AND o.number = a.number"
        f" UNION {_PAIRS} AND o.membership_id = a.membership_id",
        list({book_of(id) for id in ids}),
        list(ids),
    )
    alike: dict[UUID, list[UUID]] = {}
    for row in rows:
        if _is_same_journey(row) and _is_told(caller, row):
            alike.setdefault(as_uuid(row["claim_id"]), []).append(as_uuid(row["other_id"]))
    found = await all_claims(coalition, list({id for those in alike.values() for id in those}))
    seen = {each.id: each for each in await seen_by(coalition, caller, found)}
    return {
        id: [seen[other] for other in sorted(those) if other in seen] for id, those in alike.items()
    }


async def claims_like(
    coalition: Coalition, brand_id: UUID, number: str, membership_id: UUID | None, facts: Facts
) -> list[CreditClaim]:
    """The claims for a journey and a number, or a membership; whole, the oldest first. A statement,
    and two more where there are such claims."""
    days = "travelled_on >= $4 AND begins_on <= $5"
    rows = await coalition.database.fetch(
        f"SELECT id, facts FROM credit_claims WHERE brand_id = $1 AND number = $2 AND {days}"
        f" UNION SELECT id, facts FROM credit_claims WHERE membership_id = $3 AND {days}",
        *(brand_id, number, membership_id),
        *(facts.begins_on.isoformat(), facts.travelled_on.isoformat()),
    )
    names = frozenset(facts.identities)
    found = [row for row in rows if not names.isdisjoint(_names(row["facts"]))]
    return await all_claims(coalition, [as_uuid(row["id"]) for row in found])


_PAIRS = """
SELECT a.id AS claim_id, a.brand_id, a.number, a.facts,
       o.id AS other_id, o.number AS other_number, o.facts AS other_facts
FROM credit_claims a
JOIN credit_claims o ON o.id <> a.id
    AND o.travelled_on >= a.begins_on AND o.begins_on <= a.travelled_on
WHERE a.book = ANY($1::smallint[]) AND a.id = ANY($2::uuid[])
"""
"""Claims, each with every other for a journey on one of its days."""


def _is_same_journey(row: Row) -> bool:
    return not _names(row["facts"]).isdisjoint(_names(row["other_facts"]))


def _is_told(caller: Caller, row: Row) -> bool:
    """Whether the caller may know that two claims are of one traveller: that two numbers, or two
    ways to write one, are the same member's is told to the program's brand alone."""
    return row["number"] == row["other_number"] or caller.acts_for_brand(as_uuid(row["brand_id"]))


def _names(facts: str) -> frozenset[str]:
    return frozenset(facts_from_text(facts).identities)


async def _may_list(coalition: Coalition, caller: Caller, whose: ClaimsOf) -> bool:
    if whose.agency_id is not None:
        return caller.sees_agency(whose.agency_id)
    if whose.brand_id is not None:
        return caller.acts_for_brand(whose.brand_id)
    assert whose.membership_id is not None
    party = (await coalition.parties.find([whose.membership_id])).get(whose.membership_id)
    return party is not None and caller.sees_membership(party.brand_id, party.member_id)
