"""What stands in the way of a claim: that the journey is claimed already, or credited.

Both are told to those alone who know of it anyway, an agency of what is its own and a member of
what is hers; to them, nothing here tells whether a number is the traveller's.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from brands.clock import now, to_micros
from brands.coalition import Coalition
from brands.errors import TooManyClaims
from brands.itineraries import MAX_NIGHTS, Stay, facts_from_text
from brands.ledger.commands import Token
from brands.rejections import Rejection
from brands.travel.claim_forms import Asked
from brands.travel.claim_lists import claims_like
from brands.travel.claims import ClaimStatus, CreditClaim
from brands.travel.flown import names_of, turns_of
from brands.travel.rejections import AlreadyCredited, DuplicateClaim

MAX_NAMES = 2
"""Under so many names an agency may have a journey rejected for one number: a name may have been
written wrongly, and that is not found out by trying one after the other."""

MAX_WAITING = 100
"""So many claims of one claimant for one number may wait for an answer."""

WITHDRAWN_FOR = timedelta(days=30)
"""So long a claim that was withdrawn counts as one that waits: what is claimed and withdrawn over
and over leaves a row each time."""

_CLAIMABLE_AGAIN = (ClaimStatus.VOIDED, ClaimStatus.WITHDRAWN)
"""What is so can be claimed again."""


async def earlier_claims(
    coalition: Coalition, asked: Asked, membership: UUID | None
) -> list[CreditClaim]:
    """Claims for the same journey that the claimant knows of, the oldest first: its own, and a
    member all that are linked to her."""
    hers = membership if asked.member_id is not None else None
    facts = asked.new.facts
    known = await claims_like(coalition, asked.brand.id, asked.number, hers, facts)
    return [
        each
        for each in known
        if asked.is_from(each) or (hers is not None and each.membership_id == hers)
    ]


async def require_few_waiting(coalition: Coalition, asked: Asked) -> None:
    """Raises `TooManyClaims` where as many of the claimant's claims for the number wait as may."""
    since = to_micros(now() - WITHDRAWN_FOR)
    (row,) = await coalition.database.fetch(
        "SELECT count(*) AS n FROM credit_claims c"
        " JOIN credit_claim_lists l ON l.claim_id = c.id AND l.owner_id = c.brand_id"
        " WHERE c.brand_id = $1 AND c.number = $2 AND (c.agency_id = $3 OR c.member_id = $3)"
        " AND (l.status IN ('OPEN', 'APPEALED') OR (l.status = 'WITHDRAWN' AND c.created_at > $4))",
        *(asked.brand.id, asked.number, asked.claimant, since),
    )
    if row["n"] >= MAX_WAITING:
        raise TooManyClaims(limit=MAX_WAITING)


def duplicate(asked: Asked, earlier: Sequence[CreditClaim]) -> Rejection | None:
    """Whether there is such a claim already. What was rejected is not claimed again by the same
    claimant, but once by an agency under another name."""
    own: list[CreditClaim] = []
    for each in earlier:
        if each.status is ClaimStatus.REJECTED:
            own += [each] if asked.is_from(each) else []
        elif each.status not in _CLAIMABLE_AGAIN:
            return DuplicateClaim(claim_id=each.id)
    same = [each for each in own if asked.is_same_name(each)]
    met = same or (own if len(own) >= MAX_NAMES else [])
    return DuplicateClaim(claim_id=met[-1].id) if met else None


def tokens_of(home: int, asked: Asked, earlier: Sequence[CreditClaim]) -> tuple[Token, ...]:
    """One for each name of the journey, and for how often the claimant has claimed it before."""
    who = f"{asked.claimant}/{asked.brand.id}/{asked.number}"
    own = [each for each in earlier if asked.is_from(each)]
    return tuple(
        Token(home, f"claimed:{who}/{name}/{sum(name in each.facts.identities for each in own)}")
        for name in asked.new.facts.identities
    )


async def credited(coalition: Coalition, asked: Asked) -> Rejection | None:
    """Whether the claimant knows that the journey is credited already: a member always does, an
    agency of its own bookings."""
    facts = asked.new.facts
    if asked.member_id is not None:
        (turns,) = await turns_of(coalition, [(asked.member_id, facts)])
        return AlreadyCredited() if turns.is_credited else None
    longest = timedelta(days=MAX_NIGHTS if isinstance(facts, Stay) else 0)
    rows = await coalition.database.fetch(
        "SELECT t.facts FROM booking_steps t"
        " JOIN bookings b ON b.book = t.book AND b.id = t.booking_id AND b.agency_id = $1"
        " WHERE t.brand_id = $2 AND t.number = $3 AND t.status = 'CREDITED'"
        " AND t.travelled_on >= $4 AND t.travelled_on <= $5 AND NOT EXISTS ("
        "SELECT 1 FROM booking_steps n"
        " WHERE n.book = t.book AND n.segment_id = t.segment_id AND n.step = t.step + 1)",
        *(asked.agency_id, asked.brand.id, asked.number),
        *(facts.begins_on.isoformat(), (facts.travelled_on + longest).isoformat()),
    )
    programs = coalition.registry.snapshot.programs
    names = set(names_of(programs, facts))
    booked = (names_of(programs, facts_from_text(row["facts"])) for row in rows)
    return AlreadyCredited() if any(not names.isdisjoint(each) for each in booked) else None
