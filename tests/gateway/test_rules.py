"""Transfer rules through the API: published, read back, superseded, refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.gateway.stage import Json, Stage

RULE = """
    id household minimum maximum increment percentBonus percentBonusFrom percentBonusTo
    membershipAgeDays recipientAgeDays arrivesAfterSeconds lotExpiry closed allowCycle
    effectiveFrom effectiveTo publishedAt
    from { code } to { code } sponsor { code }
    ratio { from to } blockBonus { every bonus }
    fee { flat perPoint perBlock { every amount } cap pointsShare }
    limits { period direction points count }
"""

EVERYTHING: Json = {
    "from": "AERO",
    "to": "HOTEL",
    "ratio": {"from": 3, "to": 1},
    "minimum": 3_000,
    "maximum": 900_000,
    "increment": 3,
    "blockBonus": {"every": 60_000, "bonus": 5_000},
    "percentBonus": "12.5",
    "percentBonusFrom": "2100-01-01T00:00:00Z",
    "percentBonusTo": "2100-02-01T00:00:00Z",
    "fee": {
        "flat": "1.5",
        "perPoint": "0.0006",
        "perBlock": {"every": 1_000, "amount": "0.25"},
        "cap": "99",
        "pointsShare": "0.1",
    },
    "limits": [
        {"period": "MONTH", "direction": "OUT", "points": 20_000, "count": 2},
        {"period": "YEAR", "direction": "IN", "points": 50_000, "count": None},
    ],
    "membershipAgeDays": 30,
    "recipientAgeDays": 7,
    "arrivesAfterSeconds": 3_600,
    "lotExpiry": "KEEP_EARLIEST",
    "sponsor": "HOTEL",
    "closed": False,
    "allowCycle": True,
    "household": False,
    "effectiveFrom": "2099-12-01T00:00:00Z",
    "effectiveTo": "2100-12-01T00:00:00Z",
}
NOTHING: Json = {
    **dict.fromkeys(EVERYTHING),
    "fee": {"flat": "0", "perPoint": "0", "perBlock": None, "cap": None, "pointsShare": "0"},
    "limits": [],
    "membershipAgeDays": 0,
    "recipientAgeDays": 0,
    "arrivesAfterSeconds": 0,
    "closed": False,
    "allowCycle": False,
    "household": False,
}
HISTORY = f"""
    query H($from: String!, $to: String!, $household: Boolean, $first: Int, $after: String) {{
        transferRules(from: $from, to: $to, household: $household, first: $first, after: $after) {{
            edges {{ node {{ {RULE} }} }} pageInfo {{ hasNextPage endCursor }}
        }}
    }}
