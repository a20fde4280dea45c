"""Claiming credit that is missing.

An agency claims for its traveller, a member for herself. An agency learns nothing of the number: a
claim for somebody else is taken like any other, and the brand's decision is all there is to it.
What was claimed or credited before is told to those alone who know of it anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from brands.callers import Caller
from brands.clock import from_micros, now_micros
from brands.coalition import Coalition
from brands.errors import LookupsThrottled, MembershipNotFound
from brands.ids import book_of, home_book, new_id
from brands.intents import claim_of
from brands.itineraries import facts_to_text
from brands.ledger.commands import Claim, Note, Outcome, Record
from brands.memberships import memberships_of
from brands.rejections import Rejection
from brands.suspension import require_active
from brands.travel.booking_steps import answered_before, part_of
from brands.travel.claim_forms import Asked, NewClaim, asked_of
from brands.travel.claim_records import (
    CLAIM_RECORD,
    EVIDENCE_RECORD,
    TRAVELLER_RECORD,
    accepted,
    refuse,
    step_record,
)
from brands.travel.claim_windows import closes_at
from brands.travel.claimed_before import (
    credited,
    duplicate,
    earlier_claims,
    require_few_waiting,
    tokens_of,
)
from brands.travel.claims import ClaimStatus, CreditClaim, claim_by_id
from brands.travel.flown import supplier_then
from brands.travel.journey_days import has_begun
from brands.travel.rejections import ClaimChanged, ClaimTooEarly, ClaimWindowClosed
from brands.verification import NumberAndName, guarded_lookup

CLAIM = "missingCreditClaim"


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim after what was done to it, as the caller may see it."""

    claim: CreditClaim
    replayed: bool


async def claim(coalition: Coalition, caller: Caller, given: NewClaim) -> Claimed:
    """Claims credit that is missing. For agencies and for members.

    Raises `NotPermitted`, `BrandNotFound`, `InvalidInput`, `BrandSuspended`, `TooManyClaims`,
    `LookupsThrottled`, and of a member `MembershipNotFound` for a number that is not hers. Refused
    for good: `ClaimTooEarly`, `ClaimWindowClosed`, `DuplicateClaim`, `AlreadyCredited`.
    """
    asked = asked_of(coalition, caller, given)
    new = asked.new
    key = claim_of(
        caller,
        given.idempotency_key,
        CLAIM,
        brand=asked.brand.id,
        number=asked.number,
        traveller=asked.written,
        facts=facts_to_text(new.facts),
        evidence=[(each.kind, each.value) for each in new.evidence],
    )
    home = home_book(f"{asked.claimant}/{asked.brand.id}/{asked.number}", coalition.books)
    try:
        outcome = await _done(coalition, caller, key, asked, home)
    except ClaimChanged:
        outcome = await _beaten(coalition, key, asked, home)
    return Claimed(await claim_by_id(coalition, caller, outcome.id), outcome.replayed)


async def _done(
    coalition: Coalition, caller: Caller, key: Claim, asked: Asked, home: int
) -> Outcome:
    """Has the books write the claim, or refuse it, or say again what the key was answered with."""
    if await answered_before(coalition, [key]):
        return await refuse(coalition, key, home, ClaimChanged())
    require_active(asked.brand, "loyalty.brand")  # not looked up now, it would be nobody's for good
    await require_few_waiting(coalition, asked)
    membership = await _whose(coalition, caller, asked)
    earlier = await earlier_claims(coalition, asked, membership)
    refusal = (
        _untimely(coalition, asked) or duplicate(asked, earlier) or await credited(coalition, asked)
    )
    if refusal is not None:
        return await refuse(coalition, key, home, refusal)
    made = new_id(home)
    note = Note(
        id=made,
        claim=key,
        operation=CLAIM,
        subject=made,
        tokens=tokens_of(home, asked, earlier),
        records=tuple(_records(coalition, caller, made, asked, membership)),
        request_id=caller.request_id,
    )
    return accepted(await coalition.ledger.submit(note))


async def _beaten(coalition: Coalition, key: Claim, asked: Asked, home: int) -> Outcome:
    """Refuses a claim that the claimant was faster with, under another key: with that one, now and
    whenever it is asked again."""
    first = duplicate(asked, await earlier_claims(coalition, asked, None))
    part = part_of(key, CLAIM, asked.brand.id)
    return await refuse(coalition, part, home, first or ClaimChanged())


async def _whose(coalition: Coalition, caller: Caller, asked: Asked) -> UUID | None:
    """The membership whose the number is, if the traveller's name is its member's; nobody's where
    the number is shut to everybody because of what others have tried. Raises `LookupsThrottled`
    where the caller is shut out, `MembershipNotFound`."""
    if asked.member_id is not None:
        at_brand = await memberships_of(coalition, caller, [asked.member_id], asked.brand.id)
        hers = next((m for m in at_brand[asked.member_id] if m.number == asked.number), None)
        if hers is None:
            raise MembershipNotFound(path="loyalty.number", name=asked.number)
        return hers.id
    who = asked.new.traveller
    assert who is not None
    row = NumberAndName(asked.brand.code, asked.new.number, who.surname, who.given_name)
    try:
        (found,) = await guarded_lookup(coalition, caller, [row])
    except LookupsThrottled as throttled:
        if throttled.path is not None:
            return None
        raise replace(throttled, path="loyalty.number") from None
    return found.party.id if found.party else None


def _untimely(coalition: Coalition, asked: Asked) -> Rejection | None:
    """Whether it is too early for a claim, or too late."""
    at, day = from_micros(now_micros()), asked.new.facts.travelled_on
    if not has_begun(asked.new.facts, at):
        return ClaimTooEarly(travelled_on=day.isoformat())
    terms = coalition.registry.snapshot.programs.terms(asked.brand.id, at)
    closed_at = closes_at(day, terms.claim_window_months, asked.brand.time_zone)
    return ClaimWindowClosed(closed_at=closed_at) if at >= closed_at else None


def _records(
    coalition: Coalition, caller: Caller, made: UUID, asked: Asked, membership: UUID | None
) -> Sequence[Record]:
    """The rows of a new claim."""
    at, home, new = now_micros(), book_of(made), asked.new
    supplier = supplier_then(coalition.registry.snapshot.programs, asked.brand.id, new.facts)
    named = (asked.agency_id, asked.member_id, asked.brand.id, asked.number, membership, supplier)
    records = [
        Record(CLAIM_RECORD, (home, made, *named, facts_to_text(new.facts), at)),
        step_record(made, 0, ClaimStatus.OPEN, caller.client, at),
    ]
    if asked.written is not None:
        records.append(Record(TRAVELLER_RECORD, (home, made, *asked.written)))
    for place, each in enumerate(new.evidence):
        shown = (each.kind.value, each.value)
        records.append(Record(EVIDENCE_RECORD, (home, made, place, *shown)))
    return records
