"""Claiming credit that is missing, and appealing once against a refusal.

An agency claims for its traveller, a member for herself. An agency learns nothing of the number: a
claim for somebody else is taken like any other, and the brand's decision is all there is to it.
What was claimed or credited before is told to those alone who know of it anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from brands import bounds
from brands.callers import Caller, CallerKind
from brands.clock import from_micros, now_micros
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.errors import InvalidInput, LookupsThrottled, MembershipNotFound, NotPermitted
from brands.ids import book_of, home_book, new_id
from brands.intents import claim_of, wording_of
from brands.itineraries import Facts, Flight, checked_flight, checked_stay, facts_to_text
from brands.ledger.commands import Claim, Note, Outcome, Record, Token
from brands.memberships import memberships_of
from brands.naming.names import folded
from brands.naming.number_reading import bare, judge
from brands.naming.numbers import MAX_NUMBER
from brands.parties import Party
from brands.program_terms import supplier_of
from brands.registry import Brand
from brands.rejections import (
    AlreadyCredited,
    AppealNotPossible,
    ClaimChanged,
    ClaimTooEarly,
    ClaimWindowClosed,
    DuplicateClaim,
    Rejection,
)
from brands.travel.booking_steps import answered_before, refuse
from brands.travel.bookings import Passenger, SegmentStatus, all_bookings
from brands.travel.claim_records import (
    CLAIM_RECORD,
    EVIDENCE_RECORD,
    TRAVELLER_RECORD,
    accepted,
    step_record,
    token_of,
)
from brands.travel.claim_windows import closes_at
from brands.travel.claims import (
    APPEAL,
    ClaimStatus,
    CreditClaim,
    Evidence,
    claim_by_id,
    claims_for,
)
from brands.travel.flown import turns_of
from brands.verification import NumberAndName, guarded_lookup

CLAIM = "missingCreditClaim"
APPEALING = "missingCreditAppeal"

MAX_EVIDENCE = 10
MAX_VALUE = 500

_EARLIEST_DAY = timedelta(hours=14)
"""By so much a day begins earlier, where it begins first, than in UTC."""


@dataclass(frozen=True, slots=True)
class NewClaim:
    """A flight or stay that is to be credited to a number of a brand (its code), and what shows
    that it was made. A member need not say her name."""

    brand: str
    number: str
    traveller: Passenger | None
    facts: Facts
    evidence: tuple[Evidence, ...]
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim after what was done to it, as the caller may see it."""

    claim: CreditClaim
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """A claim in due form: by whom, for whom, and of what brand."""

    new: NewClaim
    brand: Brand
    number: str
    agency_id: UUID | None
    member_id: UUID | None

    @property
    def claimant(self) -> UUID:
        """Who claims."""
        claimant = self.agency_id or self.member_id
        assert claimant is not None
        return claimant

    def is_from(self, claim: CreditClaim) -> bool:
        """Whether another claim is of the same claimant."""
        return self.claimant in (claim.agency_id, claim.member_id)


async def claim(coalition: Coalition, caller: Caller, given: NewClaim) -> Claimed:
    """Claims credit that is missing. For agencies and for members.

    Raises `NotPermitted`, `BrandNotFound`, `InvalidInput`, `LookupsThrottled`, and of a member
    `MembershipNotFound` for a number that is not hers. Refused for good: `ClaimTooEarly`,
    `ClaimWindowClosed`, `DuplicateClaim`, `AlreadyCredited`.
    """
    asked = _asked(coalition, caller, given)
    new = asked.new
    key = claim_of(
        caller,
        given.idempotency_key,
        CLAIM,
        brand=asked.brand.id,
        number=asked.number,
        traveller=None if new.traveller is None else _written(new.traveller),
        facts=facts_to_text(new.facts),
        evidence=[(each.kind, each.value) for each in new.evidence],
    )
    home = home_book(f"{asked.claimant}/{asked.brand.id}/{asked.number}", coalition.books)
    if await answered_before(coalition, [key]):
        outcome = await refuse(coalition, key, home, ClaimChanged())
        return Claimed(await claim_by_id(coalition, caller, outcome.id), outcome.replayed)
    party = await _whose(coalition, caller, asked)
    earlier = await _earlier(coalition, asked, party)
    refusal = (
        _untimely(coalition, asked)
        or _duplicate(asked, earlier)
        or await _credited(coalition, asked, party)
    )
    if refusal is not None:
        outcome = await refuse(coalition, key, home, refusal)
    else:
        outcome = await _enter(coalition, caller, key, asked, party, earlier, home)
    return Claimed(await claim_by_id(coalition, caller, outcome.id), outcome.replayed)


