"""Who sees what, and who may do what: each kind of caller, over the whole contract."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.gateway.stage import Json, Person, Stage, key

MEMBER = "id coalitionNumber profile { email } memberships { brand { code } } totalValue { amount }"

CODES = {"AERO", "HOTEL"}


@dataclass(frozen=True, slots=True)
class Scene:
    """Ada, at two brands, with points; one of her transactions, a transfer that is done and one
    that is under way. And Bob's household, to which he has invited Carol."""

    ada: Person
    transaction: str
    transfer: str
    pending: str
    carol: Json
    household: str
    invitation: str


async def scene_of(stage: Stage) -> Scene:
    """Ada, and Bob and Carol who have nothing to do with her."""
    ada = await stage.enrol("AERO", "HOTEL")
    bob = await stage.enrol("COFFEE")
    stage.tokens |= {"ada": ada.token, "bob": bob.token}
    given = await stage.give(ada.memberships["AERO"], 1_000)
    done = await _transfer(stage, ada, "AERO", "HOTEL", 100)
    later = {"from": "HOTEL", "to": "AERO", "arrivesAfterSeconds": 3_600}
    assert (await stage.do("transferRulePublish", later))["errors"] == []
    pending = await _transfer(stage, ada, "HOTEL", "AERO", 10)
    carol = await stage.enrol("COFFEE")
    read = "query N($id: ID!) { node(id: $id) { ... on Membership { number } } }"
    number = (await stage.data(read, {"id": carol.memberships["COFFEE"]}))["node"]["number"]
    named = {"brand": "COFFEE", "number": number, "surname": "Lovelace"}
    invited = await stage.do(
        "householdInvite", {"recipient": named}, "invitation { id }", who="bob"
    )
    viewer = await stage.data("{ viewer { member { household { id } } } }", who="bob")
    return Scene(
        ada,
        given["transaction"]["id"],
        done,
        pending,
        named,
        viewer["viewer"]["member"]["household"]["id"],
        invited["invitation"]["id"],
    )


async def _transfer(stage: Stage, person: Person, source: str, to: str, points: int) -> str:
    ways = {
        "source": person.memberships[source],
        "destination": person.memberships[to],
        "pointsOut": points,
    }
    given = {"transfer": ways, "idempotencyKey": key()}
    made = await stage.do("transferCreate", given, "transfer { id }")
    transfer: str = made["transfer"]["id"]
    return transfer


@pytest.mark.parametrize(
    ("who", "at", "email"),
    [
        ("operator", CODES, True),
        ("aero", {"AERO"}, True),
        ("hotel", {"HOTEL"}, True),
        ("ada", CODES, True),
        ("coffee", None, False),
        ("agency", None, False),
        ("bob", None, False),
    ],
)
async def test_who_sees_a_member(stage: Stage, who: str, at: set[str] | None, email: bool) -> None:
    """A member is seen by the operator and herself, by a brand as far as she is its own, and to
    everybody else she does not exist, however she is named."""
    scene = await scene_of(stage)
    data = await stage.data(
        f"""query M($id: ID!, $number: String!) {{
            byId: member(by: {{id: $id}}) {{ {MEMBER} }}
            byNumber: member(by: {{coalitionNumber: $number}}) {{ {MEMBER} }}
            node(id: $id) {{ ... on Member {{ {MEMBER} }} }}
        }}""",
        {"id": scene.ada.id, "number": scene.ada.number},
        who,
    )
    assert data["byId"] == data["byNumber"] == data["node"]
    if at is None:
        assert data["node"] is None
        return
    assert {each["brand"]["code"] for each in data["node"]["memberships"]} == at
    assert (data["node"]["profile"] is not None) is email


