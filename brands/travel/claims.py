"""Claims for credit that is missing, as they stand: who claims what, and what the brand answered.

What became of a claim is a row for each step, of which the last one holds; whether its credit was
taken back since is read from what is flown. An agency sees the claims that it made, and the
operator all of them; a brand those for its program, and those that it is to pay for; a member those
that are linked to her. To anybody else they do not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.clock import from_micros
from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.errors import ClaimNotFound
from brands.ids import book_of
from brands.itineraries import Facts, facts_from_text
from brands.parties import Found
from brands.travel.bookings import Passenger


class ClaimStatus(StrEnum):
    """How far a claim has come."""

    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    APPEALED = "APPEALED"
    VOIDED = "VOIDED"
    """Approved, and taken back since."""


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    TICKET_NUMBER = "TICKET_NUMBER"
    BOARDING_PASS = "BOARDING_PASS"
    FOLIO = "FOLIO"
    RECEIPT = "RECEIPT"
    OTHER = "OTHER"


APPEAL = "APPEAL"
"""As what the statement of an appeal is stored, beside the evidence."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that shows that somebody has travelled: what is written on it, or about it."""

    kind: EvidenceKind
    value: str = field(repr=False)  # personal data, for no log


@dataclass(frozen=True, slots=True)
class CreditClaim:
    """A claim that a flight or stay is to be credited to a loyalty number of a brand.

    An agency has made it, or a member. `membership_id` is whose the number is, if the traveller's
    name is hers. What the caller may not know is None, and `is_linked` with it.
    """

    id: UUID
    agency_id: UUID | None
    member_id: UUID | None
    brand_id: UUID
    number: str
    membership_id: UUID | None
    is_linked: bool | None
    supplier_id: UUID
    facts: Facts
    status: ClaimStatus
    step: int
    is_appealed: bool
    points: int | None
    reason: str | None
    transaction_id: UUID | None
    traveller: Passenger | None
    evidence: tuple[Evidence, ...]
    appeal: str | None = field(repr=False)
    created_at: datetime
    changed_at: datetime

    @property
    def is_undecided(self) -> bool:
        """Whether it waits for the brand."""
        return self.status in (ClaimStatus.OPEN, ClaimStatus.APPEALED)

    def names_same(self, facts: Facts) -> bool:
        """Whether it is for this flight or stay, under whichever of its names."""
        return not set(self.facts.identities).isdisjoint(facts.identities)


class ClaimsOf(NamedTuple):
    """Whose claims are listed: an agency's, a membership's, or those that concern a brand."""

    agency_id: UUID | None = None
    membership_id: UUID | None = None
    brand_id: UUID | None = None


async def claims_by_id(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, CreditClaim]:
    """Those of the claims that the caller may see, as far as she may see them."""
    return {
        each.id: each
        for each in await _seen_by(coalition, caller, await all_claims(coalition, ids))
    }


async def claim_by_id(
    coalition: Coalition, caller: Caller, id: UUID, *, path: str = "claim"
) -> CreditClaim:
    """The claim of this id, as far as the caller may see it. Raises `ClaimNotFound`."""
    found = await claims_by_id(coalition, caller, [id])
    if id not in found:
        raise ClaimNotFound(path=path, name=str(id))
    return found[id]


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
    given. None where the caller may not see whose they are. Two statements."""
    if not await _may_list(coalition, caller, whose):
        return []
    values: list[Any] = [next(each for each in whose if each is not None), size]
    conditions = [_WHOSE[whose.index(values[0])]]
    for condition, value in (("c.id < ${}", after), (f"{STATUS_OF_CLAIM} = ${{}}", status)):
        if value is not None:
            values.append(value)
            conditions.append(condition.format(len(values)))
    rows = await coalition.database.fetch(
        f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY c.id DESC LIMIT $2", *values
    )
    return await _seen_by(coalition, caller, await _claims(coalition, rows))


async def duplicates_of(
    coalition: Coalition, caller: Caller, claim: CreditClaim
) -> list[CreditClaim]:
    """Other claims for the same journey of the same traveller, the oldest first, of those that the
    caller may see. For brands and the operator; to anybody else there are none."""
    if caller.kind not in (CallerKind.BRAND, CallerKind.OPERATOR):
        return []
    whole = (await all_claims(coalition, [claim.id]))[0]
    others = await _seen_by(coalition, caller, await similar_claims(coalition, whole))
    return [each for each in others if each.id != claim.id and each.names_same(whole.facts)]


async def similar_claims(coalition: Coalition, claim: CreditClaim) -> list[CreditClaim]:
    """All claims for the same number or the same membership, whole, the oldest first."""
    return await claims_for(coalition, claim.brand_id, claim.number, claim.membership_id)


async def claims_for(
    coalition: Coalition, brand_id: UUID, number: str, membership_id: UUID | None
) -> list[CreditClaim]:
    """All claims for a number or a membership, whole, the oldest first."""
    conditions, values = "c.brand_id = $1 AND c.number = $2", [brand_id, number]
    if membership_id is not None:
        conditions = f"({conditions}) OR c.membership_id = $3"
        values.append(membership_id)
    rows = await coalition.database.fetch(f"{_SELECT} WHERE {conditions} ORDER BY c.id", *values)
    return await _claims(coalition, rows)


async def all_claims(coalition: Coalition, ids: Sequence[UUID]) -> list[CreditClaim]:
    """The claims of these ids, whole: for services that ask who may by themselves."""
    if not ids:
        return []
    rows = await coalition.database.fetch(
        f"{_SELECT} WHERE c.book = ANY($1::smallint[]) AND c.id = ANY($2::uuid[]) ORDER BY c.id",
        list({book_of(id) for id in ids}),
        list(ids),
    )
    return await _claims(coalition, rows)


STATUS_OF_CLAIM = """CASE WHEN t.status = 'APPROVED' AND EXISTS (
    SELECT 1 FROM flown f JOIN flown u ON u.book = f.book AND u.member_id = f.member_id
        AND u.flight = f.flight AND u.turn = f.turn AND u.undone = 1
    WHERE f.subject_id = c.id AND f.undone = 0) THEN 'VOIDED' ELSE t.status END"""
"""Of a claim `c` whose last step is `t`."""

_SELECT = f"""
SELECT c.*, {STATUS_OF_CLAIM} AS status,
       t.step, t.points, t.reason, t.transaction_id, t.recorded_at, p.surname, p.given_name
