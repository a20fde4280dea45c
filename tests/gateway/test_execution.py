"""The short way through the executor gives the answers of the long one."""

from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute

from gateway.graphql.documents import Documents
from gateway.graphql.execution import ShortExecutor, leaves_of
from schema.fields import derived, resolved, shorten


@strawberry.enum
class Colour(Enum):
    """An enumeration whose names are not its values."""

    RED = "r"
    BLUE = "b"


@strawberry.interface
class Named:
    """Something with a name."""

    name: str


@strawberry.type
class Thing(Named):
    """Leaves of every kind, some of which fail."""

    size: int | None = None
    colour: Colour = Colour.RED
    tags: list[str] = strawberry.field(default_factory=list)
    double: int = derived(lambda thing: thing.size * 2, description="Fails without a size.")
    wrong: int = derived(lambda _: "much", description="Is no number.")
    nothing: str = derived(lambda _: None, description="Is null, and must not be.")

    @resolved(description="Itself.", graphql_type="Thing")
    @staticmethod
    async def itself(root: "Thing") -> "Thing":
        """Itself, after a while."""
        return root

    @resolved(description="Nothing, or so many of it.", graphql_type=list[Named | None])
    @staticmethod
    def others(root: "Thing", info: strawberry.Info, many: int = 1) -> list["Thing | None"]:
        """Some, and nothing."""
        return [root] * many + [None]


@strawberry.type
class Query:
    """The root."""

    @resolved(description="A thing.")
    @staticmethod
    def thing(info: strawberry.Info) -> Thing:
        """One with a size."""
        return Thing(name="a", size=2, colour=Colour.BLUE, tags=["x"])

    @resolved(description="A thing.")
    @staticmethod
    async def other(info: strawberry.Info) -> Thing | None:
        """One without."""
        return Thing(name="b")


def schema() -> strawberry.Schema:
    """A schema of its own, neither shortened nor executed yet."""
    return strawberry.Schema(Query)


LONG, SHORT = schema()._schema, schema()._schema
shorten(SHORT)
LEAVES = leaves_of(SHORT)

QUERIES = (
    "{ thing { name size colour tags double __typename } }",
    "{ b: other { size name } a: thing { size n: name name } }",
    "{ other { double } thing { name } }",
    "{ thing { name wrong } }",
    "{ other { name nothing size } }",
    "{ other { itself { itself { name } double } } }",
    "{ thing { itself { name itself { size } } others { name __typename } } }",
    "{ thing { others(many: 3) { name ... on Thing { size colour } } } }",
    """query Q($n: Int!, $y: Boolean!) {
        thing { others(many: $n) { name @skip(if: $y) } size @include(if: $y) }
    }""",
    "{ thing { ...F } thing { size } } fragment F on Thing { name itself { name } }",
    "{ thing { itself { name } itself { size } } }",
    '{ __schema { queryType { name } } __type(name: "Thing") { kind } }',
)


async def result_of(schema_: Any, query: str, variables: Any, **how: Any) -> Any:
    """What an execution comes to: data in its order, errors in any."""
    document = Documents(schema_).read(query)
    assert document.errors == ()
    assert document.ast is not None
    result = execute(schema_, document.ast, variable_values=variables, **how)
    if not isinstance(result, ExecutionResult):
        result = await result
    errors = sorted(str(error.formatted) for error in result.errors or ())
    return repr(result.data), errors


@pytest.mark.parametrize("query", QUERIES)
async def test_short_and_long_agree(query: str) -> None:
    """Data, their order, and errors in their places are the same, the second time too."""
    collected = Documents(SHORT).read(query).collected
    for yes in (True, False, True):
        variables = {"n": 2, "y": yes}
        expected = await result_of(LONG, query, variables)
        how: Any = {"executor_class": ShortExecutor, "leaves": LEAVES}
        assert await result_of(SHORT, query, variables, **how, collected=collected) == expected
        assert await result_of(SHORT, query, variables, **how, collected=None) == expected


def test_directives_keep_selections_apart() -> None:
    """Only a document without directives has selections that can be remembered."""
    documents = Documents(SHORT)
    assert documents.read("{ thing { name } }").collected is not None
    assert documents.read("{ thing { name @skip(if: true) } }").collected is None