@pytest.mark.parametrize(
    ("who", "units"),
    [
        ("operator", {"AERO", "HOTEL", "USD"}),
        ("aero", {"AERO", "USD"}),
        ("hotel", {"HOTEL", "USD"}),
        ("ada", {"AERO", "HOTEL"}),
        ("coffee", None),
        ("agency", None),
        ("bob", None),
    ],
)
async def test_who_sees_a_transfer(stage: Stage, who: str, units: set[str] | None) -> None:
    """Of a transfer one sees the sides and the entries that concern one; of another's, nothing."""
    scene = await scene_of(stage)
    data = await stage.data(
        """query T($id: ID!) { node(id: $id) { ... on Transfer {
            source { brand { code } } destination { brand { code } }
            transactions { entries { account { unit } } }
        } } }""",
        {"id": scene.transfer},
        who,
    )
    if units is None:
        assert data["node"] is None
        return
    (transaction,) = data["node"]["transactions"]
    assert {entry["account"]["unit"] for entry in transaction["entries"]} == units
    sides = [data["node"]["source"], data["node"]["destination"]]
    seen = {side["brand"]["code"] for side in sides if side is not None}
    assert seen == units - {"USD"}


@pytest.mark.parametrize("who", ["coffee", "agency", "bob"])
async def test_what_is_not_there(stage: Stage, who: str) -> None:
    """What a caller may not see is answered as what does not exist."""
    scene = await scene_of(stage)
    ids = [scene.ada.memberships["AERO"], scene.transaction, scene.ada.id, scene.transfer]
    for identifier in ids:
        data = await stage.data(
            "query N($id: ID!) { node(id: $id) { __typename } ledgerTransaction(id: $id) { id } }",
            {"id": identifier},
            who,
        )
        assert data == {"node": None, "ledgerTransaction": None}


@pytest.mark.parametrize(
    ("who", "kind"),
    [
        ("operator", "OPERATOR"),
        ("aero", "BRAND"),
        ("agency", "AGENCY"),
        ("ada", "MEMBER"),
    ],
)
async def test_who_one_is(stage: Stage, who: str, kind: str) -> None:
    """The viewer is what the credential says."""
    scene = await scene_of(stage)
    data = await stage.data(
        "{ viewer { kind client scopes brand { code } member { id } } }", who=who
    )
    viewer = data["viewer"]
    assert viewer["kind"] == kind
    assert viewer["scopes"] == (["pii"] if who == "operator" else [])
    assert viewer["brand"] == ({"code": "AERO"} if who == "aero" else None)
    assert viewer["member"] == ({"id": scene.ada.id} if who == "ada" else None)


@pytest.mark.parametrize("who", ["operator", "aero", "agency", "ada"])
async def test_brands_are_public(stage: Stage, who: str) -> None:
    """Brands and their rates are public to every caller."""
    await scene_of(stage)
    data = await stage.data(
        """{ brands(first: 2, after: null) { edges { node { code settlementCurrency
                valuation { transferInRate } } } pageInfo { hasNextPage } }
            exchangeRate(from: "AERO", to: "HOTEL") { pointsOut pointsIn } }""",
        who=who,
    )
    codes = [edge["node"]["code"] for edge in data["brands"]["edges"]]
    assert codes == ["AERO", "COFFEE"]
    assert data["brands"]["pageInfo"]["hasNextPage"]
    assert data["exchangeRate"] == {"pointsOut": 25, "pointsIn": 16}


def mutations(scene: Scene) -> dict[str, Json]:
    """Every mutation, on Ada's things."""
    ways = {
        "source": scene.ada.memberships["AERO"],
        "destination": scene.ada.memberships["HOTEL"],
        "pointsOut": 100,
    }
    valuation = {"redemptionRate": "0.01"}
    return {
        "brandCreate": {
            "code": "NEWS",
            "name": "News",
            "pointsName": "Lines",
            "timeZone": "UTC",
            "valuation": valuation,
        },
        "valuationPublish": {"brand": "AERO", **valuation},
        "memberEnroll": {"brands": ["AERO"], "idempotencyKey": key()},
        "membershipOpen": {"member": {"id": scene.ada.id}, "brand": "GROCER"},
        "membershipClose": {"membership": scene.ada.memberships["HOTEL"]},
        "pointsAdjust": {
            "membership": scene.ada.memberships["AERO"],
            "points": 5,
            "reason": "a gift",
            "idempotencyKey": key(),
        },
        "transferQuote": ways,
        "transferCreate": {"transfer": ways, "idempotencyKey": key()},
        "transferCancel": {"transfer": scene.pending, "idempotencyKey": key()},
        "transferRulePublish": {"from": "AERO", "to": "HOTEL", "minimum": 2},
        "householdInvite": {"recipient": scene.carol},
        "householdAnswer": {"invitation": scene.invitation, "accept": True},
        "householdLeave": {"household": scene.household},
        "transferReverse": {
            "transfer": scene.transfer,
            "reason": "a mistake",
            "idempotencyKey": key(),
        },
        "transactionReverse": {
            "transaction": scene.transaction,
            "points": 1,
            "reason": "a mistake",
            "idempotencyKey": key(),
        },
    }


