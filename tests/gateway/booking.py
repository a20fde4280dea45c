"""What an agency books for a member, through the API: terms of brands, flights and stays."""

from datetime import timedelta
from typing import Any

from brands.clock import now
from tests.gateway.stage import Json, Stage, key

CHART = [
    {"pointsPerSegment": 1_000, "bookingClasses": ["J"], "reason": "Business."},
    {"pointsPerSegment": 500, "carrier": "AE", "fareBasisPrefix": "Y"},
    {"pointsPerNight": 100, "carrier": "HOTEL"},
]

TRAVELLED = now().date() - timedelta(days=7)
"""When all of it began."""

FLIGHT: Json = {
    "carrier": "AE",
    "flightNumber": "0117",
    "origin": "LIS",
    "destination": "LHR",
    "departureDate": f"{TRAVELLED}",
    "departsAt": f"{TRAVELLED}T08:00:00Z",
    "arrivesAt": f"{TRAVELLED}T10:45:00Z",
    "operatingCarrier": "AE",
    "operatingFlightNumber": "117",
    "bookingClass": "J",
    "fareBasis": "JFLEX",
}
STAY: Json = {
    "property": "London 1",
    "chain": "HOTEL",
    "checkIn": f"{TRAVELLED}",
    "checkOut": f"{TRAVELLED + timedelta(days=3)}",
    "rateCode": "BAR",
}

SEGMENT = """id status reason number isLinked points changedAt
    program { code } supplier { code } membership { id } transaction { id }
    flight { carrier flightNumber origin departureDate } stay { property nights }"""
BOOKING = f"booking {{ id recordLocator segments {{ {SEGMENT} }} }} replayed"
RESULTS = f"results {{ segment {{ {SEGMENT} }} errors {{ code }} }} replayed"


def flight(number: int = 117, **more: Any) -> Json:
    """A flight of AERO's, a week ago."""
    return FLIGHT | {"flightNumber": str(number), "operatingFlightNumber": str(number)} | more


async def publish_terms(stage: Stage) -> None:
    """AERO flies as AE, HOTEL is a chain by its own name."""
    aero = {"brand": "AERO", "carriers": ["AE"], "pendingShown": True, "chart": CHART}
    for terms in (aero, {"brand": "HOTEL", "carriers": ["HOTEL"]}):
        assert (await stage.do("programTermsPublish", terms))["errors"] == []


def attachment(number: str, *, surname: str = "Lovelace", **more: Any) -> Json:
    """Ada's number at AERO for a flight, unless something else is said."""
    return {
        "recordLocator": key(),
        "passenger": {"surname": surname, "givenName": "Ada", "ticketNumber": "1234567890123"},
        "loyalty": {"brand": "AERO", "number": number},
        "segments": [FLIGHT],
        "idempotencyKey": key(),
    } | more


async def book(stage: Stage, given: Json, who: str = "agency") -> Json:
    """The booking, as the operator sees it."""
    made = await stage.do("bookingAttach", given, "booking { id }", who)
    assert made["errors"] == [], made
    return await look(stage, made["booking"]["id"])


async def look(stage: Stage, booking: str, who: str = "operator") -> Json:
    """A booking, as somebody sees it."""
    query = f"query B($id: ID!) {{ node(id: $id) {{ id ... on Booking {{ {_FIELDS} }} }} }}"
    found: Json = (await stage.data(query, {"id": booking}, who))["node"]
    return found


_FIELDS = f"recordLocator agency {{ code }} passenger {{ surname }} segments {{ {SEGMENT} }}"


async def confirm(stage: Stage, *segments: str, who: str = "aero", **more: Any) -> Json:
    """Segments, confirmed."""
    asked = [{"segment": each, **more} for each in segments]
    given = {"segments": asked, "idempotencyKey": key()}
    return await stage.do("bookingSegmentConfirm", given, RESULTS, who)
