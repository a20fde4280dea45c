"""What questions about the schema cost: by the fields of their answers, before there is one."""

from typing import Any

import pytest
from graphql import execute_sync, get_introspection_query, parse

from gateway.graphql.costs import ABOUT_THE_SCHEMA, DESCRIBED_TO_A_POINT, OPERATION
from gateway.graphql.description import MAX_DESCRIBED
from gateway.settings import Settings
from tests.gateway.test_costs import DOCUMENTS, GRAPH, cost_of

INTROSPECTION = get_introspection_query(
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
)
DESCRIBING = {
    "all of it": INTROSPECTION,
    "types by types": "{ __schema { types { fields { type { ofType { fields { name } } } } } } }",
    "the possible and the impossible": (
        "{ __schema { types { possibleTypes { interfaces { name } } enumValues { name } } } }"
    ),
    "arguments": "{ __schema { directives { args { type { inputFields { name } } } } } }",
    "one type": '{ __type(name: "Member") { fields { args { name } type { ...T } } } }'
    " fragment T on __Type { name ofType { ...U a: kind } ...U } fragment U on __Type { kind }",
    "inputs": "{ __schema { types { inputFields(includeDeprecated: true) { type { name } } } } }",
    "no type": '{ __type(name: "Nothing") { name } }',
}


def fields_of(answer: Any) -> int:
    """How many fields an answer has."""
    if isinstance(answer, list):
        return sum(map(fields_of, answer))
    if isinstance(answer, dict):
        return len(answer) + sum(map(fields_of, answer.values()))
    return 0


@pytest.mark.parametrize("document", DESCRIBING.values(), ids=DESCRIBING.keys())
def test_the_description_costs_what_there_is_of_it(document: str) -> None:
    """A question about the schema costs by the fields of its answer, counted without answering."""
    answered = execute_sync(GRAPH, parse(document))
    assert answered.errors is None
    fields = fields_of(answered.data) - 1
    described = fields // DESCRIBED_TO_A_POINT
    assert cost_of(document).requested({}) == OPERATION + ABOUT_THE_SCHEMA + described


def test_a_variable_may_name_any_type() -> None:
    """Which type a variable names is not known: it costs as much as all of them."""
    any_type = cost_of("query ($t: String!) { __type(name: $t) { fields { name } } }")
    each = cost_of("{ __schema { types { fields { name } } } }")
    assert any_type.requested({"t": "Member"}) == each.requested({})


def test_every_kind_of_caller_can_read_the_schema() -> None:
    """What tools ask for to know all of the schema is half of what is allowed, and in no bucket
    too much."""
    settings = Settings("", b"")
    assert DOCUMENTS.understand(INTROSPECTION).errors == ()
    asked = fields_of(execute_sync(GRAPH, parse(INTROSPECTION)).data)
    assert asked * 1.5 < MAX_DESCRIBED
    cost = cost_of(INTROSPECTION).requested({})
    rates = [settings.rate_operator, settings.rate_brand, settings.rate_agency]
    for rate in (*rates, settings.rate_member, settings.rate_anonymous):
        assert cost <= min(settings.max_cost, rate.maximum // 2)
