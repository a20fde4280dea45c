"""The whole story that the README tells, as it tells it."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.stage import Stage, key

README = (Path(__file__).parents[2] / "README.md").read_text()

HISTORY = """query History($id: ID!) {
    node(id: $id) { ... on Membership {
        balance { posted }
        transactions(first: 10) { edges { node { kind points reversedBy { kind } entries {
            amount balanceAfter account { kind unit owner }
        } } } }
    } }
}"""


def readme_query(name: str) -> str:
    """An operation of the README."""
    for block in re.findall(r"```graphql\n(.*?)```", README, re.DOTALL):
        for operation in re.split(r"\n(?=query|mutation)", block):
            if re.match(rf"(query|mutation) {name}\b", operation):
                return str(operation)
    raise AssertionError(f"the README has no operation {name}")


@pytest.mark.parametrize(
    ("source", "destination", "arrive", "rate"),
    [("AERO", "HOTEL", 640, "0.64"), ("GROCER", "COFFEE", 737, "0.737")],
)
async def test_the_readme_story(
    stage: Stage, source: str, destination: str, arrive: int, rate: str
) -> None:
    """The README's queries show a wallet, quote a conversion, make it, and make it but once."""
    ada = await stage.enrol(source, destination)
    await stage.give(ada.memberships[source], 1_500)

    wallet = await stage.data(readme_query("Wallet"), {"number": ada.number}, ada.token)
    assert wallet["member"]["totalValue"]["currency"] == "USD"
    held = {each["brand"]["code"]: each for each in wallet["member"]["memberships"]}
    assert held[source]["balance"]["available"] == 1_500

    ways = {"from": held[source]["id"], "to": held[destination]["id"]}
    quoted = (await stage.data(readme_query("Quote"), ways, ada.token))["transferQuote"]
    assert quoted["errors"] == []
    assert (quoted["quote"]["pointsOut"], quoted["quote"]["pointsIn"]) == (1_000, arrive)
    assert quoted["quote"]["effectiveRate"] == rate

    execute: Any = (readme_query("Convert"), {"quote": quoted["quote"]["id"]}, ada.token)
    first = (await stage.data(*execute))["transferCreate"]
    again = (await stage.data(*execute))["transferCreate"]
    assert first["transfer"]["status"] == "COMPLETED"
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["transfer"] == first["transfer"]

    source_now = await stage.data(HISTORY, {"id": ada.memberships[source]}, ada.token)
    there_now = await stage.data(HISTORY, {"id": ada.memberships[destination]}, ada.token)
    assert source_now["node"]["balance"]["posted"] == 500
    assert there_now["node"]["balance"]["posted"] == arrive
    assert await stage.audit() == []


async def test_the_money_goes_with_the_points(stage: Stage) -> None:
    """A conversion's entries sum to zero in each unit, and the margin takes what the rates leave:
    1000 x 0.005 - 737 x 0.006 = 0.578."""
    ada = await stage.enrol("GROCER", "COFFEE")
    await stage.give(ada.memberships["GROCER"], 1_000)
    await stage.do(
        "transferCreate",
        {
            "transfer": {
                "source": ada.memberships["GROCER"],
                "destination": ada.memberships["COFFEE"],
                "pointsOut": 1_000,
            },
            "idempotencyKey": key(),
        },
    )
    found = await stage.data(HISTORY, {"id": ada.memberships["COFFEE"]})
    (edge,) = found["node"]["transactions"]["edges"]
    entries = [
        (entry["account"]["unit"], entry["account"]["kind"], entry["amount"])
        for entry in edge["node"]["entries"]
    ]
    assert edge["node"]["kind"] == "CONVERSION"
    assert sorted(entries) == [
        ("COFFEE", "CONVERTED", "-737"),
        ("COFFEE", "POINTS", "737"),
        ("GROCER", "CONVERTED", "1000"),
        ("GROCER", "POINTS", "-1000"),
        ("USD", "MARGIN", "0.578"),
        ("USD", "POOL", "-5"),
        ("USD", "POOL", "4.422"),
    ]


