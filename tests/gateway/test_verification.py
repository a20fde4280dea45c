"""Verifying loyalty numbers over HTTP: what an agency's booking engine sees, and at what price."""

import io
import logging
from typing import Any

import pytest

from brands.guarding.suspicion import CLIENT
from gateway.telemetry.alarms import report_alarms
from tests.gateway.stage import Json, Stage, key
from tests.gateway.test_logs import events
from tests.gateway.test_statements import Statements

VERIFY = """mutation V($rows: [LoyaltyNumberRowInput!]!) {
    loyaltyNumbersVerify(input: {rows: $rows}) {
        results { status }
        errors { __typename code message path
            ... on LookupsThrottled { retryAt retryAfterSeconds } }
    }
}"""
ALARMS = """query A($after: String) {
    alarms(first: 2, after: $after) {
        edges { cursor node { kind misses client requestId agency { code } member { id }
            brand { code } } }
        pageInfo { hasNextPage endCursor }
    }
}"""


async def verify(stage: Stage, *rows: Json, who: str = "agency") -> Json:
    """The payload."""
    payload: Json = (await stage.data(VERIFY, {"rows": rows}, who))["loyaltyNumbersVerify"]
    return payload


def row(number: str, surname: str = "Lovelace", brand: str = "AERO", **more: Any) -> Json:
    """A traveller."""
    return {"brand": brand, "number": number, "surname": surname, **more}


async def enrolled(stage: Stage, brand: str, numbers: int) -> list[str]:
    """Numbers of so many members of a brand, all called Ada Lovelace."""
    given = [{"brand": brand, "number": f"{brand}-{number:04d}"} for number in range(numbers)]
    for each in given:
        made = await stage.do(
            "memberEnroll",
            {
                "profile": {"givenName": "Ada", "familyName": "Lovelace"},
                "memberships": [each],
                "idempotencyKey": key(),
            },
        )
        assert made["errors"] == []
    return [each["number"] for each in given]


@pytest.fixture
def statements() -> Any:
    """The statements that are sent from here on."""
    log, handler = logging.getLogger("tortoise.db_client"), Statements()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield handler.sent
    log.removeHandler(handler)
    log.setLevel(level)


