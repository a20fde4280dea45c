"""What each kind of caller sees of things that have several sides, by value: the authorization
table says of every field who sees it at all."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.gateway.stage import Json, Person, Stage, key

MEMBER = "id coalitionNumber profile { email } memberships { brand { code } } totalValue { amount }"

CODES = {"AERO", "HOTEL"}


@dataclass(frozen=True, slots=True)
class Scene:
    """Ada, at two brands, with points; and a transfer of hers."""

    ada: Person
    transfer: str


async def scene_of(stage: Stage) -> Scene:
    """Ada, and Bob who has nothing to do with her."""
    ada = await stage.enrol("AERO", "HOTEL")
    bob = await stage.enrol("COFFEE")
    stage.tokens |= {"ada": ada.token, "bob": bob.token}
    await stage.give(ada.memberships["AERO"], 1_000)
    given = {"transfer": _ways(ada), "idempotencyKey": key()}
    made = await stage.do("transferCreate", given, "transfer { id }")
    return Scene(ada, made["transfer"]["id"])


def _ways(person: Person) -> Json:
    return {
        "source": person.memberships["AERO"],
        "destination": person.memberships["HOTEL"],
        "pointsOut": 100,
    }


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


@pytest.mark.parametrize(
    ("named", "opened"),
    [
        (lambda ada: {"id": ada.id}, False),
        (lambda ada: {"coalitionNumber": ada.number}, True),
    ],
)
async def test_whom_a_brand_opens_a_membership_for(
    stage: Stage, named: Callable[[Person], Json], opened: bool
) -> None:
    """A member who showed it her number; of one whom it only heard of it learns nothing, and
    nothing has changed."""
    scene = await scene_of(stage)
    before = await stage.books()
    given = {"member": named(scene.ada), "brand": "GROCER"}
    payload = await stage.do("membershipOpen", given, who="grocer")
    codes = [error["code"] for error in payload["errors"]]
    assert codes == ([] if opened else ["MEMBER_NOT_FOUND"])
    assert (await stage.books() == before) is not opened


async def test_a_brand_sees_no_more_of_a_conversion_than_its_side(stage: Stage) -> None:
    """A brand may convert its member's points to another brand without looking in there."""
    scene = await scene_of(stage)
    sides = "quote { source { number } destination { number } }"
    quoted = await stage.do("transferQuote", _ways(scene.ada), sides, who="aero")
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
    quoted = await stage.do("transferQuote", _ways(scene.ada), "quote { id }", who="ada")
    given = {"quote": quoted["quote"]["id"], "idempotencyKey": key()}
    payload = await stage.do("transferCreate", given, who="aero")
    assert [error["code"] for error in payload["errors"]] == ["QUOTE_NOT_FOUND"]
