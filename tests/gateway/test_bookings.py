"""Bookings through the API: attached by an agency, confirmed by a brand, seen by a member."""

from datetime import timedelta

import pytest

from tests.gateway.booking import (
    BOOKING,
    FLIGHT,
    RESULTS,
    SEGMENT,
    STAY,
    TRAVELLED,
    attachment,
    book,
    confirm,
    flight,
    look,
    publish_terms,
)
from tests.gateway.stage import Json, Stage, key
from tests.gateway.transferring import Somebody, somebody

WALLET = """query W($id: ID!) { node(id: $id) { ... on Membership {
    balance { posted pending value { amount } }
    bookings(first: 10) { edges { node { id segments { status points } } } }
    transactions(first: 5) { edges { node { kind description } } }
} } }"""


@pytest.fixture
async def ada(stage: Stage) -> Somebody:
    """Ada, at AERO and HOTEL, whose terms are published."""
    await publish_terms(stage)
    return await somebody(stage, "ada", "Lovelace", "AERO", "HOTEL")


async def wallet(stage: Stage, ada: Somebody) -> Json:
    """What Ada sees of her membership at AERO."""
    data = await stage.data(WALLET, {"id": ada.memberships["AERO"]}, "ada")
    found: Json = data["node"]
    return found


async def test_the_life_of_a_booking(stage: Stage, ada: Somebody) -> None:
    """An agency attaches a number and sees what became of it and no points; the member sees them
    pending, then credited, then taken back, as the brand says."""
    estimate = """query E($input: AccrualEstimateInput!) { accrualEstimate(input: $input) {
        estimates { points reason flight { flightNumber } stay { nights } } errors { code } } }"""
    journey = {"brand": "AERO", "segments": [FLIGHT], "stays": [STAY]}
    told = (await stage.data(estimate, {"input": journey}, "agency"))["accrualEstimate"]
    assert told == {
        "estimates": [
            {"points": 1_000, "reason": "Business.", "flight": {"flightNumber": "117"}}
            | {"stay": None},
            {"points": 300, "reason": None, "flight": None, "stay": {"nights": 3}},
        ],
        "errors": [],
    }

    given = attachment(ada.numbers["AERO"], stays=[STAY])
    made = await stage.do("bookingAttach", given, BOOKING, "agency")
    assert made["errors"] == []
    seen = made["booking"]["segments"]
    assert [each["status"] for each in seen] == ["PENDING", "PENDING"]
    assert [(each["isLinked"], each["membership"]) for each in seen] == [(None, None)] * 2
    assert seen[0]["flight"]["flightNumber"] == "117"
    assert [each["supplier"]["code"] for each in seen] == ["AERO", "HOTEL"]
    again = await stage.do("bookingAttach", given, BOOKING, "agency")
    assert (again["replayed"], again["booking"]) == (True, made["booking"])
    assert (await wallet(stage, ada))["balance"]["pending"] == 1_300

    denied = await confirm(stage, seen[1]["id"])
    assert [each["code"] for each in denied["errors"]] == ["NOT_PERMITTED"]
    flown = await confirm(stage, seen[0]["id"], flownAt=f"{TRAVELLED}T10:45:00Z")
    assert flown["results"][0]["segment"]["points"] == 1_000
    stayed = await confirm(stage, seen[1]["id"], who="hotel", points=0, reason="A staff rate.")
    assert stayed["results"][0]["segment"]["status"] == "INELIGIBLE"
    at_home = await wallet(stage, ada)
    assert at_home["balance"] == {"posted": 1_000, "pending": 0, "value": {"amount": "10"}}
    assert at_home["transactions"]["edges"][0]["node"] == {
        "kind": "ACCRUAL",
        "description": f"Flight AE 117, LIS-LHR, {TRAVELLED}",
    }
    assert at_home["bookings"]["edges"][0]["node"]["segments"][0]["points"] == 1_000
    told_agency = await look(stage, made["booking"]["id"], "agency")
    assert [(each["status"], each["points"]) for each in told_agency["segments"]] == [
        ("CREDITED", None),
        ("INELIGIBLE", None),
    ]
    assert told_agency["segments"][1]["reason"] == "A staff rate."

    void = {"booking": made["booking"]["id"], "reason": "REFUND", "idempotencyKey": key()}
    voided = await stage.do("bookingVoid", void, RESULTS, "aero")
    assert [each["segment"]["status"] for each in voided["results"]] == ["VOIDED", "VOIDED"]
    assert (await wallet(stage, ada))["balance"]["posted"] == 0
    assert await stage.audit() == []


