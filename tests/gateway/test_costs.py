"""What operations cost: by tables that can be read, and by laws that hold for all of them."""

from typing import Any

import pytest
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    parse,
    validate,
)
from hypothesis import given, settings
from hypothesis import strategies as some

from gateway.graphql.costs import ABOUT_THE_SCHEMA, OPERATION, Cost, Costs
from gateway.graphql.documents import Documents
from gateway.graphql.prices import Prices
from gateway.settings import Settings
from schema import costs
from schema.connections import MAX_EDGES
from schema.root import SCHEMA
from tests.gateway.stage import Json, Stage

GRAPH: GraphQLSchema = SCHEMA._schema
COSTS = Costs(GRAPH)
DOCUMENTS = Documents(GRAPH)
PRICES = Prices(GRAPH).of


def cost_of(document: str) -> Cost:
    """The cost of a document's only operation."""
    ast = parse(document)
    assert validate(GRAPH, ast) == []
    (cost,) = COSTS.of(ast).values()
    return cost


MEMBER = '{ member(by: {id: "m"}) { %s } }'
PAGE = "transactions(first: %s) { edges { cursor node { id entries { amount account { id } } } } }"
STATEMENT = MEMBER % (PAGE % "100" + " memberships { id }")
WALLET = MEMBER % (
    "memberships { id brand { code } tier { code } balance { posted value { amount currency } }"
    " lots { remaining } transactions(first: 10) { edges { node { id kind } } } }"
)
ENROL = "mutation ($input: MemberEnrollInput!) { memberEnroll(input: $input) { member { id } } }"

KNOWN: dict[str, tuple[str, Json, int]] = {
    "nothing but an operation": ("{ __typename }", {}, 1),
    "a leaf of an object": ("{ viewer { kind } }", {}, 2),
    "the schema": ("{ __schema { queryType { name } } }", {}, 1 + ABOUT_THE_SCHEMA),
    "an object of an object": ('{ brand(code: "A") { valuation { issuePrice } } }', {}, 3),
    "a dear field": (MEMBER % "totalValue { amount }", {}, 2 + 5),
    "a dear leaf": (
        MEMBER % 'membership(brand: "A") { balanceAt(at: "2026-01-01T00:00:00Z") }',
        {},
        3 + 5,
    ),
    "a list": (MEMBER % "memberships { id }", {}, 2 + 10),
    "a list of objects with objects": (MEMBER % "memberships { brand { code } }", {}, 2 + 20),
    "a page": ("{ brands(first: 7) { edges { node { code } } } }", {}, 2 + 7),
    "a page from the back": ("{ brands(last: 7) { edges { node { code } } } }", {}, 2 + 7),
    "a page by a variable": (
        "query ($n: Int) { brands(first: $n) { pageInfo { endCursor } edges { node { code } } } }",
        {"n": 7},
        2 + 7,
    ),
    "a page by a variable's default": (
        "query ($n: Int = 7) { brands(first: $n) { edges { node { code } } } }",
        {},
        2 + 7,
    ),
    "a page of nobody knows what": (
        "query ($n: Int) { brands(first: $n) { edges { node { code } } } }",
        {},
        2 + MAX_EDGES,
    ),
    "a page that will be refused": (
        "query ($n: Int) { brands(first: $n) { edges { node { code } } } }",
        {"n": 1_000_000},
        2 + MAX_EDGES,
    ),
    "a page through fragments": (
        (
            "{ brands(first: 7) { ...P } } fragment P on BrandConnection { edges { ...E } }"
            " fragment E on BrandEdge { node { valuation { issuePrice } } }"
        ),
        {},
        2 + 14,
    ),
    "a page of which nothing is wanted": (
        "{ brands(first: 100) { pageInfo { endCursor } } }",
        {},
        2,
    ),
    "the same twice": ('{ brand(code: "A") { id } b: brand(code: "B") { id } }', {}, 3),
    "the dearest of several types": (
        (
            '{ node(id: "n") { id ... on Member { memberships { id } profile { email } }'
            " ... on Brand { valuation { issuePrice } } } }"
        ),
        {},
        2 + 11,
    ),
    "what may be left out": (
        "query ($no: Boolean = false) { viewer { brand @include(if: $no) { id } } }",
        {},
        3,
    ),
    "a mutation": (
        (
            'mutation { transferCancel(input: {transfer: "t", idempotencyKey: "k"})'
            " { transfer { id } errors { code } } }"
        ),
        {},
        1 + 10 + 1 + 1,
    ),
    "rows of an input": (
        ENROL,
        {"input": {"brands": ["A", "B"], "memberships": [{"brand": "A"}] * 3}},
        1 + 10 + 1 + 5 * 5,
    ),
    "rows written out": (
        (
            'mutation { memberEnroll(input: {brands: ["A", "B"], idempotencyKey: "k"})'
            " { member { id } } }"
        ),
        {},
        1 + 10 + 1 + 2 * 5,
    ),
    "representations": (
        "query ($all: [_Any!]!) { _entities(representations: $all) { ... on Brand { name } } }",
        {"all": [{}] * 40},
        1 + 40,
    ),
    "a page of a statement": (STATEMENT, {}, 1 + 1 + 5 + 100 * (1 + 4 * 2) + 10),
    "a wallet": (WALLET, {}, 2 + 10 * (1 + 1 + 1 + 2 + 10 + 5 + 10)),
}