"""


async def publish(stage: Stage, given: Json) -> Json:
    """The rule that is published."""
    payload = await stage.do("transferRulePublish", given, f"rule {{ {RULE} }}")
    assert payload["errors"] == []
    rule: Json = payload["rule"]
    return rule


async def history(stage: Stage, source: str, destination: str, **more: Any) -> list[Json]:
    """The rules of a pair, the last to begin first."""
    given = {"from": source, "to": destination, "first": 100, **more}
    data = await stage.data(HISTORY, given)
    return [edge["node"] for edge in data["transferRules"]["edges"]]


async def test_a_rule_as_it_was_given(stage: Stage) -> None:
    """All that a rule lays down is read back just as it was given, wherever it is asked for."""
    rule = await publish(stage, EVERYTHING)
    brands = {name: {"code": EVERYTHING[name]} for name in ("from", "to", "sponsor")}
    assert {name: rule[name] for name in EVERYTHING} == EVERYTHING | brands
    data = await stage.data(
        f"""query R($id: ID!, $at: DateTime!) {{
            node(id: $id) {{ ... on TransferRule {{ {RULE} }} }}
            then: transferRule(from: "AERO", to: "HOTEL", at: $at) {{ {RULE} }}
            now: transferRule(from: "AERO", to: "HOTEL") {{ id }}
            other: transferRule(from: "AERO", to: "HOTEL", household: true, at: $at) {{ id }}
        }}""",
        {"id": rule["id"], "at": "2100-01-01T00:00:00Z"},
    )
    assert data == {"node": rule, "then": rule, "now": None, "other": None}
    assert await history(stage, "AERO", "HOTEL") == [rule]
    assert await history(stage, "AERO", "HOTEL", household=True) == []


async def test_what_a_rule_leaves_out(stage: Stage) -> None:
    """What a rule leaves out, or says is nothing, is as without a rule, and it begins at once."""
    given: Json
    for given in ({}, {name: None for name in EVERYTHING if name not in ("from", "to")}):
        rule = await publish(stage, {"from": "AERO", "to": "AERO", **given})
        same = set(NOTHING) - {"from", "to", "sponsor", "effectiveFrom"}
        assert {name: rule[name] for name in same} == {name: NOTHING[name] for name in same}
        assert rule["sponsor"] == rule["from"] == rule["to"] == {"code": "AERO"}
        assert rule["effectiveFrom"] == rule["publishedAt"]


async def test_one_rule_after_another(stage: Stage) -> None:
    """The rule in force is the one that began last; where it ends, the one before it goes on, and
    the history has them all, the last to begin first."""
    pair = {"from": "AERO", "to": "HOTEL"}
    day = datetime.now(UTC).replace(microsecond=0)
    days = [(day + timedelta(number)).isoformat().replace("+00:00", "Z") for number in range(1, 9)]
    standing = await publish(stage, pair | {"minimum": 1})
    promotion = await publish(
        stage, pair | {"minimum": 2, "effectiveFrom": days[1], "effectiveTo": days[3]}
    )
    later = await publish(stage, pair | {"minimum": 3, "effectiveFrom": days[5]})
    assert await history(stage, "AERO", "HOTEL") == [later, promotion, standing]
    for at, minimum in ((0, 1), (1, 2), (2, 2), (3, 1), (4, 1), (5, 3), (7, 3)):
        data = await stage.data(
            """query R($at: DateTime!) {
                transferRule(from: "AERO", to: "HOTEL", at: $at) { minimum }
                exchangeRate(from: "AERO", to: "HOTEL", at: $at) { rule { minimum } }
            }""",
            {"at": days[at]},
        )
        assert data == {
            "transferRule": {"minimum": minimum},
            "exchangeRate": {"rule": {"minimum": minimum}},
        }
    given = {"from": "AERO", "to": "HOTEL", "first": 2}
    page = (await stage.data(HISTORY, given))["transferRules"]
    assert page["pageInfo"]["hasNextPage"]
    rest = await history(stage, "AERO", "HOTEL", after=page["pageInfo"]["endCursor"])
    assert [*(edge["node"] for edge in page["edges"]), *rest] == [later, promotion, standing]


async def test_published_twice(stage: Stage) -> None:
    """A rule that says what is in force already is not published again."""
    pair = {"from": "AERO", "to": "HOTEL", "minimum": 5}
    assert await publish(stage, pair) == await publish(stage, pair)
    assert len(await history(stage, "AERO", "HOTEL")) == 1


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"from": "NONE"}, "BRAND_NOT_FOUND", "from"),
        ({"to": "NONE"}, "BRAND_NOT_FOUND", "to"),
        ({"sponsor": "NONE"}, "BRAND_NOT_FOUND", "sponsor"),
        ({"ratio": {"from": 0, "to": 1}}, "INVALID_INPUT", "ratio.from"),
        ({"ratio": {"from": 1, "to": -1}}, "INVALID_INPUT", "ratio.to"),
        ({"minimum": 0}, "INVALID_INPUT", "minimum"),
        ({"maximum": -1}, "INVALID_INPUT", "maximum"),
        ({"increment": 0}, "INVALID_INPUT", "increment"),
        ({"minimum": 5, "maximum": 4}, "INVALID_INPUT", "maximum"),
        ({"blockBonus": {"every": 0, "bonus": 1}}, "INVALID_INPUT", "blockBonus.every"),
        ({"percentBonus": "0.00001"}, "INVALID_INPUT", "percentBonus"),
        ({"percentBonus": "-1"}, "INVALID_INPUT", "percentBonus"),
        ({"percentBonusTo": "2100-01-01T00:00:00Z"}, "INVALID_INPUT", "percentBonus"),
        ({"fee": {"flat": "-1"}}, "INVALID_INPUT", "fee.flat"),
        ({"fee": {"perPoint": "0.0000001"}}, "INVALID_INPUT", "fee.perPoint"),
        (
            {"fee": {"perBlock": {"every": 5, "amount": "0.0000001"}}},
            "INVALID_INPUT",
            "fee.perBlock.amount",
        ),
        ({"fee": {"cap": "99999999999999"}}, "INVALID_INPUT", "fee.cap"),
        ({"fee": {"pointsShare": "1"}}, "INVALID_INPUT", "fee.pointsShare"),
        (
            {"limits": [{"period": "MONTH", "direction": "OUT", "points": -1}]},
            "INVALID_INPUT",
            "limits.0.points",
        ),
        (
            {"limits": [{"period": "YEAR", "direction": "IN", "count": 1}] * 101},
            "INVALID_INPUT",
            "limits",
        ),
        ({"membershipAgeDays": -1}, "INVALID_INPUT", "membershipAgeDays"),
        ({"arrivesAfterSeconds": -1}, "INVALID_INPUT", "arrivesAfterSeconds"),
        ({"allowCycle": True}, "INVALID_INPUT", "allowCycle"),
        ({"closed": True, "minimum": 5}, "INVALID_INPUT", "closed"),
        ({"household": True, "fee": {"flat": "1"}}, "INVALID_INPUT", "fee"),
        (
            {
                "percentBonus": "5",
                "percentBonusFrom": "2100-01-01T00:00:00Z",
                "percentBonusTo": "2100-01-01T00:00:00Z",
            },
            "INVALID_INPUT",
            "percentBonusTo",
        ),
        ({"effectiveFrom": "2026-01-01T00:00:00Z"}, "RULE_IN_PAST", "effectiveFrom"),
        ({"effectiveTo": "2026-01-01T00:00:00Z"}, "INVALID_INPUT", "effectiveTo"),
    ],
)
async def test_a_rule_that_is_refused(stage: Stage, given: Json, code: str, path: str) -> None:
    """A rule that makes no sense is refused with the way to the field concerned, and nothing has
    changed."""
    before = await stage.books()
    payload = await stage.do(
        "transferRulePublish", {"from": "AERO", "to": "HOTEL", **given}, "rule { id }"
    )
    assert payload["rule"] is None
    assert [(each["code"], each["path"]) for each in payload["errors"]] == [(code, path.split("."))]
    assert await history(stage, "AERO", "HOTEL") == []
    assert await stage.books() == before


async def test_points_are_not_multiplied(stage: Stage) -> None:
    """A rule by which points could be multiplied is refused and shows the way round, unless it
    names who pays for that."""
    given: Json = {"from": "AERO", "to": "HOTEL", "ratio": {"from": 1, "to": 1}}
    query = """mutation P($input: TransferRulePublishInput!) { transferRulePublish(input: $input) {
        rule { id } errors { code message ... on TransferCycleGains { cycle gain } }
    } }"""
    payload = (await stage.data(query, {"input": given}))["transferRulePublish"]
    (error,) = payload["errors"]
    assert error["code"] == "TRANSFER_CYCLE_GAINS"
    assert error["cycle"][0] == error["cycle"][-1]
    assert set(error["cycle"]) == {"AERO", "HOTEL"}
    assert error["gain"] == "1.2"
    assert "turns 1 point into 1.2" in error["message"]
    await publish(stage, given | {"allowCycle": True, "sponsor": "AERO"})


@pytest.mark.parametrize("share", [0.1, 1.0, "1e-1", True])
async def test_amounts_are_exact(stage: Stage, share: Any) -> None:
    """An amount that is a float, or no plain number, is refused before anything runs."""
    given = {"from": "AERO", "to": "HOTEL", "fee": {"flat": share}}
    query = """mutation P($input: TransferRulePublishInput!) {
        transferRulePublish(input: $input) { rule { id } } }"""
    answer = await stage.ask(query, {"input": given})
    assert answer["errors"]
    assert not answer.get("data")
    assert await history(stage, "AERO", "HOTEL") == []


@pytest.mark.parametrize("who", ["aero", "hotel", "agency"])
async def test_rules_are_public(stage: Stage, who: str) -> None:
    """What holds for transfers is public to every caller, and pairs of no brand have no rules."""
    rule = await publish(stage, {"from": "AERO", "to": "HOTEL", "minimum": 5})
    data = await stage.data(
        """query R($id: ID!) { node(id: $id) { id }
            transferRule(from: "AERO", to: "HOTEL") { id minimum }
            transferRules(from: "AERO", to: "HOTEL", last: 1) { edges { node { id } } }
            none: transferRule(from: "NONE", to: "HOTEL") { id }
            nones: transferRules(from: "AERO", to: "NONE", first: 1) { edges { node { id } } }
        }""",
        {"id": rule["id"]},
        who,
    )
    assert data == {
        "node": {"id": rule["id"]},
        "transferRule": {"id": rule["id"], "minimum": 5},
        "transferRules": {"edges": [{"node": {"id": rule["id"]}}]},
        "none": None,
        "nones": {"edges": []},
    }


@pytest.mark.parametrize(
    ("who", "given", "allowed"),
    [
        ("aero", {}, True),
        ("aero", {"sponsor": "HOTEL"}, False),
        ("hotel", {}, False),
        ("hotel", {"sponsor": "HOTEL"}, False),
        ("agency", {}, False),
    ],
)
async def test_who_publishes(stage: Stage, who: str, given: Json, allowed: bool) -> None:
    """A brand lays down rules for points that leave it, at its own expense; others do not."""
    payload = await stage.do(
        "transferRulePublish", {"from": "AERO", "to": "HOTEL", "minimum": 5, **given}, who=who
    )
    codes = [error["code"] for error in payload["errors"]]
    assert codes == ([] if allowed else ["NOT_PERMITTED"])
    assert len(await history(stage, "AERO", "HOTEL")) == allowed


@pytest.mark.parametrize(
    ("given", "points"),
    [
        ({"ratio": {"from": 4, "to": 2}}, (2, 1)),
        ({"minimum": 5}, (25, 16)),
        ({"closed": True}, (25, 16)),
    ],
)
async def test_the_rate_of_exchange(stage: Stage, given: Json, points: tuple[int, int]) -> None:
    """The rate of exchange is by the rule's ratio or else by the rates, and shows the rule."""
    rule = await publish(stage, {"from": "AERO", "to": "HOTEL", **given})
    data = await stage.data(
        """{ exchangeRate(from: "AERO", to: "HOTEL") {
            pointsOut pointsIn valueOut { amount } rule { id closed } } }"""
    )
    rate = data["exchangeRate"]
    assert (rate["pointsOut"], rate["pointsIn"]) == points
    assert rate["rule"] == {"id": rule["id"], "closed": rule["closed"]}


async def test_no_rule(stage: Stage) -> None:
    """Where there is no rule, the rate of exchange says so."""
    data = await stage.data(
        '{ exchangeRate(from: "AERO", to: "HOTEL") { pointsOut pointsIn rule { id } } }'
    )
    assert data["exchangeRate"] == {"pointsOut": 25, "pointsIn": 16, "rule": None}


@pytest.mark.parametrize("policy", ["REJECT", "ALLOW_NEGATIVE", "UP_TO_BALANCE", None])
async def test_what_a_brand_does_when_points_are_spent(stage: Stage, policy: str | None) -> None:
    """A brand's policy for points that are taken back and spent already is as it was given."""
    payload = await stage.do(
        "brandCreate",
        {
            "code": "NEWS",
            "name": "News",
            "pointsName": "Lines",
            "timeZone": "UTC",
            "valuation": {"redemptionRate": "0.01"},
            "clawback": policy,
        },
        "brand { clawback }",
    )
    assert payload["brand"] == {"clawback": policy or "REJECT"}
    data = await stage.data(
        '{ brand(code: "NEWS") { clawback } old: brand(code: "AERO") { clawback } }'
    )
    assert data == {"brand": {"clawback": policy or "REJECT"}, "old": {"clawback": "REJECT"}}