async def test_a_transfer_taken_back(stage: Stage) -> None:
    """A reversed transfer gives both sides what they had, says so, and happens but once."""
    ada = await stage.enrol("AERO", "HOTEL")
    await stage.give(ada.memberships["AERO"], 1_000)
    ways = {
        "source": ada.memberships["AERO"],
        "destination": ada.memberships["HOTEL"],
        "pointsIn": 64,
    }
    fields = "transfer { id status pointsOut pointsIn source { id } destination { id } quote { id }"
    fields += " transactions { kind reverses { kind } } } replayed"
    made = await stage.do("transferCreate", {"transfer": ways, "idempotencyKey": key()}, fields)
    assert (made["transfer"]["pointsOut"], made["transfer"]["pointsIn"]) == (100, 64)
    assert made["transfer"]["quote"] is None

    reverse = {"transfer": made["transfer"]["id"], "reason": "a mistake", "idempotencyKey": key()}
    taken = await stage.do("transferReverse", reverse, fields)
    again = await stage.do("transferReverse", reverse, fields)
    other = await stage.do("transferReverse", reverse | {"idempotencyKey": key()}, fields)
    assert taken["transfer"]["status"] == "REVERSED"
    assert taken["transfer"]["transactions"] == [
        {"kind": "CONVERSION", "reverses": None},
        {"kind": "REVERSAL", "reverses": {"kind": "CONVERSION"}},
    ]
    assert (taken["replayed"], again["replayed"]) == (False, True)
    assert other["transfer"] is None
    assert [error["code"] for error in other["errors"]] == ["ALREADY_REVERSED"]
    for code, points in (("AERO", 1_000), ("HOTEL", 0)):
        found = await stage.data(HISTORY, {"id": ada.memberships[code]})
        assert found["node"]["balance"]["posted"] == points
    assert await stage.audit() == []


async def test_an_adjustment_taken_back_in_parts(stage: Stage) -> None:
    """A transaction is taken back in parts until nothing of it is left."""
    ada = await stage.enrol("AERO")
    given = await stage.give(ada.memberships["AERO"], 100)
    identifier = given["transaction"]["id"]
    for points in (30, 70):
        payload = await stage.do(
            "transactionReverse",
            {
                "transaction": identifier,
                "points": points,
                "reason": "too much",
                "idempotencyKey": key(),
            },
            "transaction { kind points reverses { id } }",
        )
        assert payload["errors"] == []
        assert payload["transaction"]["reverses"]["id"] == identifier
    whole = await stage.data(
        "query T($id: ID!) { ledgerTransaction(id: $id) { reversedBy { points } receipt } }",
        {"id": identifier},
    )
    assert sorted(each["points"] for each in whole["ledgerTransaction"]["reversedBy"]) == [30, 70]
    more = {"transaction": identifier, "reason": "again", "idempotencyKey": key()}
    refused = await stage.do("transactionReverse", more)
    assert [error["code"] for error in refused["errors"]] == ["ALREADY_REVERSED"]
    assert await stage.audit() == []


async def test_a_new_valuation(stage: Stage) -> None:
    """A valuation published by its brand is in force at once, and what members hold is worth so."""
    ada = await stage.enrol("AERO", "HOTEL")
    await stage.give(ada.memberships["AERO"], 1_000)
    published = await stage.do(
        "valuationPublish",
        {"brand": "AERO", "redemptionRate": "0.02", "transferInRate": "0.025"},
        "valuation { redemptionRate issuePrice transferOutRate transferInRate effectiveTo }",
        who="aero",
    )
    assert published["valuation"] == {
        "redemptionRate": "0.02",
        "issuePrice": "0.02",
        "transferOutRate": "0.02",
        "transferInRate": "0.025",
        "effectiveTo": None,
    }
    seen = await stage.data(
        """query V($id: ID!) {
            node(id: $id) { ... on Membership { balance { value { amount } } } }
            brand(code: "AERO") { valuations(last: 2) { edges { node { redemptionRate } } } }
            exchangeRate(from: "AERO", to: "HOTEL") { pointsOut pointsIn valueOut { amount } }
        }""",
        {"id": ada.memberships["AERO"]},
        ada.token,
    )
    assert seen["node"]["balance"]["value"]["amount"] == "20"
    rates = [each["node"]["redemptionRate"] for each in seen["brand"]["valuations"]["edges"]]
    assert rates == ["0.01", "0.02"]
    assert seen["exchangeRate"] == {
        "pointsOut": 5,
        "pointsIn": 8,
        "valueOut": {"amount": "0.1"},
    }
    assert await stage.audit() == []