@pytest.mark.parametrize(("document", "variables", "cost"), KNOWN.values(), ids=KNOWN.keys())
def test_known_costs(document: str, variables: Json, cost: int) -> None:
    """Each of these documents costs what anybody can reckon by hand."""
    assert cost_of(document).requested(variables) == cost


def test_usual_pages_are_within_the_limit() -> None:
    """A statement's longest page, and twenty wallets in one request, are not too dear."""
    most = Settings("", b"").max_cost
    assert cost_of(STATEMENT).requested({}) < most
    wallet = 'member(by: {id: "m"}) { ' + "memberships { brand { code } balance { available } } }"
    several = "{" + " ".join(f"a{n}: {wallet}" for n in range(20)) + "}"
    assert cost_of(WALLET).requested({}) < most
    assert cost_of(several).requested({}) < most


HOSTILE: list[Any] = [None, -1, 10**30, 1.5, "x", True, [], {}, [[1]], {"brands": {"a": [1]}}]


@pytest.mark.parametrize("value", HOSTILE)
def test_odd_variables_cost_something(value: Any) -> None:
    """Whatever a variable is, the cost is a number, and no less than an operation's."""
    page = cost_of("query ($n: Int) { brands(first: $n) { edges { node { code } } } }")
    assert 2 <= page.requested({"n": value}) <= 2 + MAX_EDGES
    assert cost_of(ENROL).requested({"input": value}) >= 12
    everything = cost_of(
        "query ($all: [_Any!]!) { _entities(representations: $all) { __typename } }"
    )
    assert everything.requested({"all": value}) >= OPERATION


def test_the_answer_says_what_it_has_cost() -> None:
    """Lists count as long as they are, and what is null counts nothing."""
    wallet = cost_of(MEMBER % "memberships { brand { code } lots { remaining } }")
    lots: Json = {"brand": {}, "lots": [{}] * 3}
    assert wallet.requested({}) == 2 + 10 * (2 + 10)
    assert wallet.actual({"member": {"memberships": [lots, lots]}}, {}) == 2 + 2 * (2 + 3)
    assert wallet.actual({"member": {"memberships": []}}, {}) == 2
    assert wallet.actual({"member": None}, {}) == 2
    assert wallet.actual(None, {}) == OPERATION


class Sent(dict[str, Any]):
    """Variables that are looked up by name, and never gone through."""

    def __iter__(self) -> Any:
        raise AssertionError("all variables were looked at")

    keys = items = values = __iter__


