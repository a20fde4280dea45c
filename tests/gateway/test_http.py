"""GraphQL over HTTP: what comes in oddly gets a 4xx with a GraphQL error, never a 500."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.gateway.stage import Json, Stage, open_bare

GRAPHQL = "application/graphql-response+json"
TYPENAME = {"query": "{ __typename }"}


@pytest.fixture
async def bare(sqlite_url: str) -> AsyncIterator[Stage]:
    """A gateway without brands; what is tested here does not depend on the database."""
    async with open_bare(sqlite_url) as stage:
        yield stage


def error_of(response: httpx.Response) -> Json:
    """The one error of an answer."""
    body = response.json()
    assert "data" not in body
    (error,) = body["errors"]
    assert isinstance(error["message"], str)
    shown: Json = error
    return shown


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"nonsense", 400),
        (b"[]", 400),
        (b'[{"query": "{ __typename }"}]', 400),
        (b'"query"', 400),
        (b"null", 400),
        (b"17", 400),
        (b"{}", 400),
        (b'{"query": null}', 400),
        (b'{"query": 7}', 400),
        (b'{"query": ""}', 400),
        (b'{"query": "{ __typename }", "variables": []}', 400),
        (b'{"query": "{ __typename }", "variables": "{}"}', 400),
        (b'{"query": "{ __typename }", "operationName": 7}', 400),
        (b'{"query": "{ __typename }", "extensions": []}', 400),
        (b'{"query": "\xff\xfe"}', 400),
        (b'{"query": "\\ud800"}', 400),
        (b'{"query": ' + b"[" * 100_000, 400),
        (
            b'{"query": "{ __typename }", "variables": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
            400,
        ),
        (b" " * 2_000_000, 413),
    ],
)
async def test_odd_bodies(bare: Stage, body: bytes, status: int) -> None:
    """A body that is no request is refused with a GraphQL error."""
    headers = {"content-type": "application/json"}
    response = await bare.post(content=body, headers=headers)
    assert response.status_code == status
    assert error_of(response)["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/graphql",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/x-www-form-urlencoded",
    ],
)
async def test_odd_content_types(bare: Stage, content_type: str | None) -> None:
    """Only JSON in UTF-8 is read, so that no plain form on another site can send a request."""
    headers = {} if content_type is None else {"content-type": content_type}
    response = await bare.post(content=b'{"query": "{ __typename }"}', headers=headers)
    assert response.status_code == 415
    assert error_of(response)["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("accept", "status", "content_type"),
    [
        (None, 200, "application/json"),
        ("*/*", 200, "application/json"),
        ("application/*", 200, "application/json"),
        ("application/json", 200, "application/json"),
        (GRAPHQL, 200, GRAPHQL),
        (f"{GRAPHQL}, application/json;q=0.9", 200, GRAPHQL),
        (f"application/json, {GRAPHQL};q=0.5", 200, "application/json"),
        (f"{GRAPHQL}; charset=utf-8", 200, GRAPHQL),
        ("text/html", 406, "application/json"),
        ("application/json;q=0", 406, "application/json"),
        (f"{GRAPHQL}; charset=iso-8859-1", 406, "application/json"),
        ("application/json;q=nonsense", 406, "application/json"),
    ],
)
async def test_negotiation(bare: Stage, accept: str | None, status: int, content_type: str) -> None:
    """The answer comes in the media type that the client understands best."""
    if accept is None:
        del bare.client.headers["accept"]
    response = await bare.post(TYPENAME, headers={} if accept is None else {"accept": accept})
    assert response.status_code == status
    assert response.headers["content-type"] == f"{content_type}; charset=utf-8"


@pytest.mark.parametrize(
    ("request_body", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ a" * 5_000}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ " + "a " * 20_000 + "}"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": '{ brand(code: "\\uD800") { id } }'}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ brand { id } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { __typename } query A { __typename }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { __typename } query B { __typename }"}, "BAD_USER_INPUT"),
        ({"query": "{ __typename }", "operationName": "B"}, "BAD_USER_INPUT"),
        ({"query": "{ member(by: {}) { id } }"}, "GRAPHQL_VALIDATION_FAILED"),
        (
            {"query": "query Q($n: String) { member(by: {coalitionNumber: $n}) { id } }"},
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            {
                "query": "query Q($b: MemberBy!) { member(by: $b) { id } }",
                "variables": {"b": {"id": "x", "externalId": "y"}},
            },
            "BAD_USER_INPUT",
        ),
        ({"query": "fragment F on Query { __typename }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query Q($c: String!) { brand(code: $c) { id } }"}, "BAD_USER_INPUT"),
        (
            {
                "query": "query Q($c: String!) { brand(code: $c) { id } }",
                "variables": {"c": 7},
            },
            "BAD_USER_INPUT",
        ),
    ],
)
async def test_operations_that_cannot_run(bare: Stage, request_body: Any, code: str) -> None:
    """What is well-formed HTTP but cannot run gets 400 in our own media type, 200 in plain JSON,
    and in both a stable code and no data."""
    ours = await bare.post(request_body, headers={"accept": GRAPHQL})
    plain = await bare.post(request_body, headers={"accept": "application/json"})
    assert (ours.status_code, plain.status_code) == (400, 200)
    for response in ours, plain:
        body = response.json()
        assert "data" not in body
        assert {error["extensions"]["code"] for error in body["errors"]} == {code}


async def test_queries_by_get(bare: Stage) -> None:
    """A query may be sent with GET."""
    headers = {"authorization": f"Bearer {bare.tokens['operator']}"}
    response = await bare.client.get(
        "/graphql",
        params={
            "query": "query Q($c: String!) { brand(code: $c) { id } }",
            "variables": '{"c":"X"}',
        },
        headers=headers,
    )
    assert response.json()["data"] == {"brand": None}
    for params in ({}, {"query": ""}, {"query": "{__typename}", "variables": "{"}):
        response = await bare.client.get("/graphql", params=params, headers=headers)
        assert response.status_code == 400
        assert error_of(response)["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'\xef\xbb\xbf{"query": "{ __typename }"}', "byte order mark"),
        (b'{"query": "{ __typename }", "variables": {"n": 1e400}}', "number is infinity"),
        (b'{"query": "\xff"}', "not valid UTF-8"),
        (b"", "empty"),
    ],
)
async def test_what_is_wrong_with_a_body_is_said(bare: Stage, body: bytes, said: str) -> None:
    """Of a body that cannot be read it is said what is wrong with it."""
    response = await bare.post(content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert said in error_of(response)["message"]


async def test_nothing_is_said_twice(bare: Stage) -> None:
    """Two credentials, or two of a parameter, are refused: readers differ in which counts."""
    good = f"Bearer {bare.tokens['operator']}"
    for first, second in ((good, "Bearer x"), (good, good)):
        headers = [("authorization", first), ("authorization", second)]
        response = await bare.client.get(
            "/graphql", params={"query": "{ __typename }"}, headers=headers
        )
        assert response.status_code == 400
        assert error_of(response)["extensions"]["code"] == "BAD_REQUEST"
    for twice in ("query", "variables", "operationName"):
        asked = f"/graphql?query=%7B__typename%7D&{twice}=&{twice}="
        response = await bare.client.get(asked, headers={"authorization": good})
        assert response.status_code == 400
        assert "more than once" in error_of(response)["message"]


async def test_no_mutations_by_get(bare: Stage) -> None:
    """A mutation sent with GET is refused with 405."""
    response = await bare.client.get(
        "/graphql",
        params={"query": 'mutation { membershipClose(input: {membership: "x"}) { __typename } }'},
        headers={"authorization": f"Bearer {bare.tokens['operator']}"},
    )
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert error_of(response)["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods(bare: Stage, method: str) -> None:
    """Other methods are refused with 405; preflight requests among them: there is no CORS."""
    response = await bare.client.request(method, "/graphql", headers={"origin": "http://evil.test"})
    assert response.status_code == 405
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic eDp5",
        "Bearer x",
        "bearer ck_o_0123456789abcdef." + "x" * 43,
        "Bearer " + "x" * 600,
        "Bearer \u00e9",
        "Bearer a b",
    ],
)
async def test_no_good_credentials(bare: Stage, authorization: str) -> None:
    """Every credential that is no good gets the same answer."""
    response = await bare.post(TYPENAME, headers={"authorization": authorization.encode()})
    assert response.status_code == 401
    assert error_of(response)["extensions"]["code"] == "UNAUTHENTICATED"
    nobody = await bare.post(TYPENAME, who=None)
    assert nobody.content == response.content


async def test_security_headers(bare: Stage) -> None:
    """Every answer carries the security headers and a request id of its own, and is not stored."""
    answers = [
        await bare.post(TYPENAME),
        await bare.post(who=None),
        await bare.post({"query": "{"}),
    ]
    for response in answers:
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert response.headers["cache-control"] == "no-store"
    assert len({response.headers["x-request-id"] for response in answers}) == 3


async def test_the_schema_is_not_public(bare: Stage) -> None:
    """Without a credential the schema does not describe itself."""
    response = await bare.post({"query": "{ __schema { queryType { name } } }"}, who=None)
    assert response.status_code == 401


async def test_the_schema_can_be_made_public(sqlite_url: str) -> None:
    """A deployment may show its schema to everybody, and shows nothing else."""
    async with open_bare(sqlite_url, public_introspection=True) as stage:
        shown = await stage.post(
            {"query": "{ ...S } fragment S on Query { __schema { queryType { name } } }"}, who=None
        )
        assert shown.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}
        for query in (
            "{ __typename viewer { kind } }",
            "{ ... { viewer { kind } } }",
            "{ ...F } fragment F on Query { viewer { kind } }",
            "query A { __typename } query B { viewer { kind } }",
            'mutation { membershipClose(input: {membership: "x"}) { __typename } }',
            "{ nothing }",
            "{",
        ):
            response = await stage.post({"query": query}, who=None)
            assert response.status_code == 401