FROM credit_claims c
JOIN credit_claim_steps t ON t.book = c.book AND t.claim_id = c.id AND NOT EXISTS (
    SELECT 1 FROM credit_claim_steps n
    WHERE n.book = t.book AND n.claim_id = t.claim_id AND n.step = t.step + 1)
LEFT JOIN credit_claim_travellers p ON p.book = c.book AND p.claim_id = c.id
"""

_WHOSE = (
    "c.agency_id = $1",
    "c.membership_id = $1",
    "(c.brand_id = $1 OR c.supplier_id = $1)",
)
"""In the order of `ClaimsOf`."""

_LAST_UNAPPEALED = 1
"""A claim is opened by its step 0 and decided by the next; an appeal makes it longer."""


async def _claims(coalition: Coalition, rows: Sequence[Row]) -> list[CreditClaim]:
    if not rows:
        return []
    ids = [as_uuid(row["id"]) for row in rows]
    shown = await coalition.database.fetch(
        "SELECT claim_id, kind, words FROM credit_claim_evidence"
        " WHERE book = ANY($1::smallint[]) AND claim_id = ANY($2::uuid[]) ORDER BY place",
        list({book_of(id) for id in ids}),
        ids,
    )
    words: dict[UUID, list[tuple[str, str]]] = {id: [] for id in ids}
    for row in shown:
        words[as_uuid(row["claim_id"])].append((row["kind"], row["words"]))
    return [_claim(row, words[id]) for id, row in zip(ids, rows, strict=True)]


def _claim(row: Row, words: Sequence[tuple[str, str]]) -> CreditClaim:
    return CreditClaim(
        id=as_uuid(row["id"]),
        agency_id=_id(row["agency_id"]),
        member_id=_id(row["member_id"]),
        brand_id=as_uuid(row["brand_id"]),
        number=row["number"],
        membership_id=_id(row["membership_id"]),
        is_linked=row["membership_id"] is not None,
        supplier_id=as_uuid(row["supplier_id"]),
        facts=facts_from_text(row["facts"]),
        status=ClaimStatus(row["status"]),
        step=row["step"],
        is_appealed=row["step"] > _LAST_UNAPPEALED,
        points=row["points"],
        reason=row["reason"],
        transaction_id=_id(row["transaction_id"]),
        traveller=None if row["surname"] is None else Passenger(row["surname"], row["given_name"]),
        evidence=tuple(
            Evidence(EvidenceKind(kind), each) for kind, each in words if kind != APPEAL
        ),
        appeal=next((each for kind, each in words if kind == APPEAL), None),
        created_at=from_micros(row["created_at"]),
        changed_at=from_micros(row["recorded_at"]),
    )


def _id(value: Any) -> UUID | None:
    return None if value is None else as_uuid(value)


async def _may_list(coalition: Coalition, caller: Caller, whose: ClaimsOf) -> bool:
    if whose.agency_id is not None:
        return caller.sees_agency(whose.agency_id)
    if whose.brand_id is not None:
        return caller.acts_for_brand(whose.brand_id)
    assert whose.membership_id is not None
    party = (await coalition.parties.find([whose.membership_id])).get(whose.membership_id)
    return party is not None and caller.sees_membership(party.brand_id, party.member_id)


async def _seen_by(
    coalition: Coalition, caller: Caller, found: Sequence[CreditClaim]
) -> list[CreditClaim]:
    linked: Found = {}
    if caller.kind is CallerKind.MEMBER:
        memberships = [each.membership_id for each in found if each.membership_id is not None]
        linked = await coalition.parties.find(memberships)
    shown = (_as_seen(caller, each, linked) for each in found)
    return [each for each in shown if each is not None]


def _as_seen(caller: Caller, claim: CreditClaim, linked: Found) -> CreditClaim | None:
    """The claim as the caller may see it, if she may.

    An agency is told neither whether the number is its traveller's, nor how many points there are;
    a supplier is not told the first of another program's numbers. An operator without the scope
    `pii` sees no names and no evidence.
    """
    if caller.is_operator:
        hidden = replace(claim, traveller=None, evidence=(), appeal=None)
        return claim if "pii" in caller.scopes else hidden
    if caller.kind is CallerKind.AGENCY:
        if claim.agency_id is None or not caller.sees_agency(claim.agency_id):
            return None
        return replace(claim, membership_id=None, is_linked=None, points=None, transaction_id=None)
    if caller.kind is CallerKind.BRAND:
        if caller.brand_id == claim.brand_id:
            return claim
        supplied = replace(claim, membership_id=None, is_linked=None)
        return supplied if caller.brand_id == claim.supplier_id else None
    party = None if claim.membership_id is None else linked.get(claim.membership_id)
    seen = party is not None and caller.sees_membership(party.brand_id, party.member_id)
    return claim if seen else None