async def test_a_hundred_rows_take_four_statements(stage: Stage, statements: list[str]) -> None:
    """A hundred rows over three brands take four statements at most, authentication included,
    whether they match or not; and three when they are asked again."""
    codes = ("AERO", "HOTEL", "COFFEE")
    known = {code: await enrolled(stage, code, 34) for code in codes}
    good = [row(known[codes[n % 3]][n // 3], brand=codes[n % 3]) for n in range(100)]
    mixed = [row(f"X{n}", f"Nobody{n}") for n in range(9)] + [
        row(good[n]["number"], "Byron", good[n]["brand"]) for n in range(9)
    ]
    for rows in (good, good[18:] + mixed, [row("X-1", "Once")]):
        statements.clear()
        payload = await verify(stage, *rows)
        assert payload["errors"] == []
        assert len(statements) <= 4, statements
        assert len(payload["results"]) == len(rows)
        statements.clear()
        assert await verify(stage, *rows) == payload
        assert len(statements) <= 3, statements


async def test_a_batch_is_told_in_its_order(stage: Stage) -> None:
    """One status a row, in the order of the rows, and nothing else; a bad row spoils no other."""
    (number,) = await enrolled(stage, "AERO", 1)
    rows = {
        "MATCH": row(number.lower(), "LOVELACE", givenName="A"),
        "REVIEW": row(number, "Ada", givenName="Lovelace"),
        "NO_MATCH": row(number, "Byron"),
        "MALFORMED": row(number, ""),
    }
    payload = await verify(stage, *rows.values())
    assert payload == {"results": [{"status": status} for status in rows], "errors": []}


async def test_what_is_wrong_with_the_whole(stage: Stage) -> None:
    """An unknown brand is told by its row, too many rows or none by the list, and members may not
    ask."""
    ada = await stage.enrol("AERO")
    for rows, who, code, path in (
        ([row("1"), row("1", brand="NONE")], "agency", "BRAND_NOT_FOUND", ["rows", "1", "brand"]),
        ([], "agency", "INVALID_INPUT", ["rows"]),
        ([row("1")] * 101, "agency", "INVALID_INPUT", ["rows"]),
        ([row("1")], ada.token, "NOT_PERMITTED", None),
        ([row("1")], "hotel", "NOT_PERMITTED", None),
    ):
        payload = await verify(stage, *rows, who=who)
        (error,) = payload["errors"]
        assert (payload["results"], error["code"], error["path"]) == (None, code, path)


async def test_guessing_is_throttled_and_seen(stage: Stage, lines: io.BytesIO) -> None:
    """Whoever guesses is told to wait and for how long; the operator sees it in the list of alarms
    and in the log, without a number, and lets the agency go on."""
    (number,) = await enrolled(stage, "AERO", 1)
    assert (await verify(stage, *(row(f"7700{n:03d}", "Smith") for n in range(99))))["errors"]
    assert (await verify(stage, row(number)))["results"] is None
    payload = await verify(stage, *(row(number, f"Name{n}") for n in range(2)))
    (error,) = payload["errors"]
    assert error["__typename"] == "LookupsThrottled"
    assert error["code"] == "LOOKUPS_THROTTLED"
    assert 0 < error["retryAfterSeconds"] <= 60
    page = (await stage.data(ALARMS))["alarms"]
    assert page["pageInfo"]["hasNextPage"]
    rest = (await stage.data(ALARMS, {"after": page["pageInfo"]["endCursor"]}))["alarms"]
    edges = [*page["edges"], *rest["edges"]]
    assert {each["node"]["kind"] for each in edges} == {"MISSES", "SURNAME", "NEIGHBOURS"}
    for each in edges:
        assert each["node"]["agency"] == {"code": "SKYTRIP"}
        assert each["node"]["brand"] == {"code": "AERO"}
        assert each["node"]["misses"] > 0
    assert await report_alarms(stage.coalition) == 3
    assert await report_alarms(stage.coalition) == 0
    logs = [each for each in events(lines) if each["event"] != "request"]
    assert [each["event"] for each in logs] == ["alarm"] * 3
    told = [
        {name: value for name, value in each.items() if name in ("kind", "brand", "misses")}
        for each in logs
    ]
    assert {"kind": "MISSES", "brand": "AERO", "misses": CLIENT.free + 1} in told
    assert (await stage.do("lookupsRelease", {"agency": "SKYTRIP"}, "released"))["released"]
    assert (await verify(stage, row(number)))["results"] == [{"status": "MATCH"}]


async def test_a_number_is_released(stage: Stage) -> None:
    """A number with which too many names were tried is shut, and its brand opens it again."""
    (number,) = await enrolled(stage, "AERO", 1)
    for name in range(6):
        assert (await verify(stage, row(number, f"Name{name}")))["errors"] == []
    (error,) = (await verify(stage, row(number)))["errors"]
    assert error["path"] == ["rows", "0", "number"]
    given = {"number": {"brand": "AERO", "number": number}}
    assert not (await stage.do("lookupsRelease", given, "released", "hotel"))["released"]
    assert (await stage.do("lookupsRelease", given, "released", "aero"))["errors"] == []
    assert (await verify(stage, row(number)))["results"] == [{"status": "MATCH"}]


async def test_a_giver_cannot_try_surnames(stage: Stage) -> None:
    """A member who tries surnames with a number in quotes is told to wait; the number is another's
    and stays unknown to her."""
    ada = await stage.enrol("AERO")
    await stage.give(ada.memberships["AERO"], 100)
    codes = []
    for attempt in range(14):
        recipient = {"brand": "AERO", "number": f"X{attempt}", "surname": "Smith"}
        given = {"source": ada.memberships["AERO"], "recipient": recipient, "pointsOut": 1}
        payload = await stage.do("transferQuote", given, "quote { id }", ada.token)
        codes += [error["code"] for error in payload["errors"]]
    assert codes == ["RECIPIENT_NOT_FOUND"] * 11 + ["LOOKUPS_THROTTLED"] * 3


async def test_others_are_not_stopped(stage: Stage) -> None:
    """An agency that has used up its budget holds up nobody else."""
    (number,) = await enrolled(stage, "AERO", 1)
    for attempt in range(CLIENT.free + 1):
        await verify(stage, row(f"X{attempt}", f"Nobody{attempt}"))
    assert (await verify(stage, row(number)))["errors"]
    for who in ("operator", "aero"):
        assert (await verify(stage, row(number), who=who))["results"] == [{"status": "MATCH"}]
