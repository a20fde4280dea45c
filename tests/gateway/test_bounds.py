"""A document is bounded before it is validated, at a cost that no document can drive up."""

import time
from collections.abc import AsyncIterator, Callable

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse
from hypothesis import given, settings
from hypothesis import strategies as some

from gateway.graphql import bounds
from gateway.graphql.bounds import Size, excess_of, size_of
from gateway.graphql.documents import MAX_ERRORS, Document, Documents
from schema.root import SCHEMA
from tests.gateway.stage import Stage, open_bare

LENGTH = 60_000
PARSE, VALIDATION, COMPLEX = (
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "DOCUMENT_TOO_COMPLEX",
)


def many(piece: str, count: int = LENGTH) -> str:
    """A piece over and over, `%` numbered, for so many times or as long as a document may be."""
    pieces = [piece.replace("%", str(n)) for n in range(min(count, LENGTH // (len(piece) + 4)))]
    return "".join(pieces)


def doubling(levels: int) -> str:
    """Fragments that spread the next one twice, so that the last is there 2^levels times."""
    chain = many("fragment F% on Query { ...G% ...G% } ", levels)
    for level in range(levels):
        chain = chain.replace(f"G{level} ", f"F{level + 1} ")
    return "{ ...F0 } " + chain + f"fragment F{levels} on Query {{ __typename }}"


def size(text: str) -> Size:
    """What a document comes to."""
    definitions = parse(text).definitions
    return size_of(
        [node for node in definitions if isinstance(node, OperationDefinitionNode)],
        [node for node in definitions if isinstance(node, FragmentDefinitionNode)],
    )


SIDE = "fragment F% on Viewer { kind member { id coalitionNumber externalId } } "

VALID = "".join(f" a{n}: viewer {{ kind }}" for n in range(40))

HOSTILE = {
    "deep selections": (PARSE, many("{ viewer ")),
    "deep inline fragments": (PARSE, many("{ ... ")),
    "a deep list": (PARSE, "{ brand(code: " + many("[")),
    "a deep object": (PARSE, "{ brand(code: " + many("{ a: ")),
    "a deep type": (PARSE, "query ($a: " + many("[")),
    "tokens, as aliases": (PARSE, "{" + many(" a%: viewer { kind }") + "}"),
    "tokens, as one field": (PARSE, "{" + many(" __typename") + "}"),
    "tokens, as directives": (PARSE, "{ viewer " + many("@skip(if: true)") + "{ kind } }"),
    "tokens, as unknown fields": (PARSE, "{" + many(" membrship%") + "}"),
    "tokens, as a list": (PARSE, "{ brand(code: [" + many("1,") + "]) { id } }"),
    "tokens, as operations": (PARSE, many("query Q% { __typename } ")),
    "tokens, as fragments": (PARSE, doubling(900)),
    "tokens, as a cycle": (PARSE, "{ ...F }" + many("fragment F on Query { ...F }")),
    "tokens, as comments": (PARSE, "{ __typename" + many("#\n", 4_100) + "}"),
    "lines, and no end": (COMPLEX, "\n" * 60_000 + "{"),
    "other lines, and no end": (COMPLEX, "\r" * 60_000 + "{"),
    "characters": (COMPLEX, "{ __typename" + " " * 100_000 + "}"),
    "a wheel": (
        VALIDATION,
        "{ viewer " + "{ member { memberships " * 6 + "{ id }" + " } }" * 6 + "}",
    ),
    "fields": (COMPLEX, "{ viewer {" + many(" kind", 1_100) + "} }"),
    "fields of doubling fragments": (COMPLEX, doubling(90)),
    "root fields": (COMPLEX, "{" + many(" __typename", 101) + "}"),
    "aliases": (COMPLEX, "{ viewer {" + many(" a%: kind", 600) + "} }"),
    "directives": (COMPLEX, "{ viewer " + many("@skip(if: true) ", 250) + "{ kind } }"),
    "unknown directives": (COMPLEX, "{ viewer " + many("@a ", 900) + "{ kind } }"),
    "a list": (COMPLEX, "{ brand(code: [" + many("1 ", 1_900) + "]) { id } }"),
    "an object": (COMPLEX, "{ member(by: {" + many("a%: 1 ", 600) + "}) { id } }"),
    "the default of a variable": (COMPLEX, "query ($a: [Int] = [" + many("1 ", 1_900) + "]) { a }"),
    "operations": (COMPLEX, many("query Q% { __typename } ", 390)),
    "fragments": (COMPLEX, "{ __typename }" + many("fragment F% on Query { a } ", 270)),
    "fragments of one name": (COMPLEX, "{ ...F }" + many("fragment F on Query { a } ", 270)),
    "fields of one name": (COMPLEX, "{ viewer {" + many(" kind", 900) + "} }"),
    "the same, after what is valid": (
        COMPLEX,
        many("query Q% {" + VALID + "}", 6) + "{ viewer {" + many(" member { id }", 120) + "} }",
    ),
    "objects of one name": (COMPLEX, "{ viewer {" + many(" member { id }", 400) + "} }"),
    "fragments beside fragments": (
        COMPLEX,
        "{ viewer {" + many(" ...F%", 95) + "} }" + many(SIDE, 95),
    ),
    "a cycle": (VALIDATION, doubling(45).replace("{ __typename }", "{ ...F0 }")),
    "unknown fields": (VALIDATION, "{ viewer {" + many(" membrship%", 990) + "} }"),
    "unknown fragments": (VALIDATION, "{" + many(" ...F%", 990) + "}"),
    "unknown fields of an object": (
        VALIDATION,
        "{ member(by: {" + many("a%: 1 ", 290) + "}) { id } }",
    ),
    "an object of long texts": (
        VALIDATION,
        "{ member(by: {" + many('a%: "' + "a" * 180 + '" ', 290) + "}) { id } }",
    ),
    "unused variables": (VALIDATION, "query (" + many("$a%: Int ", 450) + ") { __typename }"),
    "a long name": (VALIDATION, "{ " + many("a") + " }"),
    "long names": (VALIDATION, "{" + many(" " + "viewer" * 1_600 + "%") + "}"),
    "the description, many times over": (
        COMPLEX,
        "{ __schema { types { fields { type {" + many(" a%: fields { name }", 48) + "} } } } }",
    ),
    "the description of everything by everything": (
        VALIDATION,
        (
            "{ __schema { types { possibleTypes { fields { type { ofType { interfaces {"
            " possibleTypes { name kind } } } } } } } } }"
        ),
    ),
    "the description, through fragments": (
        COMPLEX,
        (
            "{ __schema { types { ...A } } } fragment A on __Type { a: fields { ...B } b: fields {"
            " ...B } } fragment B on __Field { a: type { ...C } b: type { ...C } }"
            " fragment C on __Type { a: fields { name } b: fields { name } c: ofType { ...D } }"
            " fragment D on __Type { ...E a: ofType { ...E } } fragment E on __Type { name kind"
            " b: name c: kind d: name e: kind f: name g: kind }"
        ),
    ),
    "the description of whatever a variable names": (
        COMPLEX,
        "query ($n: String!) {"
        + many(" a%: __type(name: $n) { fields { type { name kind } args { name } } }", 20)
        + "}",
    ),
    "the description in each of many operations": (
        COMPLEX,
        many("query Q% { __schema { types { fields { type { name kind ofType { name }}}}}} ", 20),
    ),
    "a long number": (COMPLEX, "{ brand(code: " + many("9") + ") { id } }"),
    "a number longer than Python reads": (
        COMPLEX,
        "{ brands(first: " + many("9", 5_000) + ") { __typename } }",
    ),
    "a long fraction, in a list of an object": (
        COMPLEX,
        "query ($a: Float = 1." + many("9", 500) + ") { a(b: {c: [$a]}) }",
    ),
}


AT_ONCE = 0.05
"""Seconds of processor time, at the best of a few times, on a machine that is not slowed down."""

YARDSTICK = "{ " + "a " * 500 + "}"
YARDSTICK_SECONDS = 0.004
"""What graphql-core takes to parse that on the same machine, when nobody else uses it."""

DOCUMENTS = Documents(SCHEMA._schema)
DOCUMENTS.read("{ __typename }")  # the prices of the schema are read once


def yardstick() -> float:
    """How long it takes just now to parse what is parsed the same always."""
    began = time.process_time()
    parse(YARDSTICK)
    return time.process_time() - began


def read(text: str) -> tuple[Document, float]:
    """A document, and how long it took to understand it, less what the machine is slowed down by
    others just now."""
    spent = 1.0
    for _ in range(5):
        slowed = max(1.0, min(yardstick() for _ in range(3)) / YARDSTICK_SECONDS)
        began = time.process_time()
        document = DOCUMENTS.understand(text)
        for cost in document.costs.values():
            cost.requested({"n": 100})
        spent = min(spent, (time.process_time() - began) / slowed)
        if spent < AT_ONCE:
            break
    return DOCUMENTS.understand(text), spent


CHAIN = "".join(f"fragment F{n} on Member {{ ...F{n + 1} }} " for n in range(98))
PAGES = CHAIN.replace("Member", "LedgerTransactionConnection")
LAST = "fragment F98 on Member { memberships { id } }"
DOUBLING = "".join(f"fragment F{n} on Member {{ ...F{n + 1} ...F{n + 1} }} " for n in range(9))

WITHIN_THE_BOUNDS = {
    "a chain, spread many times": "{ member(by: {id: 1}) {"
    + " ...F0" * 700
    + " } } "
    + CHAIN
    + LAST,
    "a chain, spread by many": (
        "{" + many(" a%: member(by: {id: 1}) { ...F0 }", 95) + "} " + CHAIN + LAST
    ),
    "a chain, of pages of many lengths": (
        "query ($n: Int) { member(by: {id: 1}) {"
        + many(" a%: transactions(first: $n) { ...F0 }", 95)
        + "} } "
        + PAGES
        + "fragment F98 on LedgerTransactionConnection { edges { node { entries { amount } } } }"
    ),
    "doubling": (
        "{ member(by: {id: 1}) { ...F0 } } "
        + DOUBLING
        + "fragment F9 on Member { memberships { id } }"
    ),
}


@pytest.mark.parametrize("text", WITHIN_THE_BOUNDS.values(), ids=WITHIN_THE_BOUNDS.keys())
def test_what_is_allowed_is_understood_at_once(text: str) -> None:
    """What keeps to the bounds, however it is knotted, is understood and its cost reckoned soon."""
    document, spent = read(text)
    assert document.errors == ()
    assert len(document.costs) == 1
    assert spent < AT_ONCE


@pytest.mark.parametrize(("code", "text"), HOSTILE.values(), ids=HOSTILE.keys())
def test_the_hostile_are_refused_at_once(code: str, text: str) -> None:
    """Whatever a document multiplies, it is refused with a stable code, a few errors, and soon."""
    document, spent = read(text)
    assert 0 < len(document.errors) <= MAX_ERRORS + 1
    assert document.code == code, document.errors[0].message[:200]
    assert spent < AT_ONCE


AT_THE_BOUND: dict[str, tuple[int, Callable[[int], str]]] = {
    "is {} fields deep": (bounds.MAX_DEPTH, lambda n: "{ a " * n + "}" * n),
    "has {} fields": (bounds.MAX_FIELDS, lambda n: "{ a {" + many(" a", n - 1) + "} }"),
    "has {} root fields": (bounds.MAX_ROOT_FIELDS, lambda n: "{" + many(" a", n) + "}"),
    "has {} aliases": (bounds.MAX_ALIASES, lambda n: "{ a {" + many(" a%: a", n) + "} }"),
    "has {} directives": (bounds.MAX_DIRECTIVES, lambda n: "{ a " + "@b" * n + "}"),
    "has {} values": (bounds.MAX_VALUES, lambda n: "{ a(b: [" + many("1 ", n - 1) + "]) }"),
    "has a number of {} characters": (
        bounds.MAX_DIGITS,
        lambda n: "{ a @b(c: {d: [" + "9" * n + "]}) }",
    ),
    "has {} operations": (bounds.MAX_OPERATIONS, lambda n: many("query Q% { a } ", n)),
    "has {} fragments": (
        bounds.MAX_FRAGMENTS,
        lambda n: "{ a }" + many("fragment F% on T { a } ", n),
    ),
}


@pytest.mark.parametrize("said", AT_THE_BOUND)
def test_the_bound_itself_is_allowed(said: str) -> None:
    """At each bound a document passes; one more is refused, with the bound and what was found."""
    most, text = AT_THE_BOUND[said]
    assert excess_of(parse(text(most))) is None
    excess = excess_of(parse(text(most + 1)))
    assert excess is not None
    expected = f"The document {said.format(most + 1)}, and at most {most} are allowed."
    assert excess.message == expected


def test_the_text_itself_is_bounded() -> None:
    """A document of the most characters or tokens is read, one of one more is not."""
    documents = Documents(SCHEMA._schema)
    blank = " " * (bounds.MAX_LENGTH - len("{__typename}"))
    assert documents.read("{__typename}" + blank).errors == ()
    assert documents.read("{__typename} " + blank).code == COMPLEX
    lines = "\n" * (bounds.MAX_LINES - 1)
    assert documents.read("{__typename}" + lines).errors == ()
    assert documents.read("{__typename}\n" + lines).code == COMPLEX
    comments = "#\n" * (bounds.MAX_TOKENS - 3)
    assert documents.read(comments + "{__typename}").errors == ()
    assert documents.read(comments + "#\n{__typename}").code == PARSE


@pytest.mark.parametrize(
    ("document", "depth"),
    [
        ("{ a }", 1),
        ("{ a { b } c }", 2),
        ("{ a { ... on T { b } } }", 2),
        ("{ ...F } fragment F on T { a { b { c } } }", 3),
        ("{ a { ...F } } fragment F on T { a { b { c } } }", 4),
        ("query A { a } query B { a { b { c } } }", 3),
        ("{ __schema { types { fields { type { name } } } } }", 1),
        ("{ __schema { types { ...F } } } fragment F on __Type { fields { type { name } } }", 1),
    ],
)
def test_depth_counts_fields_within_fields(document: str, depth: int) -> None:
    """Fragments and inline fragments are as deep as what they hold; the schema's own is not."""
    assert size(document).depth == depth


def test_root_fields_are_those_of_an_operation() -> None:
    """What is spread at the root is at the root, and what is spread below it is not."""
    fragments = "fragment F on T { a b { ...G } } fragment G on U { c d e }"
    assert size("{ ...F ... { x } } " + fragments).root_fields == 3
    assert size("{ x { ...F } } " + fragments).root_fields == 1


def written_out(fragments: list[list[int | None]], number: int) -> int:
    """The fields of a fragment, by writing it out."""
    return sum(
        1 if spread is None else written_out(fragments, spread) for spread in fragments[number]
    )


@settings(max_examples=50, deadline=None)
@given(some.data())
def test_fragments_count_wherever_they_are_spread(data: some.DataObject) -> None:
    """What fragments come to is what there would be if they were written out, in any order."""
    fragments: list[list[int | None]] = []
    for number in range(data.draw(some.integers(1, 6))):
        choices: list[int | None] = [None, *range(number)]
        fragments.append(data.draw(some.lists(some.sampled_from(choices), min_size=1, max_size=3)))
    texts = [
        f"fragment F{number} on T {{"
        + "".join(" a: b @c(d: 1)" if spread is None else f" ...F{spread}" for spread in spreads)
        + " }"
        for number, spreads in enumerate(fragments)
    ]
    last = len(fragments) - 1
    text = " ".join(data.draw(some.permutations([*texts, f"{{ ...F{last} }}"])))
    most = max(written_out(fragments, number) for number in range(len(fragments)))
    at_root = written_out(fragments, last)
    assert size(text) == Size(1, most, at_root, most, most, most, 1)


@pytest.fixture
async def bare(sqlite_url: str) -> AsyncIterator[Stage]:
    """A gateway without brands."""
    async with open_bare(sqlite_url) as stage:
        yield stage


async def test_what_is_too_complex_is_a_bad_request(bare: Stage) -> None:
    """Over HTTP what is beyond a bound gets 400 and its code, and nothing of it is run."""
    accept = {"accept": "application/graphql-response+json"}
    for code, text in HOSTILE.values():
        response = await bare.post({"query": text}, headers=accept)
        assert response.status_code == 400
        assert "data" not in response.json()
        for error in response.json()["errors"]:
            assert error["extensions"]["code"] == code
            assert len(error["message"]) <= 500
            assert error.get("locations") != []
