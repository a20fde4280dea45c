"""The page for partner developers: its limits are the code's, and its operations the schema's."""

import json
import re
from pathlib import Path

import pytest
from graphql import parse, validate

from brands.bounds import MAX_KEY, MAX_LIST
from gateway import bounds
from gateway.error_page import TOP_LEVEL
from gateway.settings import Settings
from schema.connections import MAX_EDGES
from schema.errors import UserErrorCode
from schema.root import SCHEMA

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
ROWS = {
    cells[1]: cells[2:4]
    for cells in ([cell.strip() for cell in line.split("|")] for line in PAGE.splitlines())
    if len(cells) == 5
}
"""What the tables of three columns say: of what, the second cell and the third."""

FOR_THE_SHELL = re.compile(r"'\$(\([^)]*\)|\w+)'")
OPERATIONS = [
    json.loads(text)
    for text in re.findall(r'"query": ("(?:[^"\\]|\\.)*")', FOR_THE_SHELL.sub("1", PAGE))
]
"""The operations of the examples, with a number wherever the shell fills something in."""

BOUNDS = {
    "characters of a document": bounds.MAX_LENGTH,
    "lines of a document": bounds.MAX_LINES,
    "tokens of a document": bounds.MAX_TOKENS,
    "depth of a document, in fields": bounds.MAX_DEPTH,
    "fields of an operation": bounds.MAX_FIELDS,
    "root fields of an operation": bounds.MAX_ROOT_FIELDS,
    "aliases of an operation": bounds.MAX_ALIASES,
    "directives of an operation": bounds.MAX_DIRECTIVES,
    "values written out in its arguments": bounds.MAX_VALUES,
    "operations in a document": bounds.MAX_OPERATIONS,
    "fragments in a document": bounds.MAX_FRAGMENTS,
}
LIMITS = BOUNDS | {
    "the body of a request": Settings("", b"").max_body,
    "edges of a page": MAX_EDGES,
    "items of a list in an input": MAX_LIST,
    "characters of an idempotency key": MAX_KEY,
}


def test_no_bound_is_left_off() -> None:
    """Each bound on a document is on the page."""
    known = {name: value for name, value in vars(bounds).items() if name.startswith("MAX_")}
    assert sorted(known.values()) == sorted(BOUNDS.values())


@pytest.mark.parametrize(("what", "limit"), LIMITS.items())
def test_limits(what: str, limit: int) -> None:
    """The page gives each limit as the code has it, and a code of the contract."""
    said, otherwise = ROWS[what]
    assert said.replace(";", " ").split()[0] == f"{limit:,}"
    code = otherwise.split("`")[1]
    assert code in TOP_LEVEL or code in UserErrorCode.__members__


@pytest.mark.parametrize("operation", OPERATIONS)
def test_examples(operation: str) -> None:
    """Every operation on the page is one of the schema."""
    assert validate(SCHEMA._schema, parse(operation)) == []
