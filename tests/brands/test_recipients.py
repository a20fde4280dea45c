"""Recipients: found by number and surname, or not found, and nothing in between."""

import pytest

from brands.coalition import Coalition
from brands.errors import BrandNotFound
from brands.members import Profile
from brands.memberships import close_membership
from brands.moving.recipients import Recipient, find_recipient
from brands.rejections import RecipientNotFound
from tests.brands.cast import OPERATOR, OPERATOR_WITH_PII, aero, bean, somebody

GIVER = OPERATOR_WITH_PII
MARIE = Profile("Marie", "Skłodowska-Curie", "marie@example.org")


async def refusal(coalition: Coalition, recipient: Recipient) -> RecipientNotFound:
    """What is raised for a recipient who is not found."""
    with pytest.raises(RecipientNotFound) as refused:
        await find_recipient(coalition, GIVER, recipient)
    return refused.value


@pytest.mark.parametrize("surname", ["Skłodowska-Curie", "sklodowska curie", "SKLODOWSKACURIE"])
async def test_who_is_named_rightly_is_found(coalition: Coalition, surname: str) -> None:
    """A number and a surname, however that is written, lead to the membership and its member."""
    brand = await aero(coalition)
    her = await somebody(coalition, ("AERO", "A-1"), profile=MARIE)
    party = await find_recipient(coalition, GIVER, Recipient("AERO", "A-1", surname))
    assert party == (her.memberships[0].id, her.member.id, brand.id)


async def test_who_is_not_found_is_not_found_in_one_way(
    coalition: Coalition, statements: list[str]
) -> None:
    """An unknown or impossible number, another surname, nobody's profile, an unnamed profile and a
    closed membership are refused in the same words by the same one statement."""
    await aero(coalition)
    await bean(coalition)
    await somebody(coalition, ("AERO", "A-1"), ("BEAN", "B-1"), profile=MARIE)
    await somebody(coalition, ("AERO", "A-2"), profile=None)
    await somebody(coalition, ("AERO", "A-3"), profile=Profile("Marie"))
    gone = await somebody(coalition, ("AERO", "A-4"), profile=MARIE)
    await close_membership(coalition, OPERATOR, gone.memberships[0].id)
    right = MARIE.family_name or ""
    statements.clear()
    told = set()
    cases = [
        *(("AERO", number, right) for number in ("A-9", "a-1", "B-1", "", "A-2", "A-3", "A-4")),
        *(("AERO", number, right) for number in ("A-1\0", "A" * 65, "\ud800")),
        *(("AERO", "A-1", other) for other in ("Curie", "", " ", "x" * 12, right * 20, "\ud800")),
        ("AERO", "A-2", "x" * 12),
        ("AERO", "A-3", "None"),
        ("BEAN", "A-1", right),
    ]
    for case in cases:
        error = await refusal(coalition, Recipient(*case))
        told.add((error.message, error.path))
    assert told == {("There is no recipient of this number and surname.", "recipient")}
    assert len(statements) == len(cases)
    assert len(set(statements)) == 1


async def test_a_brand_is_public(coalition: Coalition) -> None:
    """That there is no such brand is told, whatever the number and the surname."""
    with pytest.raises(BrandNotFound) as refused:
        await find_recipient(coalition, GIVER, Recipient("AERO", "A-1", "Lovelace"))
    assert refused.value.path == "recipient.brand"


def test_a_surname_is_for_no_log() -> None:
    """A recipient in a log or a traceback does not show the surname."""
    assert "Lovelace" not in repr(Recipient("AERO", "A-1", "Lovelace"))
