"""Claims for missing credit, through the API: by an agency for a member, and by herself."""

from datetime import timedelta
from typing import Any

from brands.clock import now
from tests.gateway.booking import STAY, flight
from tests.gateway.stage import Json, Stage, key

LAST_WEEK = now().date() - timedelta(days=7)

CLAIM = """claim { id status reason number isAppealed isLinked points appeal
    traveller { surname } evidence { kind value } transaction { id } membership { id }
    supplier { code } program { code } agency { code }
    flight { carrier flightNumber } stay { property } duplicates { id } } replayed"""


def recent(number: int = 117, **more: Any) -> Json:
    """A flight of AERO's, a week ago."""
    return flight(number, departureDate=LAST_WEEK.isoformat(), **more)


def recent_stay() -> Json:
    """A stay at HOTEL, that ended a few days ago."""
    out = LAST_WEEK + timedelta(days=3)
    return STAY | {"checkIn": LAST_WEEK.isoformat(), "checkOut": out.isoformat()}


def claim_of(number: str, *, surname: str = "Lovelace", **more: Any) -> Json:
    """Ada's flight, for her number at AERO, unless something else is said."""
    journey = {} if "stay" in more else {"flight": recent()}
    return (
        {
            "loyalty": {"brand": "AERO", "number": number},
            "traveller": {"surname": surname, "givenName": "Ada"},
            "evidence": [{"kind": "BOARDING_PASS", "value": "SEQ 042"}],
            "idempotencyKey": key(),
        }
        | journey
        | more
    )


async def claim(stage: Stage, given: Json, who: str = "agency") -> str:
    """The id of what is claimed."""
    made = await stage.do("missingCreditClaim", given, CLAIM, who)
    assert made["errors"] == [], made
    identifier: str = made["claim"]["id"]
    return identifier


def decision(claim: str, verdict: str, **more: Any) -> Json:
    """What is decided on a claim."""
    said = {"claim": claim, "decision": verdict, "reason": "By the passenger list."}
    return said | {"idempotencyKey": key()} | more


async def decide(stage: Stage, claim: str, verdict: str, who: str = "aero", **more: Any) -> Json:
    """A claim, decided on."""
    return await stage.do("missingCreditDecide", decision(claim, verdict, **more), CLAIM, who)


def appeal_of(claim: str) -> Json:
    """An appeal."""
    return {"claim": claim, "statement": "She did fly.", "idempotencyKey": key()}


async def appeal(stage: Stage, claim: str, who: str = "agency") -> Json:
    """A claim, appealed against."""
    return await stage.do("missingCreditAppeal", appeal_of(claim), CLAIM, who)
