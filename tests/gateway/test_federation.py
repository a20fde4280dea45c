"""The gateway as a subgraph: what a router finds by keys, and what is no key of anything."""

from typing import Any

import pytest
from graphql import build_schema

from schema.entities import MAX_REPRESENTATIONS
from schema.nodes import Tag, global_id
from schema.printing import client_sdl
from schema.root import SCHEMA
from tests.gateway.stage import Json, Person, Stage, uuid_of

ENTITIES = """query Found($r: [_Any!]!) {
    _entities(representations: $r) { __typename ... on Node { id } }
}"""
MARK = "s3cret"
"""What nobody may be sent back."""

UNREADABLE: list[Any] = [
    1,
    True,
    1.5,
    MARK,
    [],
    {},
    {"id": MARK},
    {"__typename": None},
    {"__typename": 7},
    {"__typename": [MARK]},
    {"__typename": MARK},
    {"__typename": "Query"},
    {"__typename": "__Schema"},
    {"__typename": "Transfer", "id": MARK},
    {"__typename": "Member"},
    {"__typename": "Member", "id": None},
    {"__typename": "Member", "id": 7},
    {"__typename": "Member", "id": {"id": MARK}},
    {"__typename": "Member", "externalId": MARK},
    {"__typename": "Member", "info": MARK, "self": MARK},
    {"__typename": "Brand", "code": [MARK]},
    {"__typename": "Brand", "name": MARK},
    {"__typename": "Membership", "number": MARK},
    {"__typename": "Membership", "brand": MARK, "number": MARK},
    {"__typename": "Membership", "brand": {"code": 7}, "number": MARK},
    {"__typename": "Membership", "brand": {"code": "AERO"}, "number": 7},
]
"""What is no representation of an entity by a key."""

NOBODYS: list[Json] = [
    {"__typename": name, key: value}
    for name, key in (("Member", "coalitionNumber"), ("Brand", "code"), ("Membership", "id"))
    for value in ("", MARK, "\0", "' OR 1=1 --", "é" * 10_000, "\N{PILE OF POO}", "__class__")
]
NOBODYS += [
    {"__typename": "Membership", "brand": {"code": code}, "number": number}
    for code in ("", "AERO", MARK, "\0")
    for number in ("", MARK, "\0", "9" * 10_000)
]
"""Keys of nothing."""


async def found(stage: Stage, given: Any, who: str = "operator") -> Json:
    """The answer but for its extensions, which repeats nothing that was sent."""
    response = await stage.post({"query": ENTITIES, "variables": {"r": given}}, who)
    assert response.status_code == 200
    assert MARK not in response.text
    answer: Json = response.json()
    answer.pop("extensions", None)
    return answer


def by_every_key(person: Person, number: str) -> list[Json]:
    """A member and her membership at AERO, and AERO, in every way."""
    return [
        {"__typename": "Membership", "brand": {"code": "AERO"}, "number": number},
        {"__typename": "Member", "coalitionNumber": person.number},
        {"__typename": "Brand", "code": "AERO"},
        {"__typename": "Membership", "id": person.memberships["AERO"]},
        {"__typename": "Member", "id": person.id},
    ]


async def number_of(stage: Stage, person: Person) -> str:
    """Her loyalty number at AERO."""
    query = "query N($id: ID!) { node(id: $id) { ... on Membership { number } } }"
    data = await stage.data(query, {"id": person.memberships["AERO"]})
    number: str = data["node"]["number"]
    return number


async def test_entities_are_found_by_their_keys(stage: Stage) -> None:
    """What is represented is found in its place, however often, and by whichever key."""
    ada, bob = await stage.enrol("AERO", "HOTEL"), await stage.enrol("AERO")
    brand = (await stage.data('{ brand(code: "AERO") { id } }'))["brand"]["id"]
    asked, expected = [], []
    for person in (ada, bob, ada):
        asked += by_every_key(person, await number_of(stage, person))
        held = {"__typename": "Membership", "id": person.memberships["AERO"]}
        herself = {"__typename": "Member", "id": person.id}
        expected += [held, herself, {"__typename": "Brand", "id": brand}, held, herself]
    assert await found(stage, asked) == {"data": {"_entities": expected}}
    assert await found(stage, []) == {"data": {"_entities": []}}


async def test_who_may_not_see_finds_nothing(stage: Stage) -> None:
    """What a caller may not see is null, as is what there is not, and without a word."""
    ada, bob = await stage.enrol("AERO"), await stage.enrol("COFFEE")
    asked = by_every_key(ada, await number_of(stage, ada))
    for who in ("hotel", "agency", bob.token):
        answer = await found(stage, asked, who)
        assert [each and each["__typename"] for each in answer.pop("data")["_entities"]] == [
            None,
            None,
            "Brand",
            None,
            None,
        ]
        assert answer == {}


async def test_keys_of_nothing(stage: Stage) -> None:
    """A key that fits nothing finds nothing, however strange it is."""
    answer = await found(stage, NOBODYS)
    assert answer == {"data": {"_entities": [None] * len(NOBODYS)}}


