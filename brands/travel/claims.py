"""Claims for credit that is missing, as they stand: who claims what, and what the brand answered.

What became of a claim is a row for each step, of which the last one holds. An agency sees the
claims that it made, and the operator all of them; a brand those for its program, and those that it
is to pay for; a member those that are linked to her. To anybody else they do not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
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
    WITHDRAWN = "WITHDRAWN"


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
    name is hers: when it was claimed or, at the latest, when it was approved. What the caller may
    not know is None, and `is_linked` with it.
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


async def claims_by_id(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, CreditClaim]:
    """Those of the claims that the caller may see, as far as she may see them."""
    return {
        each.id: each for each in await seen_by(coalition, caller, await all_claims(coalition, ids))
    }


async def claim_by_id(
    coalition: Coalition, caller: Caller, id: UUID, *, path: str = "claim"
) -> CreditClaim:
    """The claim of this id, as far as the caller may see it. Raises `ClaimNotFound`."""
    found = await claims_by_id(coalition, caller, [id])
    if id not in found:
        raise ClaimNotFound(path=path, name=str(id))
    return found[id]


async def whole_claim(
    coalition: Coalition, caller: Caller, id: UUID, *, path: str = "claim"
) -> CreditClaim:
    """The claim of this id, whole, if the caller may see it at all: of one reading, so that what is
    done to it is done to what she was found to be allowed to do it to. Raises `ClaimNotFound`."""
    found = await all_claims(coalition, [id])
    if not await seen_by(coalition, caller, found):
        raise ClaimNotFound(path=path, name=str(id))
    return found[0]


async def approved_by(
    coalition: Coalition, transactions: Sequence[UUID]
) -> dict[UUID, CreditClaim]:
    """The claims, whole, that have brought these transactions, as far as one has."""
    if not transactions:
        return {}
    rows = await coalition.database.fetch(
        f"{_SELECT} WHERE t.transaction_id = ANY($1::uuid[]) AND t.status = 'APPROVED'",
        list(transactions),
    )
    return {as_uuid(each["transaction_id"]): _claim(each, ()) for each in rows}


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


_SELECT = """
SELECT c.*, t.status, t.step, t.points, t.reason, t.transaction_id, t.recorded_at,
       p.surname, p.given_name, k.membership_id AS found_id
FROM credit_claims c
JOIN credit_claim_steps t ON t.book = c.book AND t.claim_id = c.id AND NOT EXISTS (
    SELECT 1 FROM credit_claim_steps n
    WHERE n.book = t.book AND n.claim_id = t.claim_id AND n.step = t.step + 1)
LEFT JOIN credit_claim_travellers p ON p.book = c.book AND p.claim_id = c.id
LEFT JOIN credit_claim_links k ON k.book = c.book AND k.claim_id = c.id
"""

_LAST_UNAPPEALED = 1
"""A claim is opened by its step 0 and decided or withdrawn by the next; an appeal makes it longer.
What is approved may be taken back by one more."""


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
    status = ClaimStatus(row["status"])
    membership = _id(row["membership_id"]) or _id(row["found_id"])
    decided = row["step"] - (status is ClaimStatus.VOIDED)
    return CreditClaim(
        id=as_uuid(row["id"]),
        agency_id=_id(row["agency_id"]),
        member_id=_id(row["member_id"]),
        brand_id=as_uuid(row["brand_id"]),
        number=row["number"],
        membership_id=membership,
        is_linked=membership is not None,
        supplier_id=as_uuid(row["supplier_id"]),
        facts=facts_from_text(row["facts"]),
        status=status,
        step=row["step"],
        is_appealed=decided > _LAST_UNAPPEALED,
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


async def seen_by(
    coalition: Coalition, caller: Caller, found: Sequence[CreditClaim]
) -> list[CreditClaim]:
    """Those of the claims that the caller may see, as far as she may see them."""
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
