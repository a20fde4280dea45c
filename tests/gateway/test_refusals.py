"""Refusals: how they stick, what they carry, and what is refused in the text of a document."""

import pytest

from tests.gateway.stage import Stage
from tests.gateway.test_bad_input import adjust, scene_of, transfer


@pytest.mark.parametrize(
    "literal", ["1.5", "1.0", '"10"', "true", "9007199254740992", "ENUM", "[1.5]", "{a: 1}"]
)
async def test_bad_points_in_the_document(stage: Stage, literal: str) -> None:
    """Points that are no points are refused in the text of a document as well."""
    before = await stage.books()
    answer = await stage.ask(
        'mutation { pointsAdjust(input: {membership: "x", reason: "x", idempotencyKey: "k",'
        f" points: {literal}}}) {{ replayed }} }}"
    )
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes == {"GRAPHQL_VALIDATION_FAILED"}
    assert await stage.books() == before


async def test_a_refusal_sticks_to_its_key(stage: Stage) -> None:
    """What was refused for want of points is refused again, though there are points by now."""
    scene = await scene_of(stage)
    given = transfer(pointsOut=5_000)(scene)
    fields = "transfer { id } replayed"
    first = await stage.do("transferCreate", given, fields)
    await stage.give(scene.ada.memberships["AERO"], 10_000)
    again = await stage.do("transferCreate", given, fields)
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["errors"] == first["errors"]
    assert first["transfer"] is None
    other = given | {"transfer": given["transfer"] | {"pointsOut": 50}}
    reused = await stage.do("transferCreate", other, fields)
    assert [error["code"] for error in reused["errors"]] == ["IDEMPOTENCY_KEY_REUSED"]


async def test_errors_carry_their_figures(stage: Stage) -> None:
    """The figures of a case can be asked for by the error's type."""
    scene = await scene_of(stage)
    answer = await stage.data(
        """mutation M($short: TransferCreateInput!, $closed: PointsAdjustInput!) {
            short: transferCreate(input: $short) { errors {
                ... on InsufficientPoints { available required } } }
            closed: pointsAdjust(input: $closed) { errors {
                ... on MembershipClosed { membership } } }
        }""",
        {
            "short": transfer(pointsOut=5_000)(scene),
            "closed": adjust(membership=scene.closed)(scene),
        },
    )
    assert answer["short"]["errors"] == [{"available": 1_000, "required": 5_000}]
    assert answer["closed"]["errors"] == [{"membership": scene.closed}]


async def test_one_field_that_fails_fails_alone(stage: Stage) -> None:
    """A field that is refused does not take along what another field of the request waits for."""
    page = 'transactions(first: 1, after: "x") { __typename }'
    query = f"""{{
        a: viewer {{ member {{ householdInvitations {{ id }} {page} }} }}
        b: viewer {{ member {{ householdInvitations {{ id }} id }} }}
    }}"""
    scene = await scene_of(stage)
    answer = await stage.ask(query, who=scene.ada.token)
    assert answer["data"]["b"]["member"]["householdInvitations"] == []
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
