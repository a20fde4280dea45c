"""The page for partner developers: its limits are the code's, and its operations the schema's."""

import json
import re
from pathlib import Path

import pytest
from graphql import parse, validate

from brands.bounds import MAX_KEY, MAX_LIST
from brands.buckets import Rate
from gateway.callers.attempts import WRONG
from gateway.graphql import bounds
from gateway.graphql.costs import ABOUT_THE_SCHEMA, DESCRIBED_TO_A_POINT, OPERATION
from gateway.graphql.description import MAX_DESCRIBED
from gateway.graphql.operations import CHARACTERS_TO_A_POINT
from gateway.graphql.requests import BODY_SECONDS
from gateway.graphql.throttle import SHARE, SHARE_ALONE
from gateway.settings import Settings
from gateway.subscriptions.event_stream import KEEP_ALIVE_SECONDS
from gateway.subscriptions.messages import MAX_MESSAGE, PING_SECONDS
from gateway.subscriptions.streams import RECHECK_SECONDS
from gateway.subscriptions.websocket import INIT_SECONDS, MAX_OPERATIONS
from gateway.web.error_page import TOP_LEVEL
from gateway.wire.patience import UNREAD_SECONDS
from schema import costs
from schema.connections import MAX_EDGES
from schema.entities import MAX_REPRESENTATIONS
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

SETTINGS = Settings("", b"")

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
    "characters of a number written out": bounds.MAX_DIGITS,
    "operations in a document": bounds.MAX_OPERATIONS,
    "fragments in a document": bounds.MAX_FRAGMENTS,
}
LIMITS = BOUNDS | {
    "the body of a request": SETTINGS.max_body,
    "connections and subscriptions of a client that are open, in each process": (
        SETTINGS.max_streams
    ),
    "operations under way on a WebSocket": MAX_OPERATIONS,
    "fields of the schema's own description that a document asks for": MAX_DESCRIBED,
    "edges of a page": MAX_EDGES,
    "representations of entities": MAX_REPRESENTATIONS,
    "the cost of an operation": SETTINGS.max_cost,
    "seconds for a body": int(BODY_SECONDS),
    "seconds for an operation": SETTINGS.timeout,
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


RATES = {
    "operator": SETTINGS.rate_operator,
    "brand": SETTINGS.rate_brand,
    "agency": SETTINGS.rate_agency,
    "member": SETTINGS.rate_member,
    "an address, without a credential, where the schema is public": SETTINGS.rate_anonymous,
}


@pytest.mark.parametrize(("who", "rate"), RATES.items())
def test_rates(who: str, rate: Rate) -> None:
    """The page gives each kind of caller's rate as the code has it."""
    assert ROWS[who] == [f"{rate.maximum:,}", f"{rate.restore:,}"]


def test_figures_in_the_text() -> None:
    """What the text says of costs, leases and wrong credentials is what the code does."""
    text = " ".join(PAGE.split())
    for said in (
        f"{OPERATION} for the operation, {costs.OBJECT} for each object",
        f"{costs.MUTATION} more for each mutation",
        (
            f"A question about the schema itself costs {ABOUT_THE_SCHEMA}, and 1 for each"
            f" {DESCRIBED_TO_A_POINT} fields of its answer"
        ),
        f"1, and 1 for each {CHARACTERS_TO_A_POINT} characters",
        f"after {WRONG.maximum}, and {WRONG.restore} more each second",
    ):
        assert said in text
    assert (costs.MUTATION, SHARE, SHARE_ALONE) == (costs.SUBSCRIPTION, 20, 10)
    assert "a twentieth" in text
    assert "a tenth of the rate" in text


def test_figures_of_subscriptions() -> None:
    """What the text says of streams is what the code does."""
    text = " ".join(PAGE.split())
    for said in (
        f"did not come within {INIT_SECONDS:.0f} seconds",
        f"not even a `pong`, for {2 * PING_SECONDS:.0f}",
        f"a message has more than {MAX_MESSAGE:,} bytes",
        f"nothing could be sent for {UNREAD_SECONDS:.0f} seconds",
        f"Every {KEEP_ALIVE_SECONDS:.0f} seconds there is a comment",
    ):
        assert said in text
    assert RECHECK_SECONDS == 30
    assert "every half minute" in text


@pytest.mark.parametrize("operation", OPERATIONS)
def test_examples(operation: str) -> None:
    """Every operation on the page is one of the schema."""
    assert validate(SCHEMA._schema, parse(operation)) == []
