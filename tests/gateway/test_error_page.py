"""The page of error codes: as committed, complete, and true."""

import ast
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLEnumType

from brands.errors import LedgerUnavailable, NotPermitted
from gateway.graphql import masking
from gateway.web.error_page import TOP_LEVEL, error_page
from schema.root import SCHEMA
from tests.gateway.stage import Stage, open_bare, open_stage
from tests.house.tree import modules

COMMITTED = Path(__file__).parents[2] / "docs" / "errors.md"
MEDIA_TYPES = ("application/json", "application/graphql-response+json")
BRAND = {"query": '{ brand(code: "X") { id } }'}
PAGE = {"query": "{ brands(first: 0) { edges { cursor } } }"}
DEAR = {
    "query": """{ member(by: {id: "m"}) { memberships {
        transactions(first: 100) { edges { node { entries { account { id } } } } }
    } } }"""
}
MAKERS = {"failure": 1, "Refused": 2}
"""What makes a top-level error, and which of its arguments is the code."""


@pytest.fixture
async def bare(sqlite_url: str) -> AsyncIterator[Stage]:
    """A gateway without brands; what is tested here does not depend on the database."""
    async with open_bare(sqlite_url) as stage:
        yield stage


def test_the_page_is_committed() -> None:
    """The committed page is what the code says; `coalition schema errors` prints it."""
    assert COMMITTED.read_text() == error_page(SCHEMA._schema) + "\n"


def test_every_code_has_its_place() -> None:
    """Every code of the contract has a heading of its own on the page, and so a link to it."""
    codes = SCHEMA._schema.type_map["UserErrorCode"]
    assert isinstance(codes, GraphQLEnumType)
    lines = error_page(SCHEMA._schema).splitlines()
    assert [line[4:] for line in lines if line.startswith("### ")] == [*TOP_LEVEL, *codes.values]


def codes_in(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that a piece of code gives as the codes of top-level errors."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = node.func.id if isinstance(node.func, ast.Name) else name
            if name in MAKERS:
                yield from node.args[MAKERS[name] :][:1]
                yield from (it.value for it in node.keywords if it.arg == "code")
        elif isinstance(node, ast.keyword) and node.arg == "extensions":
            for part in ast.walk(node.value):
                if isinstance(part, ast.Dict):
                    said = zip(part.keys, part.values, strict=True)
                    yield from (it for key, it in said if getattr(key, "value", "") == "code")


def test_no_code_is_unlisted() -> None:
    """No code of a top-level error is given anywhere that the page does not list, and none is
    listed that nothing gives."""
    constants = {
        name: it
        for name, it in vars(masking).items()
        if name.isupper() and name[0] != "_" and isinstance(it, str)
    }
    literal = {
        expression.value
        for module in modules("gateway", "schema", "brands")
        for expression in codes_in(module.tree)
        if isinstance(expression, ast.Constant)
    }
    assert "BAD_USER_INPUT" in literal
    assert literal | set(constants.values()) == set(TOP_LEVEL)


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("NEW", 'raise GraphQLError("no", extensions={"code": "NEW"})'),
        ("NEW", 'super().__init__(message, extensions={"code": "NEW", "more": 1})'),
        ("NEW", 'raise Refused(429, "slower", "NEW")'),
        ("NEW", 'raise Refused(429, "slower", code="NEW")'),
        ("NEW", 'masking.failure("slower", "NEW")'),
    ],
)
def test_an_unlisted_code_would_be_seen(code: str, given: str) -> None:
    """However a code is given, it is seen."""
    assert [ast.literal_eval(it) for it in codes_in(ast.parse(given))] == [code]


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("UNAUTHENTICATED", {"json": BRAND, "headers": {"authorization": "Bearer x"}}),
    ("BAD_REQUEST", {"content": b"{", "headers": {"content-type": "application/json"}}),
    ("BAD_REQUEST", {"method": "PUT"}),
    ("BAD_REQUEST", {"method": "GET", "params": {"query": "mutation { __typename }"}}),
    ("BAD_REQUEST", {"json": BRAND, "headers": {"accept": "text/html"}}),
    ("BAD_REQUEST", {"json": {"query": " " * 2_000_000}}),
    ("BAD_REQUEST", {"content": b"query", "headers": {"content-type": "text/plain"}}),
    ("GRAPHQL_PARSE_FAILED", {"json": {"query": "{"}}),
    ("GRAPHQL_VALIDATION_FAILED", {"json": {"query": "{ nothing }"}}),
    ("DOCUMENT_TOO_COMPLEX", {"json": {"query": "{ __typename }" + " " * 200_000}}),
    ("COST_LIMIT_EXCEEDED", {"json": DEAR}),
    ("DOCUMENT_NOT_FOUND", {"json": {"documentId": "none"}}),
    (
        "PERSISTED_QUERY_NOT_FOUND",
        {"json": {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}},
    ),
    ("BAD_USER_INPUT", {"json": {"query": "{ __typename }", "operationName": "No"}}),
    ("BAD_USER_INPUT", {"json": PAGE}),
]
"""Requests that are refused, and with what code."""


async def statuses(bare: Stage, code: str, request: dict[str, Any]) -> set[int]:
    """The HTTP statuses of a request that is refused with this code, one for each media type."""
    found = set()
    for accept in MEDIA_TYPES:
        headers = {"authorization": f"Bearer {bare.tokens['operator']}", "accept": accept}
        headers |= request.get("headers", {})
        sent = {"method": "POST", **request, "headers": headers}
        response = await bare.client.request(url="/graphql", **sent)
        codes = {error["extensions"]["code"] for error in response.json()["errors"]}
        assert codes == {code}
        found.add(response.status_code)
    return found


async def test_statuses(bare: Stage) -> None:
    """What is refused before it is run has the statuses that the page gives to its code, and no
    others."""
    found: dict[str, set[int]] = {}
    for code, request in REQUESTS:
        found.setdefault(code, set()).update(await statuses(bare, code, request))
    assert found == {code: set(TOP_LEVEL[code].statuses) for code in found}


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("FORBIDDEN", NotPermitted),
        ("SERVICE_UNAVAILABLE", LedgerUnavailable),
        ("INTERNAL_SERVER_ERROR", RuntimeError),
    ],
)
async def test_statuses_of_a_field(
    bare: Stage, monkeypatch: pytest.MonkeyPatch, code: str, failure: type[Exception]
) -> None:
    """What goes wrong within a field has status 200, and the page says so."""

    def broken(*_: object) -> None:
        raise failure

    monkeypatch.setattr("brands.registry.Snapshot.brand", broken)
    assert await statuses(bare, code, {"json": BRAND}) == {200}
    assert 200 in TOP_LEVEL[code].statuses


async def test_statuses_of_the_metrics(sqlite_url: str) -> None:
    """The page of metrics refuses with statuses that the table has, as GraphQL does."""
    async with open_stage(sqlite_url) as stage:
        brand = stage.tokens["aero"]
        for code, token, status in (("FORBIDDEN", brand, 403), ("UNAUTHENTICATED", "x", 401)):
            headers = {"authorization": f"Bearer {token}"}
            response = await stage.client.get("/metrics", headers=headers)
            assert response.status_code == status
            assert status in TOP_LEVEL[code].statuses
            assert [it["extensions"]["code"] for it in response.json()["errors"]] == [code]
