"""The contract as a whole: as committed, described throughout, and of one form."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    validate_schema,
)
from graphql.type import is_introspection_type, is_specified_scalar_type

from schema.root import SCHEMA

COMMITTED = Path(__file__).parents[2] / "schema" / "schema.graphql"
FEDERATIONS = {"_FieldSet", "link__Import", "link__Purpose"}
"""Types of arguments of federation's own directives, which its specification describes."""
TYPES = [
    type_
    for type_ in SCHEMA._schema.type_map.values()
    if not is_introspection_type(type_)
    and not is_specified_scalar_type(type_)
    and type_.name not in FEDERATIONS
]


def test_the_contract_is_committed() -> None:
    """The committed SDL is the contract, to the letter; `coalition schema export` prints it."""
    assert COMMITTED.read_text() == SCHEMA.as_str() + "\n"


def test_the_contract_is_valid() -> None:
    """The committed SDL is a valid schema by itself."""
    schema: GraphQLSchema = build_schema(COMMITTED.read_text())
    assert validate_schema(schema) == []


@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.name)
def test_everything_is_described(type_: GraphQLNamedType) -> None:
    """Every type, field, argument and enum value says what it is, and ends as a sentence does."""
    described: dict[str, str | None] = {type_.name: type_.description}
    if isinstance(type_, GraphQLEnumType):
        described |= {name: value.description for name, value in type_.values.items()}
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        for name, field in type_.fields.items():
            described[name] = field.description
            for argument, definition in getattr(field, "args", {}).items():
                described[f"{name}({argument})"] = definition.description
    assert [
        name
        for name, text in described.items()
        if not (text and text == text.strip() and text[-1] in '.".')
    ] == []


def test_each_mutation_has_its_input_and_its_payload() -> None:
    """A mutation takes one input of its own, and answers with a payload of its own, with errors."""
    mutation = SCHEMA._schema.mutation_type
    assert mutation is not None
    for name, field in mutation.fields.items():
        own = name[0].upper() + name[1:]
        assert {argument: str(given.type) for argument, given in field.args.items()} == {
            "input": f"{own}Input!"
        }
        assert str(field.type) == f"{own}Payload!"
        payload = SCHEMA._schema.type_map[f"{own}Payload"]
        assert isinstance(payload, GraphQLObjectType)
        assert str(payload.fields["errors"].type) == "[UserError!]!"


def test_what_moves_points_has_a_key() -> None:
    """An input with an idempotency key has a payload that says whether it was replayed."""
    for type_ in TYPES:
        if isinstance(type_, GraphQLInputObjectType) and "idempotencyKey" in type_.fields:
            payload = SCHEMA._schema.type_map[type_.name.removesuffix("Input") + "Payload"]
            assert isinstance(payload, GraphQLObjectType)
            assert "replayed" in payload.fields


def test_connections_are_relays() -> None:
    """Every connection has edges with a node and a cursor, and page information."""
    connections = [
        type_
        for type_ in TYPES
        if isinstance(type_, GraphQLObjectType) and type_.name.endswith("Connection")
    ]
    assert {type_.name for type_ in connections} >= {"BrandConnection", "ValuationConnection"}
    for type_ in connections:
        edge = type_.name.replace("Connection", "Edge")
        assert str(type_.fields["edges"].type) == f"[{edge}!]!"
        assert str(type_.fields["pageInfo"].type) == "PageInfo!"
        fields = SCHEMA._schema.type_map[edge]
        assert isinstance(fields, GraphQLObjectType)
        assert str(fields.fields["cursor"].type) == "String!"


RELIED_ON = {
    "Query": "node viewer brand brands member exchangeRate transferPreview ledgerTransaction",
    "Brand": "id code name pointsName status settlementCurrency valuation valuations",
    "Valuation": "redemptionRate issuePrice transferOutRate transferInRate effectiveFrom "
    "effectiveTo",
    "Member": "id coalitionNumber externalId profile memberships membership totalValue "
    "transactions",
    "Profile": "givenName familyName email birthDate",
    "Membership": "id brand member number status joinedAt tier balance balanceAt lots transactions",
    "Balance": "posted held available pending value",
    "LedgerTransaction": "id kind eventAt recordedAt reference description entries reverses "
    "reversedBy receipt",
    "Entry": "account amount balanceAfter",
    "Account": "id kind owner unit",
    "TransferQuote": "id source destination pointsOut pointsIn basePoints bonusPoints fee "
    "effectiveRate expiresAt",
    "Transfer": "id status pointsOut pointsIn fee source destination quote transactions createdAt "
    "arrivesAt",
    "ExchangeRate": "pointsOut pointsIn valueOut valueIn rule",
    "Mutation": "brandCreate valuationPublish memberEnroll membershipOpen membershipClose "
    "pointsAdjust transferRulePublish transferQuote transferCreate transferCancel transferReverse "
    "transactionReverse",
    "MemberBy": "id coalitionNumber externalId membership",
    "BrandCreateInput": "code name pointsName timeZone valuation numberFormat",
    "ValuationPublishInput": "brand redemptionRate issuePrice transferOutRate transferInRate "
    "effectiveFrom",
    "MemberEnrollInput": "externalId profile brands memberships idempotencyKey",
    "MembershipOpenInput": "member brand number",
    "PointsAdjustInput": "membership points reason eventAt sponsor idempotencyKey",
    "TransferRulePublishInput": "from to ratio minimum maximum increment blockBonus percentBonus "
    "fee limits arrivesAfterSeconds lotExpiry sponsor closed allowCycle effectiveFrom effectiveTo",
    "TransferQuoteInput": "source destination recipient pointsOut pointsIn",
    "TransferCreateInput": "quote transfer minimumPointsIn idempotencyKey",
    "TransferCancelInput": "transfer idempotencyKey",
    "TransferReverseInput": "transfer reason idempotencyKey",
    "TransactionReverseInput": "transaction points reason idempotencyKey",
}


@pytest.mark.parametrize("name", list(RELIED_ON))
def test_names_that_clients_rely_on(name: str) -> None:
    """The names that were promised to clients are there."""
    type_ = SCHEMA._schema.type_map[name]
    assert isinstance(type_, GraphQLObjectType | GraphQLInputObjectType)
    assert set(RELIED_ON[name].split()) - set(type_.fields) == set()