@pytest.mark.parametrize("name", ["Brand", "Member", "Membership"])
async def test_an_id_of_another_type(stage: Stage, name: str) -> None:
    """An entity is never of another type than the one that was asked for."""
    ada = await stage.enrol("AERO")
    given = await stage.give(ada.memberships["AERO"], 10)
    brand = (await stage.data('{ brand(code: "AERO") { id } }'))["brand"]["id"]
    ids = {"Brand": brand, "Member": ada.id, "Membership": ada.memberships["AERO"]}
    others = [identifier for of, identifier in ids.items() if of != name]
    others += [given["transaction"]["id"], global_id(Tag.ACCOUNT, uuid_of(ada.id))]
    answer = await found(stage, [{"__typename": name, "id": each} for each in others])
    assert answer == {"data": {"_entities": [None] * len(others)}}


async def test_what_represents_nothing(stage: Stage) -> None:
    """What is no representation is null, with a typed error in its place, and the others are
    answered."""
    good = {"__typename": "Brand", "code": "AERO"}
    answer = await found(stage, [good, *UNREADABLE, good])
    entities = answer["data"]["_entities"]
    assert entities[1:-1] == [None] * len(UNREADABLE)
    assert entities[0] == entities[-1]
    assert entities[0] is not None
    assert [(each["path"], each["extensions"]) for each in answer["errors"]] == [
        (["_entities", place], {"code": "BAD_USER_INPUT", "argument": "representations"})
        for place in range(1, len(UNREADABLE) + 1)
    ]


async def test_representations_in_the_document(stage: Stage) -> None:
    """Representations may be written into the document, with variables in them."""
    deep = "[" * 100 + f'"{MARK}"' + "]" * 100
    response = await stage.post(
        {
            "query": "query D($code: String!) { _entities(representations: ["
            '{__typename: "Brand", code: "AERO"}, {__typename: "Brand", code: $code}, '
            f'{deep}, {{__typename: Brand, code: "AERO"}}, "{MARK}"'
            "]) { __typename ... on Brand { code } } }",
            "variables": {"code": "HOTEL"},
        }
    )
    assert MARK not in response.text
    assert [each and each["code"] for each in response.json()["data"]["_entities"]] == [
        "AERO",
        "HOTEL",
        None,
        "AERO",
        None,
    ]


@pytest.mark.parametrize("given", [None, [None], [{"__typename": "Brand", "code": "AERO"}, None]])
async def test_no_representations(stage: Stage, given: Any) -> None:
    """Null is no representation: nothing is asked for at all."""
    (error,) = (await found(stage, given))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_how_many(stage: Stage) -> None:
    """A hundred representations are answered, one more is refused as a whole."""
    asked = [{"__typename": "Brand", "code": "AERO"}] * MAX_REPRESENTATIONS
    assert None not in (await found(stage, asked))["data"]["_entities"]
    answer = await found(stage, [*asked, asked[0]])
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"] == {
        "code": "BAD_USER_INPUT",
        "argument": "representations",
    }


async def test_routers_have_credentials(stage: Stage) -> None:
    """Without a credential there is neither the schema nor an entity."""
    for query in ("{ _service { sdl } }", "{ _entities(representations: []) { __typename } }"):
        response = await stage.post({"query": query}, None)
        assert response.status_code == 401
        assert "data" not in response.json()


async def test_the_subgraph_says_what_it_is(stage: Stage) -> None:
    """What the subgraph says of itself has the keys of its entities, and links Federation 2.9."""
    sdl = (await stage.data("{ _service { sdl } }", who="agency"))["_service"]["sdl"]
    assert sdl == SCHEMA.subgraph_sdl
    assert 'schema @link(url: "https://specs.apollo.dev/federation/v2.9"' in sdl
    assert 'type Member implements Node @key(fields: "id") @key(fields: "coalitionNumber")' in sdl
    assert "type PageInfo @shareable" in sdl


def test_clients_read_nothing_of_routers() -> None:
    """The contract that is committed is plain GraphQL: every directive in it is defined in it, and
    nothing is of federation."""
    text = SCHEMA.as_str()
    build_schema(text)
    for word in ("_entities", "_service", "_Any", "_Entity", "@key", "@link", "@shareable"):
        assert word in SCHEMA.subgraph_sdl
        assert word not in text


def test_directives_are_defined_for_clients() -> None:
    """A directive that is not only for routers comes with its definition."""
    more = "directive @shown(to: String) on FIELD_DEFINITION  type Query { a: Int }"
    known = build_schema(more).directives
    subgraph = """schema @link(url: "x") { query: Query }

type Query @key(fields: "a") {
  a: Int @shown(to: "all") @shareable
  _service: _Service!
}

type _Service {
  sdl: String!
}"""
    text = client_sdl(subgraph, known)
    assert text == (
        "directive @shown(to: String) on FIELD_DEFINITION\n\n"
        'type Query {\n  a: Int @shown(to: "all")\n}'
    )
    build_schema(text)