async def appeal(
    coalition: Coalition, caller: Caller, claim_id: UUID, statement: str, idempotency_key: str
) -> Claimed:
    """Asks the brand to decide once more on a claim that it has rejected. For who has claimed.

    Raises `ClaimNotFound`, `NotPermitted`, `InvalidInput`. Refused for good: `AppealNotPossible`,
    `ClaimChanged`.
    """
    words = wording_of(statement, "statement")
    key = claim_of(caller, idempotency_key, APPEALING, claim=claim_id, statement=words)
    seen = await claim_by_id(coalition, caller, claim_id)
    if not _is_claimant(caller, seen):
        raise NotPermitted
    book, step = book_of(claim_id), seen.step + 1
    if seen.status is not ClaimStatus.REJECTED or seen.is_appealed:
        outcome = await refuse(coalition, key, book, AppealNotPossible(status=seen.status.value))
    else:
        at = now_micros()
        place = len(seen.evidence)
        note = Note(
            id=new_id(book),
            claim=key,
            operation=APPEALING,
            subject=claim_id,
            tokens=(token_of(seen),),
            records=(
                step_record(claim_id, step, ClaimStatus.APPEALED, caller.client, at),
                Record(EVIDENCE_RECORD, (book, claim_id, place, APPEAL, words)),
            ),
            request_id=caller.request_id,
        )
        outcome = accepted(await coalition.ledger.submit(note))
    return Claimed(await claim_by_id(coalition, caller, claim_id), outcome.replayed)


def _is_claimant(caller: Caller, claim: CreditClaim) -> bool:
    if caller.kind is CallerKind.AGENCY:
        return claim.agency_id is not None and claim.agency_id == caller.agency_id
    return caller.kind is CallerKind.MEMBER and claim.member_id == caller.member_id


def _written(traveller: Passenger) -> tuple[str, str | None]:
    return traveller.surname, traveller.given_name


def _asked(coalition: Coalition, caller: Caller, given: NewClaim) -> _Asked:
    """The same in due form. Raises `NotPermitted`, `BrandNotFound`, `InvalidInput`."""
    is_agency = caller.kind is CallerKind.AGENCY
    if (caller.agency_id if is_agency else caller.member_id) is None:
        raise NotPermitted
    if not 1 <= len(given.evidence) <= MAX_EVIDENCE:
        reason = f"Give 1 to {MAX_EVIDENCE} pieces of evidence."
        raise InvalidInput(path="evidence", reason=reason)
    evidence = tuple(
        replace(each, value=bounds.text(each.value, f"evidence.{place}.value", MAX_VALUE))
        for place, each in enumerate(given.evidence)
    )
    facts = (
        checked_flight(given.facts, "flight")
        if isinstance(given.facts, Flight)
        else checked_stay(given.facts, "stay")
    )
    new = replace(given, facts=facts, evidence=evidence, traveller=_traveller(given, is_agency))
    brand = coalition.registry.snapshot.brand(given.brand, path="loyalty.brand")
    written = bounds.text(given.number, "loyalty.number", MAX_NUMBER)
    number = judge(written, brand.number_format).number or bare(written)
    if is_agency:
        return _Asked(new, brand, number, caller.agency_id, None)
    return _Asked(new, brand, number, None, caller.member_id)


def _traveller(given: NewClaim, is_agency: bool) -> Passenger | None:
    who = given.traveller
    if who is None:
        if is_agency:
            raise InvalidInput(path="traveller", reason="An agency says who has travelled.")
        return None
    return Passenger(
        bounds.text(who.surname, "traveller.surname", bounds.MAX_NAME),
        bounds.optional_text(who.given_name, "traveller.givenName", bounds.MAX_NAME),
    )


async def _whose(coalition: Coalition, caller: Caller, asked: _Asked) -> Party | None:
    """Whose the number is, if the traveller's name is hers. Raises `LookupsThrottled`,
    `MembershipNotFound`."""
    if asked.member_id is not None:
        at_brand = await memberships_of(coalition, caller, [asked.member_id], asked.brand.id)
        hers = next((m for m in at_brand[asked.member_id] if m.number == asked.number), None)
        if hers is None:
            raise MembershipNotFound(path="loyalty.number", name=asked.number)
        return Party(hers.id, hers.member_id, hers.brand_id)
    who = asked.new.traveller
    assert who is not None
    row = NumberAndName(asked.brand.code, asked.new.number, who.surname, who.given_name)
    try:
        (found,) = await guarded_lookup(coalition, caller, [row])
    except LookupsThrottled as throttled:
        raise replace(throttled, path="loyalty.number") from None
    return found.party


async def _earlier(coalition: Coalition, asked: _Asked, party: Party | None) -> list[CreditClaim]:
    """Claims for the same journey that the claimant knows of: its own, and a member all that are
    linked to her."""
    hers = party.id if asked.member_id is not None and party is not None else None
    known = await claims_for(coalition, asked.brand.id, asked.number, hers)
    return [
        each
        for each in known
        if each.names_same(asked.new.facts)
        and (asked.is_from(each) or (hers is not None and each.membership_id == hers))
    ]