ALLOWED = {
    "aero": {
        *("valuationPublish", "transferRulePublish", "memberEnroll"),
        *("transferQuote", "transferCreate"),
    },
    "hotel": {"membershipClose", "transferCancel"},
    "grocer": {"membershipOpen"},
    "coffee": set[str](),
    "agency": set[str](),
    "ada": {"transferQuote", "transferCreate", "transferCancel", "householdInvite"},
    "bob": {"householdInvite", "householdLeave"},
}
"""What each may do of `mutations`; the operator may do everything but what members agree on."""


async def test_every_mutation_is_in_the_table(stage: Stage) -> None:
    """No mutation of the contract is left out of the table of who may do what."""
    scene = await scene_of(stage)
    data = await stage.data('{ __type(name: "Mutation") { fields { name } } }')
    assert {field["name"] for field in data["__type"]["fields"]} == set(mutations(scene))


@pytest.mark.parametrize("who", list(ALLOWED))
async def test_who_may_do_what(stage: Stage, who: str) -> None:
    """What one may not do is refused as data, as not permitted or as not there, and changes
    nothing."""
    scene = await scene_of(stage)
    refused = {name: given for name, given in mutations(scene).items() if name not in ALLOWED[who]}
    before = await stage.books()
    for name, given in refused.items():
        payload = await stage.do(name, given, who=who)
        codes = [error["code"] for error in payload["errors"]]
        assert codes, name
        assert all(_is_denial(code) for code in codes), (name, codes)
        assert await stage.books() == before, name
    if who == "grocer":  # only a member whom it knows, or who showed it her number
        known: dict[str, Any] = {"coalitionNumber": scene.ada.number}
        opened = await stage.do("membershipOpen", {"member": known, "brand": "GROCER"}, who=who)
        assert opened["errors"] == []
        return
    for name in ALLOWED[who]:
        payload = await stage.do(name, mutations(scene)[name], who=who)
        assert payload["errors"] == [], name


def _is_denial(code: str) -> bool:
    return code == "NOT_PERMITTED" or code.endswith("_NOT_FOUND")


async def test_a_brand_sees_no_more_of_a_conversion_than_its_side(stage: Stage) -> None:
    """A brand may convert its member's points to another brand without looking in there."""
    scene = await scene_of(stage)
    ways = mutations(scene)["transferQuote"]
    quoted = await stage.do(
        "transferQuote", ways, "quote { source { number } destination { number } }", who="aero"
    )
    assert quoted["errors"] == []
    assert quoted["quote"]["source"]["number"]
    assert quoted["quote"]["destination"] is None


async def test_a_revoked_credential(stage: Stage) -> None:
    """A credential is good until it is revoked, and from then on it is nobody's."""
    fetch = stage.coalition.database.fetch
    assert (await stage.post({"query": "{ viewer { kind } }"}, "agency")).status_code == 200
    await fetch("UPDATE credentials SET revoked_at = 1 WHERE kind = 'AGENCY'")
    assert (await stage.post({"query": "{ viewer { kind } }"}, "agency")).status_code == 401


async def test_nobody_uses_anothers_quote(stage: Stage) -> None:
    """A quote is for the client it was made for."""
    scene = await scene_of(stage)
    quoted = await stage.do(
        "transferQuote", mutations(scene)["transferQuote"], "quote { id }", who="ada"
    )
    given = {"quote": quoted["quote"]["id"], "idempotencyKey": key()}
    payload = await stage.do("transferCreate", given, who="aero")
    assert [error["code"] for error in payload["errors"]] == ["QUOTE_NOT_FOUND"]