async def test_refusals_have_their_fields(stage: Stage, ada: Somebody) -> None:
    """What is wrong is told with the way to the field, or with the segment that it is about."""
    good = attachment(ada.numbers["AERO"])
    passenger = good["passenger"]
    for changed, path in (
        ({"recordLocator": "?"}, ["recordLocator"]),
        ({"segments": []}, ["segments"]),
        ({"segments": [flight(1), flight(2, origin="Lisbon")]}, ["segments", "1", "origin"]),
        ({"stays": [STAY | {"checkOut": f"{TRAVELLED}"}]}, ["stays", "0", "checkOut"]),
        ({"passenger": passenger | {"ticketNumber": "1"}}, ["passenger", "ticketNumber"]),
        ({"loyalty": {"brand": "NOWHERE", "number": "1"}}, ["loyalty", "brand"]),
        ({"agency": "NOBODY"}, ["agency"]),
    ):
        refused = await stage.do("bookingAttach", good | changed, "booking { id }", "agency")
        assert refused["booking"] is None
        assert [each["path"] for each in refused["errors"]] == [path]
    booking = await book(stage, good)
    (segment,) = booking["segments"]
    both = {"booking": booking["id"], "segments": [segment["id"]], "reason": "VOID"}
    refused = await stage.do("bookingVoid", both | {"idempotencyKey": key()}, RESULTS, "aero")
    assert [each["path"] for each in refused["errors"]] == [["booking"]]
    missing = await confirm(stage, segment["id"], booking["id"])
    assert [each["path"] for each in missing["errors"]] == [["segments", "1", "segment"]]
    assert missing["results"] == []
    early = await confirm(
        stage, segment["id"], flownAt=f"{TRAVELLED - timedelta(days=4)}T00:00:00Z"
    )
    assert early["errors"] == []
    assert early["results"][0]["errors"] == [{"code": "SEGMENT_NOT_TRAVELLED"}]
    detach = {"booking": booking["id"], "idempotencyKey": key()}
    gone = await stage.do("bookingDetach", detach, BOOKING, "agency")
    assert [each["status"] for each in gone["booking"]["segments"]] == ["DETACHED"]
    late = await confirm(stage, segment["id"])
    assert late["results"][0]["errors"] == [{"code": "SEGMENT_CLOSED"}]


async def test_terms_are_published_in_part(stage: Stage, ada: Somebody) -> None:
    """What is left out, or null, of a brand's terms stays; an empty list empties it."""
    terms = "program { carriers claimWindowMonths pendingShown chart { carrier } }"

    async def published(**given: object) -> Json:
        made = await stage.do("programTermsPublish", {"brand": "AERO", **given}, terms, "aero")
        assert made["errors"] == []
        found: Json = made["program"]
        return found

    kept = {"carriers": ["AE"], "pendingShown": True}
    chart = [{"carrier": None}, {"carrier": "AE"}, {"carrier": "HOTEL"}]
    changed = await published(claimWindowMonths=9, carriers=None)
    assert changed == kept | {"claimWindowMonths": 9, "chart": chart}
    assert await published(chart=[]) == kept | {"claimWindowMonths": 9, "chart": []}
    assert await published() == kept | {"claimWindowMonths": 9, "chart": []}


async def test_a_codeshare_is_credited_with_its_number(stage: Stage, ada: Somebody) -> None:
    """Its supplier is told that the number is missing, and by whom, and gives it."""
    shared = flight(11) | {"operatingCarrier": "ZZ", "operatingFlightNumber": None}
    booking = await book(stage, attachment(ada.numbers["AERO"], segments=[shared]))
    (segment,) = booking["segments"]
    fields = """results { segment { status flight { operatingFlightNumber } } errors { code message
        path ... on OperatingFlightUnknown { carrier } } }"""

    async def told(**more: str) -> Json:
        said = {"segment": segment["id"], **more}
        given = {"segments": [said], "idempotencyKey": key()}
        done = await stage.do("bookingSegmentConfirm", given, f"{fields} errors {{ path }}", "aero")
        assert done["errors"] == []
        found: Json = done["results"][0]
        return found

    missing = await told()
    (error,) = missing["errors"]
    assert (error["code"], error["carrier"]) == ("OPERATING_FLIGHT_UNKNOWN", "ZZ")
    assert "operatingFlightNumber" in error["message"]
    assert missing["segment"] == {"status": "PENDING", "flight": {"operatingFlightNumber": None}}
    flown = await told(operatingFlightNumber="0042")
    assert flown["errors"] == []
    assert flown["segment"] == {"status": "CREDITED", "flight": {"operatingFlightNumber": "42"}}