def test_what_is_not_declared_is_not_looked_at() -> None:
    """To reckon a cost takes no longer for variables that an operation does not declare."""
    page = cost_of(
        "query ($n: Int, $m: Int = 4) { a: brands(first: $n) { edges { node { code } } }"
        " b: brands(first: 3) { edges { node { code } } }"
        " c: brands(first: $m) { edges { node { code } } } }"
    )
    assert page.requested(Sent(n=5, m=6, o=7)) == OPERATION + 3 + 5 + 3 + 6
    assert page.requested(Sent(n=5)) == OPERATION + 3 + 5 + 3 + 4
    assert page.actual({"a": None, "b": {"edges": [{"node": {}}]}}, Sent(n=5)) == OPERATION + 4


def test_values_with_variables_within() -> None:
    """Lists of an input that is written out cost what the variables within it say."""
    enrol = cost_of(
        "mutation ($brands: [String!], $one: String!) {"
        " memberEnroll(input: {brands: $brands, idempotencyKey: $one}) { member { id } } }"
    )
    assert enrol.requested({"brands": ["A", "B", "C"], "one": "k"}) == 1 + 10 + 1 + 3 * 5
    assert enrol.requested({"one": "k"}) == 1 + 10 + 1


# A walk through the schema: documents, and answers that fit them.


def _size(type_name: str, field: str, first: int) -> int:
    price = PRICES[type_name][field]
    return first if price.sized else price.items or 0


@some.composite
def selections(draw: Any, of: GraphQLObjectType, depth: int, first: int = 0) -> tuple[str, Json]:
    """Fields of a type, and what they might be answered with."""
    simple = {
        name: field
        for name, field in of.fields.items()
        if set(field.args) <= {"first", "after", "last", "before"}
    }
    names = draw(some.lists(some.sampled_from(sorted(simple)), min_size=1, max_size=4, unique=True))
    text = "__typename "
    data: Json = {}
    for name in names:
        field = simple[name]
        below = get_named_type(field.type)
        if not is_composite_type(below):
            text += f"{name} "
            data[name] = "x"
        elif isinstance(below, GraphQLObjectType) and depth:
            size = draw(some.integers(1, 5)) if field.args else first
            inner, answer = draw(selections(below, depth - 1, size))
            given = f"(first: {size})" if field.args else ""
            text += f"{name}{given} {{ {inner}}} "
            if is_list_type(get_nullable_type(field.type)):
                most = _size(of.name, name, first)
                data[name] = [answer] * draw(some.integers(0, most))
            else:
                data[name] = draw(some.sampled_from([answer, None]))
    return text, data


MEMBER_TYPE = GRAPH.type_map["Member"]
assert isinstance(MEMBER_TYPE, GraphQLObjectType)


@settings(max_examples=150, deadline=None)
@given(selections(MEMBER_TYPE, 4))
def test_no_answer_costs_more_than_was_requested(drawn: tuple[str, Json]) -> None:
    """As long as lists are no longer than they are taken to be, the answer costs no more."""
    text, data = drawn
    cost = cost_of(MEMBER % text)
    assert OPERATION <= cost.actual({"member": data}, {}) <= cost.requested({})


@settings(max_examples=100, deadline=None)
@given(selections(MEMBER_TYPE, 3), some.integers(1, 3))
def test_a_fragment_costs_what_it_holds(drawn: tuple[str, Json], times: int) -> None:
    """A selection costs the same written out, or spread from fragments that spread others."""
    text, _ = drawn
    spread = MEMBER % "...F0" + "".join(
        f" fragment F{n} on Member {{ ...F{n + 1} }}" for n in range(times)
    )
    spread += f" fragment F{times} on Member {{ {text} }}"
    inline = MEMBER % f"... on Member {{ ... {{ {text} }} }}"
    costs_ = {cost_of(each).requested({}) for each in (MEMBER % text, spread, inline)}
    assert len(costs_) == 1


