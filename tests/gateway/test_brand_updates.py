"""Brands that change, through the API: renamed by themselves, suspended and taken back by the
operator."""

import pytest

from tests.gateway.founding import RAIL_NUMBERS, found_rail
from tests.gateway.stage import Json, Stage, key
from tests.gateway.test_verification import row, verify
from tests.gateway.transferring import Somebody, conversion, create, preview, quote, somebody

BRAND = "brand { name pointsName clawback status }"
SUSPEND = {"brand": "AERO", "status": "SUSPENDED"}
TAKE_BACK = {"brand": "AERO", "status": "ACTIVE"}


async def update(stage: Stage, given: Json, who: str = "operator") -> Json:
    """The payload."""
    return await stage.do("brandUpdate", given, BRAND, who)


@pytest.fixture
async def ada(stage: Stage) -> Somebody:
    """Ada, with 1,000 points at AERO, and a member of HOTEL."""
    made = await somebody(stage, "ada", "Lovelace", "AERO", "HOTEL")
    await stage.give(made.memberships["AERO"], 1_000)
    return made


async def test_a_brand_changes_what_is_said_of_it(stage: Stage) -> None:
    """A brand changes its names and its clawback, and null and what is left out stay; its status
    only the operator changes, others nothing."""
    changed = await update(stage, {"brand": "AERO", "name": "Aerolinea"}, "aero")
    assert changed["brand"] == {
        "name": "Aerolinea",
        "pointsName": "Aero Points",
        "clawback": "REJECT",
        "status": "ACTIVE",
    }
    given = {"brand": "AERO", "name": None, "pointsName": "Miles", "clawback": "ALLOW_NEGATIVE"}
    again = await update(stage, given | {"status": None}, "aero")
    assert again["brand"] == changed["brand"] | {
        "pointsName": "Miles",
        "clawback": "ALLOW_NEGATIVE",
    }
    before = await stage.books()
    for who, asked, code, path in (
        ("aero", SUSPEND, "NOT_PERMITTED", ["status"]),
        ("aero", {"brand": "HOTEL", "name": "X"}, "NOT_PERMITTED", None),
        ("agency", {"brand": "AERO", "name": "X"}, "NOT_PERMITTED", None),
        ("operator", {"brand": "NONE", "name": "X"}, "BRAND_NOT_FOUND", ["brand"]),
        ("operator", SUSPEND | {"pointsName": ""}, "INVALID_INPUT", ["pointsName"]),
    ):
        refused = await update(stage, asked, who)
        assert refused["brand"] is None
        assert [(each["code"], each["path"]) for each in refused["errors"]] == [(code, path)]
    assert await stage.books() == before
    data = await stage.data(f'{{ brand(code: "AERO") {{ {BRAND[8:-2]} }} }}', who="hotel")
    assert data["brand"] == again["brand"]


async def test_a_suspension_from_beginning_to_end(stage: Stage, ada: Somebody) -> None:
    """Of a suspended brand the keys are refused, its numbers nobody's, and its points stay where
    they are, which everybody may read; when it is taken back, all is as before."""
    request = conversion(ada, 100)
    locked = (await quote(stage, request, "ada"))["quote"]["id"]
    assert (await update(stage, SUSPEND))["brand"]["status"] == "SUSPENDED"
    assert (await update(stage, SUSPEND))["errors"] == []

    assert (await stage.post({"query": "{ viewer { kind } }"}, "aero")).status_code == 401
    mine = row(ada.numbers["AERO"], givenName="Ada")
    assert (await verify(stage, mine))["results"] == [{"status": "NO_MATCH"}]
    before = await stage.books()
    refused = [
        (await preview(stage, request, "ada"))["errors"],
        (await quote(stage, request, "ada"))["errors"],
        (await create(stage, {"transfer": request}, "ada"))["errors"],
        (await create(stage, {"quote": locked}, "ada"))["errors"],
    ]
    assert [[(each["code"], each["path"]) for each in errors] for errors in refused] == [
        [("BRAND_SUSPENDED", ["source"])],
        [("BRAND_SUSPENDED", ["source"])],
        [("BRAND_SUSPENDED", ["transfer", "source"])],
        [("BRAND_SUSPENDED", ["quote"])],
    ]
    enrolment = {"brands": ["AERO"], "idempotencyKey": key()}
    enrolled = await stage.do(
        "memberEnroll", enrolment, "member { id } errors { ... on BrandSuspended { brand } }"
    )
    assert (enrolled["member"], enrolled["errors"][0]["brand"]) == (None, "AERO")
    assert await stage.books() == before
    seen = await stage.data(
        "query M($id: ID!) { node(id: $id) { ... on Membership {"
        " brand { status } balance { available } } } }",
        {"id": ada.memberships["AERO"]},
        "ada",
    )
    assert seen["node"] == {"brand": {"status": "SUSPENDED"}, "balance": {"available": 1_000}}

    assert (await update(stage, TAKE_BACK))["brand"]["status"] == "ACTIVE"
    assert (await stage.post({"query": "{ viewer { kind } }"}, "aero")).status_code == 200
    assert (await verify(stage, mine))["results"] == [{"status": "MATCH"}]
    assert (await create(stage, {"quote": locked}, "ada"))["errors"] == []
    assert (await stage.do("memberEnroll", enrolment, "member { id }"))["errors"] == []
    assert await stage.audit() == []


async def test_what_its_numbers_look_like(stage: Stage) -> None:
    """An agency and a member read the format of a brand's numbers as it was given, and the open
    one of a brand that gave none."""
    await found_rail(stage)
    ada = await somebody(stage, "ada", "Lovelace", "RAIL")
    assert len(ada.numbers["RAIL"]) == 15
    ask = "query F($code: String!) { brand(code: $code) { numberFormat { pattern length check } } }"
    for who in ("agency", "ada", "hotel"):
        data = await stage.data(ask, {"code": "RAIL"}, who)
        assert data["brand"]["numberFormat"] == RAIL_NUMBERS
    data = await stage.data(ask, {"code": "AERO"}, "agency")
    assert data["brand"]["numberFormat"] == {"pattern": None, "length": None, "check": "NONE"}
