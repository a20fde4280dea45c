"""The authorization table, held against the schema and against what callers of every kind get."""

from typing import Any

import pytest
from graphql import GraphQLObjectType, extend_schema, get_named_type, is_leaf_type, parse

from brands.callers import CallerKind
from brands.credentials import NewKey
from schema.root import SCHEMA
from tests.gateway.authorization import (
    CALLERS,
    WHERE,
    Cells,
    Walk,
    differences,
    entities,
    fields,
    is_denial,
    key_of,
    keys_of,
    table,
    types,
)
from tests.gateway.authorization_scene import (
    arguments,
    inputs,
    representations,
    set_scene,
)
from tests.gateway.stage import Json, Stage

CONTRACT = SCHEMA._schema


def test_every_field_has_a_row() -> None:
    """Nothing in the contract is undecided, and nothing decided that is not in the contract."""
    assert sorted(table()) == sorted(fields(CONTRACT))
    asked = {type_.name for type_ in types(CONTRACT)} - {"Query", "Mutation", "Subscription"}
    assert set(WHERE) == asked


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        ("extend type Profile { shoeSize: Int }", {"Profile.shoeSize"}),
        ("extend type Query { profiles: [Profile!]! }", {"Query.profiles"}),
        ("extend type Mutation { open(door: Int): Brand }", {"Mutation.open"}),
        (
            "type Shop implements Node { id: ID! } extend type Query { shop: Shop }",
            {"Shop.id", "Query.shop", "Node.Shop"},
        ),
        ("extend union _Entity = Profile", {"Entity.Profile"}),
    ],
)
def test_what_is_new_has_no_row(more: str, missing: set[str]) -> None:
    """A field, a query, a mutation or a node that is added is missed in the table."""
    assert set(fields(extend_schema(CONTRACT, parse(more)))) - set(table()) == missing


@pytest.fixture
async def cast(stage: Stage) -> Stage:
    """The stage, where the operator has no scopes, and `pii` is one who has that."""
    stage.tokens["pii"] = stage.tokens["operator"]
    stage.tokens["operator"] = await stage.token(NewKey(CallerKind.OPERATOR, "bare"))
    return stage


async def test_who_sees_what(cast: Stage) -> None:
    """Every caller sees of every field, query and node what the table says, and no more."""
    scene = await set_scene(cast)
    keys = representations(scene)
    walk = Walk(cast, CONTRACT, scene.things, arguments(scene), keys)
    decided = {at: row for at, row in table().items() if not at.startswith("Mutation.")}
    assert differences(decided, await walk.seen()) == []


async def test_every_key_is_asked(cast: Stage) -> None:
    """The walk finds entities by every key that the contract says they have."""
    asked = representations(await set_scene(cast))
    assert {name: sorted(map(key_of, given)) for name, given in asked.items()} == {
        name: sorted(keys_of(name)) for name in entities(CONTRACT)
    }


async def test_what_is_no_node(cast: Stage) -> None:
    """The ids of things that are reached through others only find nothing, whoever asks."""
    scene = await set_scene(cast)
    entries = "query E($id: ID!) { ledgerTransaction(id: $id) { entries { account { id } } } }"
    data = await cast.data(entries, {"id": scene.things["earned"]})
    account = data["ledgerTransaction"]["entries"][0]["account"]["id"]
    things = [scene.things[name] for name in ("quote", "household", "invitation")]
    for identifier in (account, *things):
        for who in CALLERS:
            query = "query N($id: ID!) { node(id: $id) { id } }"
            assert await cast.data(query, {"id": identifier}, who) == {"node": None}


@pytest.mark.parametrize("field", ["node", "viewer"])
async def test_nobody(stage: Stage, field: str) -> None:
    """Without a credential there is no answer to any question."""
    response = await stage.post({"query": f"{{ {field} {{ __typename }} }}"}, None)
    assert response.status_code == 401
    assert "data" not in response.json()


async def test_who_may_do_what(cast: Stage) -> None:
    """Every caller may do what the table says; anything else is refused as not permitted or as not
    there, gives nothing back, and changes nothing."""
    decided = {at: row for at, row in table().items() if at.startswith("Mutation.")}
    found: Cells = {at: {} for at in decided}
    for who in CALLERS:
        scene = await set_scene(cast)
        given = inputs(scene)
        assert {f"Mutation.{name}" for name in given} == set(decided)
        # What is denied comes first, for what is done may make it something else.
        for name in sorted(given, key=lambda name: decided[f"Mutation.{name}"][who] == "done"):
            found[f"Mutation.{name}"][who] = await _attempt(cast, name, given[name], who)
    assert differences(decided, found) == []
    assert await cast.audit() == []


async def _attempt(stage: Stage, name: str, given: Json, who: str) -> str:
    """`done` or `denied`; a denial that is anything more is told."""
    before = await stage.books()
    payload = await stage.do(name, given, _all_of(name), who)
    codes = [error["code"] for error in payload.pop("errors")]
    if not codes:
        return "done"
    changed = await stage.books() != before
    if changed or any(payload.values()) or not all(map(is_denial, codes)):
        return f"refused by {codes} with {payload}{', and changed the books' * changed}"
    return "denied"


def _all_of(mutation: str) -> str:
    """What a payload holds beside the errors."""
    root = CONTRACT.mutation_type
    assert root is not None
    payload: Any = get_named_type(root.fields[mutation].type)
    assert isinstance(payload, GraphQLObjectType)
    return " ".join(
        name if is_leaf_type(get_named_type(field.type)) else f"{name} {{ __typename }}"
        for name, field in payload.fields.items()
        if name != "errors"
    )
