"""Claims for missing credit, through the API: what everybody is told, from the claim to the end."""

from datetime import timedelta

import pytest

from tests.gateway.booking import attachment, book, look, publish_terms
from tests.gateway.claiming import (
    CLAIM,
    LAST_WEEK,
    appeal,
    appeal_of,
    claim,
    claim_of,
    decide,
    decision,
    recent,
    recent_stay,
)
from tests.gateway.stage import Json, Stage, key
from tests.gateway.transferring import Somebody, somebody

VOID = "missingCreditVoid"


@pytest.fixture
async def ada(stage: Stage) -> Somebody:
    """Ada, a member of AERO, which flies as AE."""
    made = await somebody(stage, "ada", "Lovelace", "AERO")
    await publish_terms(stage)
    return made


async def balance(stage: Stage, ada: Somebody) -> int:
    """What Ada has at AERO."""
    query = "query B($id: ID!) { node(id: $id) { ... on Membership { balance { posted } } } }"
    data = await stage.data(query, {"id": ada.memberships["AERO"]})
    posted: int = data["node"]["balance"]["posted"]
    return posted


def codes(answer: Json) -> list[str]:
    """The codes of its errors."""
    return [each["code"] for each in answer["errors"]]


async def test_the_life_of_a_claim(stage: Stage, ada: Somebody) -> None:
    """Claimed by an agency, rejected, appealed against and approved: the points are there, the
    booking says so, and all of it can be taken back."""
    number = ada.numbers["AERO"]
    booked = await book(stage, attachment(number, segments=[recent()]))
    given = claim_of(number)
    made = await stage.do("missingCreditClaim", given, CLAIM, "agency")
    assert made["claim"] == {
        "id": made["claim"]["id"],
        "status": "OPEN",
        "reason": None,
        "number": number,
        "isAppealed": False,
        "isLinked": None,
        "points": None,
        "appeal": None,
        "traveller": {"surname": "Lovelace"},
        "evidence": [{"kind": "BOARDING_PASS", "value": "SEQ 042"}],
        "transaction": None,
        "membership": None,
        "supplier": {"code": "AERO"},
        "program": {"code": "AERO"},
        "agency": {"code": "SKYTRIP"},
        "flight": {"carrier": "AE", "flightNumber": "117"},
        "stay": None,
        "duplicates": [],
    }
    again = await stage.do("missingCreditClaim", given, CLAIM, "agency")
    assert (again["replayed"], again["claim"]) == (True, made["claim"])
    identifier = made["claim"]["id"]
    rejected = await decide(stage, identifier, "REJECT")
    assert (rejected["claim"]["status"], rejected["claim"]["isLinked"]) == ("REJECTED", True)
    appealed = await appeal(stage, identifier)
    assert (appealed["claim"]["status"], appealed["claim"]["appeal"]) == (
        "APPEALED",
        "She did fly.",
    )
    approved = await decide(stage, identifier, "APPROVE")
    assert (approved["claim"]["status"], approved["claim"]["points"]) == ("APPROVED", 1_000)
    assert await balance(stage, ada) == 1_000
    segments = (await look(stage, booked["id"]))["segments"]
    assert [each["status"] for each in segments] == ["CREDITED"]
    undo = {"claim": identifier, "reason": "A mistake.", "idempotencyKey": key()}
    ended = await stage.do(VOID, undo, CLAIM, "aero")
    assert (ended["claim"]["status"], await balance(stage, ada)) == ("VOIDED", 0)
    assert await stage.audit() == []


async def test_a_decision_says_who_has_operated_it(stage: Stage, ada: Somebody) -> None:
    """Who decides says by whom a flight was operated, and is told whose number is missing, or that
    the carrier is another brand's; the program's brand sees the segment that is credited."""
    booked = await book(stage, attachment(ada.numbers["AERO"], segments=[recent()]))
    hotel = {"brand": "HOTEL", "carriers": ["HOTEL", "HX"]}
    assert codes(await stage.do("programTermsPublish", hotel)) == []
    identifier = await claim(stage, claim_of(ada.numbers["AERO"]))
    elsewhere = await decide(stage, identifier, "APPROVE", operatingCarrier="HX")
    assert codes(elsewhere) == ["OPERATED_BY_ANOTHER_BRAND"]
    unknown = await decide(stage, identifier, "APPROVE", operatingCarrier="ZZ")
    assert codes(unknown) == ["OPERATING_FLIGHT_UNKNOWN"]
    said = {"operatingCarrier": "ZZ", "operatingFlightNumber": "9"}
    given = decision(identifier, "APPROVE", **said)
    fields = "claim { status segment { id status flight { operatingCarrier } } }"
    done = await stage.do("missingCreditDecide", given, fields, "aero")
    (segment,) = booked["segments"]
    flight = {"operatingCarrier": "ZZ"}
    credited = {"id": segment["id"], "status": "CREDITED", "flight": flight}
    assert done["claim"] == {"status": "APPROVED", "segment": credited}


