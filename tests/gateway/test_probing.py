"""Probing: whoever has no credential learns nothing of the contract, whatever is guessed; and who
has one learns nothing of what is there and not for him."""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_introspection_query,
)

from brands.agencies import NewAgency, create_agency
from brands.buckets import Rate
from brands.callers import CallerKind
from brands.credentials import NewKey, revoke_key
from schema.root import SCHEMA
from tests.gateway.authorization_scene import set_scene
from tests.gateway.stage import OPERATOR, Json, Stage, open_stage
from tests.gateway.walk_twins import twins
from tests.gateway.walk_wire import EVENTS, GRAPHQL, JSON, Got, Sent, call, converse

CONTRACT = SCHEMA._schema
UNHURRIED = {"rate_anonymous": Rate(10**9, 10**9)}
"""Whoever fails too often is told to wait, whatever he asks: that is tested elsewhere."""

Seen = tuple[int, tuple[tuple[str, str], ...], bytes]


def words() -> list[str]:
    """Every name in the contract."""
    found = set(CONTRACT.type_map) | {directive.name for directive in CONTRACT.directives}
    for type_ in CONTRACT.type_map.values():
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            found |= set(type_.fields)
            found |= {name for field in type_.fields.values() for name in field.args}
        elif isinstance(type_, GraphQLInputObjectType):
            found |= set(type_.fields)
        elif isinstance(type_, GraphQLEnumType):
            found |= set(type_.values)
    return sorted(found)


def near_words() -> list[str]:
    """Names that are nearly one of the contract."""
    found = set(words())
    near = {name[:-1] for name in found if len(name) > 2} | {name + "s" for name in found}
    return sorted(near - found - {"_", "__"})


def guesses(word: str) -> Iterator[str]:
    """Documents that would tell whether there is such a name, if they were answered."""
    yield f"{{ {word} }}"
    yield f"{{ {word} {{ id }} }}"
    yield f"{{ brand({word}: 1) {{ id }} }}"
    yield f"mutation {{ {word}(input: {{}}) {{ __typename }} }}"
    yield f"subscription {{ {word} {{ __typename }} }}"
    yield f"query ($v: {word}) {{ __typename }}"
    yield f"fragment F on {word} {{ id }} {{ viewer {{ ...F }} }}"
    yield f'{{ __type(name: "{word}") {{ name }} }}'
    yield f'{{ _entities(representations: [{{__typename: "{word}"}}]) {{ __typename }} }}'
    yield f"{{ viewer @{word} {{ kind }} }}"


QUESTIONS = (
    *(
        "{ __typename }",
        "{ __schema { types { name } } }",
        "{ _service { sdl } }",
        "query",
        "{",
        "",
    ),
    *("{ viewer { kind } }", "{ viewr { kind } }", "{ brand(code: 1) { id } }", "\x00", "{ ...F }"),
    *("query A { __typename } query A { __typename }", "{ a" * 3_000, " " * 70_000, "# nothing"),
    *(get_introspection_query(), "{ __type(name: 7) { name } }", "extend type Query { a: Int }"),
)


def posted(query: Any, token: str | None, accept: str = JSON, **more: Any) -> Sent:
    """A POST of a document."""
    headers = {"content-type": JSON, "accept": accept}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return Sent("POST", headers, orjson.dumps({"query": query} | more))


def got_by_get(query: str, token: str | None, accept: str = JSON) -> Sent:
    """The same with GET."""
    headers = {"accept": accept}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return Sent("GET", headers, query_string=urlencode({"query": query}).encode())


def seen(got: Got) -> Seen:
    """All of an answer but the number that its request was given."""
    assert len(got.headers.pop("x-request-id")) >= 16
    assert got.headers.pop("content-length", str(len(got.body))) == str(len(got.body))
    return got.status, tuple(sorted(got.headers.items())), got.body