async def test_a_supplier_says_who_has_operated_it(stage: Stage, ada: Somebody) -> None:
    """A supplier says by whom a flight was operated and under which number, and not that it was
    another brand of the coalition."""
    hotel = {"brand": "HOTEL", "carriers": ["HOTEL", "HX"]}
    assert (await stage.do("programTermsPublish", hotel))["errors"] == []
    booking = await book(stage, attachment(ada.numbers["AERO"], segments=[flight(11)]))
    fields = """results { segment { status flight { operatingCarrier operatingFlightNumber } }
        errors { code ... on OperatedByAnotherBrand { carrier } } }"""

    async def told(**more: str) -> Json:
        said = {"segment": booking["segments"][0]["id"], **more}
        given = {"segments": [said], "idempotencyKey": key()}
        done = await stage.do("bookingSegmentConfirm", given, fields, "aero")
        found: Json = done["results"][0]
        return found

    elsewhere = await told(operatingCarrier="HX", operatingFlightNumber="9")
    assert elsewhere["errors"] == [{"code": "OPERATED_BY_ANOTHER_BRAND", "carrier": "HX"}]
    flown = await told(operatingCarrier="ZZ", operatingFlightNumber="9")
    operated = {"operatingCarrier": "ZZ", "operatingFlightNumber": "9"}
    assert flown == {"segment": {"status": "CREDITED", "flight": operated}, "errors": []}


async def test_lists_are_filtered(stage: Stage, ada: Somebody) -> None:
    """An agency finds a booking by its record locator and status, a brand what it has still to
    confirm; where nothing is pending, there is nothing to detach."""
    made = [
        await book(stage, attachment(ada.numbers["AERO"], segments=[flight(n)])) for n in (1, 2, 3)
    ]
    await confirm(stage, made[1]["segments"][0]["id"])

    async def found(root: str, who: str, only: str) -> list[str]:
        asked = f"{{ {root} {{ bookings(first: 9, {only}) {{ edges {{ node {{ id }} }} }} }} }}"
        (answer,) = (await stage.data(asked, {}, who)).values()
        return [each["node"]["id"] for each in answer["bookings"]["edges"]]

    first, second, third = (each["id"] for each in made)
    agency, brand = 'agency(code: "SKYTRIP")', 'brand(code: "AERO")'
    located = f'recordLocator: "{made[0]["recordLocator"].lower()}"'
    assert await found(agency, "agency", located) == [first]
    assert await found(agency, "agency", f"{located}, status: CREDITED") == []
    assert await found(agency, "agency", "status: CREDITED") == [second]
    assert await found(brand, "aero", "status: PENDING") == [third, first]
    nothing = {"booking": second, "idempotencyKey": key()}
    refused = await stage.do("bookingDetach", nothing, BOOKING, "agency")
    assert [each["code"] for each in refused["errors"]] == ["NOTHING_PENDING"]


async def test_lists_are_read_by_the_page(stage: Stage, ada: Somebody) -> None:
    """An agency and a brand read their bookings by the page; a cursor that was never given out is
    refused."""
    made = [await book(stage, attachment(ada.numbers["AERO"])) for _ in range(3)]
    query = """query L($after: String) {{ {root} {{
        bookings(first: 2, after: $after) {{
            edges {{ node {{ id recordLocator {segments} }} }}
            pageInfo {{ hasNextPage endCursor }} }} }} }}"""
    for root, who in (('agency(code: "SKYTRIP")', "agency"), ('brand(code: "AERO")', "aero")):
        asked = query.format(root=root, segments=f"segments {{ {SEGMENT} }}")
        found, after = [], None
        while True:
            (answer,) = (await stage.data(asked, {"after": after}, who)).values()
            found += [each["node"]["id"] for each in answer["bookings"]["edges"]]
            after = answer["bookings"]["pageInfo"]["endCursor"]
            if not answer["bookings"]["pageInfo"]["hasNextPage"]:
                break
        assert found == [each["id"] for each in reversed(made)]
        bad = await stage.ask(asked, {"after": "nonsense"}, who)
        assert bad["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