async def test_refusals_with_their_figures(stage: Stage, ada: Somebody) -> None:
    """What is refused says what a client can act on."""
    number = ada.numbers["AERO"]
    old = claim_of(number, flight=recent() | {"departureDate": "2020-01-31"})
    query = "claim { id } errors { ... on ClaimWindowClosed { closedAt } }"
    refused = await stage.do("missingCreditClaim", old, query, "agency")
    assert codes(refused) == ["CLAIM_WINDOW_CLOSED"]
    assert refused["errors"][0]["closedAt"] == "2020-07-31T23:00:00Z"  # midnight in Lisbon
    identifier = await claim(stage, claim_of(number))
    query = "errors { ... on DuplicateClaim { claim } }"
    twice = await stage.do("missingCreditClaim", claim_of(number), query, "agency")
    assert (codes(twice), twice["errors"][0]["claim"]) == (["DUPLICATE_CLAIM"], identifier)
    both = claim_of(number, stay=recent_stay(), flight=recent(2))
    assert codes(await stage.do("missingCreditClaim", both, "claim { id }", "agency")) == [
        "INVALID_INPUT"
    ]
    query = "errors { ... on AppealNotPossible { status } }"
    early = await stage.do("missingCreditAppeal", appeal_of(identifier), query, "agency")
    assert (codes(early), early["errors"][0]["status"]) == (["APPEAL_NOT_POSSIBLE"], "OPEN")
    unknown = await stage.do("missingCreditAppeal", appeal_of("x"), "claim { id }", "agency")
    assert codes(unknown) == ["CLAIM_NOT_FOUND"]


async def test_a_claim_is_withdrawn(stage: Stage, ada: Somebody) -> None:
    """A claim with a name that is written wrongly is withdrawn by who made it, and made again; what
    is decided is not withdrawn."""
    number = ada.numbers["AERO"]
    wrong = await claim(stage, claim_of(number, surname="Lovelacy"))
    given = {"claim": wrong, "idempotencyKey": key()}
    for replayed in (False, True):
        done = await stage.do("missingCreditWithdraw", given, CLAIM, "agency")
        assert (done["claim"]["status"], done["replayed"]) == ("WITHDRAWN", replayed)
    right = await claim(stage, claim_of(number))
    await decide(stage, right, "APPROVE")
    given = {"claim": right, "idempotencyKey": key()}
    query = "errors { ... on WithdrawalNotPossible { status } }"
    refused = await stage.do("missingCreditWithdraw", given, query, "agency")
    assert codes(refused) == ["WITHDRAWAL_NOT_POSSIBLE"]
    assert refused["errors"][0]["status"] == "APPROVED"
    assert await stage.audit() == []


async def test_lists(stage: Stage, ada: Somebody) -> None:
    """Claims are listed at the agency, the brand and the membership, by status and page."""
    number = ada.numbers["AERO"]
    made = [await claim(stage, claim_of(number, flight=recent(n))) for n in (1, 2, 3)]
    await decide(stage, made[1], "REJECT")
    fields = "edges { node { id } } pageInfo { hasNextPage endCursor }"
    query = f"""query L($after: String, $status: MissingCreditClaimStatus) {{
        viewer {{ agency {{ claims(first: 2, after: $after, status: $status) {{ {fields} }} }} }}
    }}"""

    async def listed(**given: str) -> Json:
        found: Json = (await stage.data(query, given, "agency"))["viewer"]["agency"]["claims"]
        return found

    first = await listed()
    assert [each["node"]["id"] for each in first["edges"]] == made[:0:-1]
    assert first["pageInfo"]["hasNextPage"]
    second = await listed(after=first["pageInfo"]["endCursor"])
    assert [each["node"]["id"] for each in second["edges"]] == made[:1]
    rejected = await listed(status="REJECTED")
    assert [each["node"]["id"] for each in rejected["edges"]] == [made[1]]
    query = '{ brand(code: "AERO") { claims(first: 9, status: OPEN) { edges { node { id } } } } }'
    for who, found in (("aero", 2), ("hotel", 0), ("operator", 2)):
        edges = (await stage.data(query, who=who))["brand"]["claims"]["edges"]
        assert len(edges) == found
    answer = await stage.ask(
        '{ brand(code: "AERO") { claims(first: 1, after: "?") { edges { cursor } } } }'
    )
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_report(stage: Stage, ada: Somebody) -> None:
    """An agency sees its business with each brand, and no points."""
    await book(stage, attachment(ada.numbers["AERO"], segments=[recent()], stays=[recent_stay()]))
    await claim(stage, claim_of(ada.numbers["AERO"], flight=recent(2)))
    query = """query R($from: Date!, $to: Date!) { agencyReport(from: $from, to: $to) {
        report { agency { code } from to lines {
            brand { code } flights { attached pending credited } stays { attached }
            claims { made open approved } } } errors { code } } }"""
    period = {"from": LAST_WEEK.isoformat(), "to": (LAST_WEEK + timedelta(days=30)).isoformat()}
    data = await stage.data(query, period, "agency")
    assert data["agencyReport"] == {
        "report": {
            "agency": {"code": "SKYTRIP"},
            **period,
            "lines": [
                {
                    "brand": {"code": "AERO"},
                    "flights": {"attached": 1, "pending": 1, "credited": 0},
                    "stays": {"attached": 1},
                    "claims": {"made": 1, "open": 1, "approved": 0},
                }
            ],
        },
        "errors": [],
    }
    backwards = {"from": "2026-02-01", "to": "2026-01-01"}
    answer = (await stage.data(query, backwards, "agency"))["agencyReport"]
    assert (answer["report"], codes(answer)) == (None, ["INVALID_INPUT"])