async def one_answer(stage: Stage, asked: Iterable[Sent]) -> Seen:
    """The answer that all of these requests get, each from somewhere else: an address from which
    too many come with no good credential is told to wait."""
    answers: dict[Seen, Sent] = {}
    for number, sent in enumerate(asked):
        each = replace(sent, address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        answers.setdefault(seen(await call(stage.app, each)), each)
    told = "\n".join(f"{str(sent)[:300]} -> {answer}" for answer, sent in answers.items())
    assert len(answers) == 1, told
    return next(iter(answers))


async def tokens_of_no_use(stage: Stage) -> dict[str, str | None]:
    """No credential, and credentials that are no good, of every kind."""
    soon = datetime.now(UTC) + timedelta(days=1)
    revoked = await stage.token(NewKey(CallerKind.OPERATOR, "revoked"))
    await revoke_key(stage.coalition, OPERATOR, revoked[5:21])
    expired = await stage.token(NewKey(CallerKind.OPERATOR, "expired", expires_at=soon))
    await stage.coalition.database.fetch(
        "UPDATE credentials SET expires_at = created_at + 1 WHERE id = $1", expired[5:21]
    )
    return {
        "none": None,
        "unknown": "ck_o_0123456789abcdef." + "A" * 43,
        "malformed": "nonsense",
        "two": "two words",
        "altered": stage.tokens["operator"][:-1] + "~",
        "signed": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
        "revoked": revoked,
        "expired": expired,
    }


@pytest.fixture
async def closed(sqlite_url: str) -> AsyncIterator[Stage]:
    """A gateway as it is deployed. What is tested here does not depend on the database."""
    async with open_stage(sqlite_url, **UNHURRIED) as opened:
        yield opened


@pytest.mark.parametrize("accept", [JSON, GRAPHQL, "*/*", EVENTS])
async def test_nothing_is_learnt_without_a_credential(closed: Stage, accept: str) -> None:
    """Without a credential, or with one that is no good, every document there could be gets one and
    the same answer, to the byte: names that exist, nearly exist and do not exist alike."""
    useless = await tokens_of_no_use(closed)
    asked = [
        send(query, token, accept)
        for send, query, token in product((posted, got_by_get), QUESTIONS, useless.values())
    ]
    if accept == JSON:
        guessed = [guess for word in words() for guess in guesses(word)]
        guessed += [list(guesses(word))[place % 10] for place, word in enumerate(near_words())]
        asked += [posted(guess, None, accept) for guess in guessed]
        asked += [posted(guess, useless["revoked"], accept) for guess in guessed[::40]]
        asked += [got_by_get(guess, None, accept) for guess in guessed[::10]]
    odds: tuple[Any, ...] = (7, None, [], {"a": 1}, "{ viewer { kind } }")
    for odd in odds:
        asked.append(posted(odd, None, accept, documentId="x", variables=odd, operationName=odd))
    heads = {"content-type": "text/plain", "accept": accept}
    asked += [Sent("POST", heads, body) for body in (b"", b"{", b"[]", b"x" * 2_000_000)]
    status, headers, body = await one_answer(closed, asked)
    assert status == 401
    assert dict(headers)["www-authenticate"].startswith("Bearer")
    assert orjson.loads(body)["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_nothing_is_learnt_over_a_websocket(closed: Stage) -> None:
    """Without a good credential every WebSocket is closed in the same words, whatever is said on
    it; and before a credential is shown nothing that is said is heard."""
    useless = [token and f"Bearer {token}" for token in (await tokens_of_no_use(closed)).values()]
    guessed = [*QUESTIONS, *(guess for word in words()[::20] for guess in guesses(word))]
    for payload in ({}, *({"authorization": token} for token in useless)):
        conversations = [
            [
                {"type": "connection_init", "payload": payload},
                {"type": "subscribe", "id": "1", "payload": {"query": query}},
            ]
            for query in (guessed if payload == {} else QUESTIONS)
        ]
        assert await closed_with(closed, conversations) == (4401, "Unauthorized")
    short = [guess for guess in guessed if len(guess) < 60_000]  # a longer message is none
    early = [[{"type": "subscribe", "id": "1", "payload": {"query": guess}}] for guess in short]
    assert (await closed_with(closed, early))[0] == 4401


async def closed_with(stage: Stage, conversations: list[list[Json]]) -> tuple[int, str]:
    """The code and the reason with which each of these conversations ends, after no other word."""
    ends: dict[tuple[int, str], list[Json]] = {}
    for number, messages in enumerate(conversations):
        address = f"10.{len(messages)}.{number >> 8}.{number & 255}"
        accepted, end = await converse(stage.app, messages, address)
        assert accepted["type"] == "websocket.accept"
        ends.setdefault((end["code"], end["reason"]), messages)
    assert len(ends) == 1, str(ends)[:2_000]
    return next(iter(ends))


async def test_no_other_path_tells_names(closed: Stage) -> None:
    """Nothing else that is served tells a name of the contract."""
    assert CONTRACT.mutation_type is not None
    telling = [name.encode() for name in CONTRACT.mutation_type.fields]
    for path in _PATHS:
        for method in ("GET", "POST", "OPTIONS", "HEAD"):
            got = await call(closed.app, Sent(method, {"accept": "*/*"}), path)
            assert got.status < 500
            assert [name for name in telling if name in got.body] == []


_PATHS = (
    *("/", "/graphql/", "/graphiql", "/schema", "/schema.graphql", "/graphql/schema", "/sdl"),
    *("/static/../../schema/schema.graphql", "/static/%2e%2e/schema.graphql", "/static/", "/docs"),
    *("/livez", "/readyz", "/metrics", "/openapi.json", "/oauth/token", "/.well-known/graphql"),
)


@pytest.fixture
async def public(sqlite_url: str) -> AsyncIterator[Stage]:
    """A gateway that shows its schema to everybody."""
    async with open_stage(sqlite_url, public_introspection=True, **UNHURRIED) as opened:
        yield opened


async def test_a_public_schema_is_all_that_is_public(public: Stage) -> None:
    """Where the schema is shown without a credential, nothing else is: whatever else is asked gets
    the same answer, and so does a credential that is no good, even for the schema."""
    shown = await public.post({"query": get_introspection_query()}, None)
    assert shown.json()["data"]["__schema"]["queryType"]["name"] == "Query"
    useless = await tokens_of_no_use(public)
    schema_only = ("{ __typename }", "{ __schema { types { name } } }", get_introspection_query())
    others = [each for each in QUESTIONS if each and each not in schema_only]
    some = [guess for word in words()[::10] for guess in guesses(word) if "__type" not in guess]
    asked = [posted(query, None) for query in (*others, *some)]
    asked += [
        posted(query, token)
        for token in useless.values()
        if token is not None
        for query in (*schema_only, "{ viewer { kind } }")
    ]
    assert (await one_answer(public, asked))[0] == 401


FOR_ANYBODY = {"missingCreditClaim"}
"""What an agency may do for any traveller, known to the brand or not."""

STRANGERS = ("coffee", "rival", "bob")
"""To whom Ada does not exist, nor whatever anybody did for her. `rival` is another agency."""


async def test_what_is_anothers_is_as_if_it_were_not(stage: Stage) -> None:
    """Every operation that is asked with a name answers a stranger the same, to the byte, whether
    somebody else's thing is called so or nothing at all, and changes nothing but what may be done
    for anybody."""
    scene = await set_scene(stage)
    await create_agency(stage.coalition, OPERATOR, NewAgency("RIVAL", "Rival"))
    rival = NewKey(CallerKind.AGENCY, "desk", agency_code="RIVAL")
    stage.tokens["rival"] = await stage.token(rival)
    data = await stage.data("{ viewer { member { memberships { id } } } }", who="bob")
    own = data["viewer"]["member"]["memberships"][0]["id"]
    before = await stage.books()
    differing: list[str] = []
    asked: set[str] = set()
    for twin in sorted(twins(CONTRACT, scene, own), key=lambda each: each.field in FOR_ANYBODY):
        if twin.field in FOR_ANYBODY and not asked & FOR_ANYBODY:
            assert await stage.books() == before
        for who in STRANGERS:
            heads = {"content-type": JSON, "accept": f"{JSON}, {EVENTS};q=0.5"}
            heads["authorization"] = f"Bearer {stage.tokens[who]}"
            got = [
                await call(stage.app, Sent("POST", heads, body)) for body in (twin.body, twin.other)
            ]
            hers, nobodys = ((each.status, seen(each)[1], twin.unnamed(each.body)) for each in got)
            asked.add(twin.field)
            if hers != nobodys:
                differing.append(f"{twin.field} {twin.name} as {who}: {hers} but {nobodys}")
    assert differing == []
    assert asked >= {"node", "member", "ledgerTransaction", "transferQuote", "pointsAdjust"}
