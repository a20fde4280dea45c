"""Claims for missing credit, for tests: on the scene of `tests.brands.booked`."""

from typing import Any

from brands.callers import Caller
from brands.coalition import Coalition
from brands.itineraries import Flight, Stay
from brands.travel.bookings import Passenger, Segment
from brands.travel.claim_forms import NewClaim
from brands.travel.claim_segments import segments_shown
from brands.travel.claiming import Claimed, claim
from brands.travel.claims import CreditClaim, Evidence, EvidenceKind, all_claims
from brands.travel.deciding import Decision, Verdict, decide
from tests.brands.booked import Scene, flight
from tests.brands.stage import key

PASS = Evidence(EvidenceKind.BOARDING_PASS, "SEQ 042, SEAT 12A")


def new_claim(it: Scene, facts: Flight | Stay | None = None, **more: Any) -> NewClaim:
    """Ada's flight for AERO, unless something else is said."""
    brand = more.pop("brand", "AERO")
    said: dict[str, Any] = {
        "number": it.ada.named[brand].number,
        "traveller": Passenger("LOVELACE", "BEA MS"),
        "evidence": (PASS,),
        "idempotency_key": key(),
    }
    return NewClaim(brand=brand, facts=facts or flight(), **(said | more))


async def claimed(
    coalition: Coalition,
    it: Scene,
    facts: Flight | Stay | None = None,
    who: Caller | None = None,
    **more: Any,
) -> CreditClaim:
    """What is claimed, by an agency unless somebody else is named; whole."""
    made = await claim(coalition, who or it.sky, new_claim(it, facts, **more))
    return await whole(coalition, made.claim)


async def whole(coalition: Coalition, one: CreditClaim) -> CreditClaim:
    """A claim as it stands, whole."""
    return (await all_claims(coalition, [one.id]))[0]


async def segment_shown(coalition: Coalition, who: Caller, one: CreditClaim) -> Segment | None:
    """The segment that the caller sees beside a claim."""
    return (await segments_shown(coalition, who, [one])).get(one)


async def approve(
    coalition: Coalition, who: Caller, one: CreditClaim, points: int | None = None
) -> Claimed:
    """The claim, approved."""
    decision = Decision(one.id, Verdict.APPROVE, points, "Seen on the passenger list.", key())
    return await decide(coalition, who, decision)


async def reject(coalition: Coalition, who: Caller, one: CreditClaim) -> Claimed:
    """The claim, rejected."""
    decision = Decision(one.id, Verdict.REJECT, None, "Not on the passenger list.", key())
    return await decide(coalition, who, decision)
