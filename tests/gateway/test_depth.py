"""A document is bounded in depth before it runs, in one pass whatever its fragments."""

import time

import pytest
from graphql import parse

from gateway.depth import depth_of
from gateway.documents import Documents
from schema.root import SCHEMA


@pytest.mark.parametrize(
    ("document", "depth"),
    [
        ("{ a }", 1),
        ("{ a { b } c }", 2),
        ("{ a { ... on T { b } } }", 2),
        ("{ ...F } fragment F on T { a { b { c } } }", 3),
        ("query A { a } query B { a { b { c } } }", 3),
        ("{ __schema { types { fields { type { name } } } } }", 1),
    ],
)
def test_depth_counts_fields_within_fields(document: str, depth: int) -> None:
    """Fragments and inline fragments are as deep as what they hold; the schema's own is not."""
    assert depth_of(parse(document)) == depth


def test_members_of_memberships_of_members_come_to_an_end() -> None:
    """What would multiply without end is refused before it runs."""
    wheel = "member { memberships { " * 6 + "id" + " } }" * 6
    document = Documents(SCHEMA._schema).read("{ viewer { " + wheel + " } }")
    assert [error.message for error in document.errors] == [
        "The document is deeper than 12 fields."
    ]


def test_nested_fragments_are_measured_once() -> None:
    """Fragments that spread each other twice over, twenty levels down, cost no more than once."""
    fragments = [f"fragment F{n} on T {{ a {{ ...F{n + 1} ...F{n + 1} }} }}" for n in range(60)]
    text = "{ ...F0 } " + " ".join(fragments) + " fragment F60 on T { a }"
    began = time.perf_counter()
    assert depth_of(parse(text)) == 61
    assert time.perf_counter() - began < 1