async def test_a_preview_locks_nothing(stage: Stage) -> None:
    """A preview shows a quote's figures without an id, and leaves no trace."""
    ada = await stage.enrol("AERO", "HOTEL")
    before = await stage.books()
    shown = await stage.data(
        """query P($input: TransferQuoteInput!) {
            transferPreview(input: $input) {
                quote { id pointsIn basePoints bonusPoints fee { amount } expiresAt source { id } }
                errors { code }
            }
        }""",
        {
            "input": {
                "source": ada.memberships["AERO"],
                "destination": ada.memberships["HOTEL"],
                "pointsOut": 1_000,
            }
        },
        ada.token,
    )
    assert shown["transferPreview"]["quote"] == {
        "id": None,
        "pointsIn": 640,
        "basePoints": 640,
        "bonusPoints": 0,
        "fee": None,
        "expiresAt": None,
        "source": {"id": ada.memberships["AERO"]},
    }
    assert await stage.books() == before


async def test_memberships_come_and_go(stage: Stage) -> None:
    """A membership is opened under its number, holds points, and is closed for good."""
    ada = await stage.enrol("AERO")
    opened = await stage.do(
        "membershipOpen",
        {"member": {"coalitionNumber": ada.number}, "brand": "COFFEE", "number": "BEAN-1"},
        "membership { id number status joinedAt tier { code } member { id } balance { posted } }",
        who="coffee",
    )
    assert opened["errors"] == []
    assert opened["membership"]["number"] == "BEAN-1"
    assert opened["membership"]["tier"] is None
    assert opened["membership"]["member"]["id"] == ada.id
    closed = await stage.do(
        "membershipClose", {"membership": opened["membership"]["id"]}, "membership { status }"
    )
    assert closed["membership"]["status"] == "CLOSED"


async def test_each_mutation_shows_what_it_left(stage: Stage) -> None:
    """Of several mutations in one document each shows how things stood right after it."""
    ada = await stage.enrol("AERO")
    given = [
        {
            "membership": ada.memberships["AERO"],
            "points": points,
            "reason": "a gift",
            "idempotencyKey": key(),
        }
        for points in (10, 5)
    ]
    shown = "membership { balance { posted } member { totalValue { amount } } }"
    data = await stage.data(
        f"""mutation M($a: PointsAdjustInput!, $b: PointsAdjustInput!) {{
            a: pointsAdjust(input: $a) {{ {shown} }}
            b: pointsAdjust(input: $b) {{ {shown} }}
        }}""",
        {"a": given[0], "b": given[1]},
    )
    for name, posted, amount in (("a", 10, "0.1"), ("b", 15, "0.15")):
        membership = data[name]["membership"]
        assert membership["balance"]["posted"] == posted
        assert membership["member"]["totalValue"]["amount"] == amount


async def test_enrolling_again(stage: Stage) -> None:
    """An enrolment sent twice enrols one member, and the second answer says so."""
    given = {
        "externalId": "crm-7",
        "profile": {"birthDate": "1815-12-10"},
        "memberships": [{"brand": "AERO", "number": "A-1"}],
        "brands": ["HOTEL"],
        "idempotencyKey": key(),
    }
    fields = "replayed member { id externalId profile { birthDate } memberships { number } }"
    first = await stage.do("memberEnroll", given, fields)
    again = await stage.do("memberEnroll", given, fields)
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["member"] == first["member"]
    assert first["member"]["profile"] == {"birthDate": "1815-12-10"}
    found = await stage.data('{ member(by: {externalId: "crm-7"}) { id } }')
    assert found["member"]["id"] == first["member"]["id"]