def test_every_list_says_how_long_it_is() -> None:
    """Each list of objects in the schema has a size that is declared, or that its page says."""
    for name, fields in PRICES.items():
        for field, price in fields.items():
            declared = GRAPH.type_map[name].fields[field]  # type: ignore[attr-defined]
            if is_list_type(get_nullable_type(declared.type)) and price.below is not None:
                assert price.items or price.sized or price.counted, (name, field)


def test_the_tables_name_what_there_is() -> None:
    """Every row of the tables of costs is a field of the schema, and is printed with it."""
    for name in (*costs.WEIGHTS, *costs.ROWS, *costs.LISTS):
        type_name, field = name.split(".")
        assert field in GRAPH.type_map[type_name].fields, name  # type: ignore[attr-defined]
    printed = SCHEMA.as_str()
    assert printed.count("@cost(weight: 10)") >= len(PRICES["Mutation"])
    assert '@listSize(slicingArguments: ["first"], sizedFields: ["edges"]' in printed


async def test_what_is_too_dear_is_not_run(stage: Stage) -> None:
    """An operation that may cost more than is allowed is refused with the figures, untried."""
    before = await stage.books()
    dear = MEMBER % ("memberships { " + PAGE % "100" + " }")
    answer = await stage.ask(dear)
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    assert error["extensions"]["cost"]["maximum"] == Settings("", b"").max_cost
    assert error["extensions"]["cost"]["requested"] > Settings("", b"").max_cost
    assert "data" not in answer
    accept = {"accept": "application/graphql-response+json"}
    assert (await stage.post({"query": dear}, headers=accept)).status_code == 400
    assert await stage.books() == before


async def test_every_answer_tells_its_cost(stage: Stage) -> None:
    """What was requested, what it came to, and what is left, is in every answer."""
    ada = await stage.enrol("AERO", "HOTEL")
    answer = await stage.ask(
        "query ($id: ID!) { member(by: {id: $id}) { memberships { brand { code } } } }",
        {"id": ada.id},
        ada.token,
    )
    told = answer["extensions"]["cost"]
    assert (told["requested"], told["actual"]) == (2 + 20, 2 + 4)
    rate = Settings("", b"").rate_member
    throttle = told["throttle"]
    assert (throttle["maximum"], throttle["restoreRate"]) == (rate.maximum, rate.restore)
    assert rate.maximum - 6 - 2 <= throttle["available"] <= rate.maximum


async def test_with_an_error_nothing_is_given_back(stage: Stage) -> None:
    """What was done beside a field that fails is paid for, though nothing of it is in the answer;
    where nothing was run, the operation alone is."""
    beside = " ".join(
        f"a{n}: brands(first: 50) {{ edges {{ node {{ code }} }} }}" for n in range(9)
    )
    failing = 'b: brands(first: 1, after: "zz") { edges { node { code } } }'
    answer = await stage.ask("{ " + beside + failing + " }")
    assert answer["data"] is None
    cost = answer["extensions"]["cost"]
    assert cost["actual"] == cost["requested"] > 450
    page = "query ($n: Int!) { brands(first: $n) { edges { node { code } } } }"
    answer = await stage.ask(page, {"n": None})
    assert answer["extensions"]["cost"]["actual"] == OPERATION


@pytest.mark.parametrize("size", ["first: 101", "first: 0", "first: -1", "first: 2000000000"])
async def test_a_page_that_cannot_be_is_refused_before(stage: Stage, size: str) -> None:
    """A page of no possible length beside a mutation is refused, and the mutation not done."""
    before = await stage.books()
    inner = f"{{ member {{ transactions({size}) {{ edges {{ cursor }} }} }} }}"
    enrol = f'memberEnroll(input: {{idempotencyKey: "no page"}}) {inner}'
    answer = await stage.ask("mutation { ... { " + enrol + " } }")
    (error,) = answer["errors"]
    assert "data" not in answer
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "first"}
    assert error["message"] == f"`first` is between 1 and 100, not {size.partition(' ')[2]}."
    assert error["locations"]
    assert await stage.books() == before