def _untimely(coalition: Coalition, asked: _Asked) -> Rejection | None:
    """Whether it is too early for a claim, or too late."""
    at, day = from_micros(now_micros()), asked.new.facts.travelled_on
    if at < datetime.combine(day, time(), UTC) - _EARLIEST_DAY:
        return ClaimTooEarly(travelled_on=day.isoformat())
    terms = coalition.registry.snapshot.programs.terms(asked.brand.id, at)
    closed_at = closes_at(day, terms.claim_window_months, asked.brand.time_zone)
    return ClaimWindowClosed(closed_at=closed_at) if at >= closed_at else None


def _duplicate(asked: _Asked, earlier: Sequence[CreditClaim]) -> Rejection | None:
    """Whether there is such a claim already. One that was rejected can be made again, if it was
    another's, or under another name."""
    for each in earlier:
        if each.status is ClaimStatus.VOIDED:
            continue
        if each.status is ClaimStatus.REJECTED and not (
            asked.is_from(each) and _is_same_name(asked.new.traveller, each.traveller)
        ):
            continue
        return DuplicateClaim(claim_id=each.id)
    return None


def _is_same_name(one: Passenger | None, other: Passenger | None) -> bool:
    """Names that are not known count as the same."""
    if one is None or other is None:
        return True
    return _folded(one) == _folded(other)


def _folded(who: Passenger) -> tuple[str, str]:
    return folded(who.surname), folded(who.given_name or "")


async def _credited(coalition: Coalition, asked: _Asked, party: Party | None) -> Rejection | None:
    """Whether the claimant knows that the journey is credited already: a member always does, an
    agency of its own bookings."""
    if asked.agency_id is None:
        assert party is not None
        (turns,) = await turns_of(coalition, [(party.member_id, asked.new.facts)])
        return AlreadyCredited() if turns.is_credited else None
    rows = await coalition.database.fetch(
        "SELECT DISTINCT s.booking_id FROM booking_segments s"
        " JOIN bookings b ON b.book = s.book AND b.id = s.booking_id"
        " WHERE s.identity = ANY($1::text[]) AND b.agency_id = $2",
        list(asked.new.facts.identities),
        asked.agency_id,
    )
    booked = await all_bookings(coalition, [as_uuid(row["booking_id"]) for row in rows])
    own = (each for booking in booked.values() for each in booking.segments)
    there = any(
        each.status is SegmentStatus.CREDITED
        and (each.brand_id, each.number) == (asked.brand.id, asked.number)
        and not set(each.facts.identities).isdisjoint(asked.new.facts.identities)
        for each in own
    )
    return AlreadyCredited() if there else None


async def _enter(
    coalition: Coalition,
    caller: Caller,
    key: Claim,
    asked: _Asked,
    party: Party | None,
    earlier: Sequence[CreditClaim],
    home: int,
) -> Outcome:
    """Has the books write the claim, unless the claimant was faster with the same one."""
    made = new_id(home)
    note = Note(
        id=made,
        claim=key,
        operation=CLAIM,
        subject=made,
        tokens=_tokens(home, asked, earlier),
        records=tuple(_records(coalition, caller, made, asked, party)),
        request_id=caller.request_id,
    )
    try:
        return accepted(await coalition.ledger.submit(note))
    except ClaimChanged as met:
        first = _duplicate(asked, await _earlier(coalition, asked, party))
        raise met if first is None else replace(first, replayed=met.replayed) from None


def _tokens(home: int, asked: _Asked, earlier: Sequence[CreditClaim]) -> tuple[Token, ...]:
    """One for each name of the journey, and for how often the claimant has claimed it before."""
    who = f"{asked.claimant}/{asked.brand.id}/{asked.number}"
    own = [each for each in earlier if asked.is_from(each)]
    return tuple(
        Token(home, f"claimed:{who}/{name}/{sum(name in each.facts.identities for each in own)}")
        for name in asked.new.facts.identities
    )


def _records(
    coalition: Coalition, caller: Caller, made: UUID, asked: _Asked, party: Party | None
) -> list[Record]:
    """The rows of a new claim."""
    at, home, new = now_micros(), book_of(made), asked.new
    programs = coalition.registry.snapshot.programs
    supplier = supplier_of(programs, asked.brand.id, new.facts, from_micros(at))
    whose = (asked.brand.id, asked.number, None if party is None else party.id)
    claimant = (asked.agency_id, asked.member_id)
    named = (home, made, *claimant, *whose, supplier)
    records = [
        Record(CLAIM_RECORD, (*named, facts_to_text(new.facts), at)),
        step_record(made, 0, ClaimStatus.OPEN, caller.client, at),
    ]
    if new.traveller is not None:
        records.append(Record(TRAVELLER_RECORD, (home, made, *_written(new.traveller))))
    for place, each in enumerate(new.evidence):
        shown = (each.kind.value, each.value)
        records.append(Record(EVIDENCE_RECORD, (home, made, place, *shown)))
    return records
