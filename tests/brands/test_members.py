"""Members: who can find whom, by what, and who sees personal data."""

from uuid import UUID

import pytest

from brands.callers import Caller
from brands.coalition import Coalition
from brands.enrolment import Enrolled
from brands.errors import InvalidInput
from brands.ids import new_id
from brands.members import MemberBy, find, members_by_id, profiles_of
from brands.memberships import close_membership, open_membership
from tests.brands.cast import (
    ADA,
    AGENCY,
    OPERATOR,
    OPERATOR_WITH_PII,
    aero,
    bean,
    brand_caller,
    member_caller,
    somebody,
)

CALLERS = ["operator", "aero", "bean", "agency", "herself", "another"]


async def staged(coalition: Coalition) -> tuple[Enrolled, dict[str, Caller]]:
    """A member at the airline alone, whom the airline enrolled; and every kind of caller."""
    airline, cafe = await aero(coalition), await bean(coalition)
    her = await somebody(
        coalition, ("AERO", "A-1"), external_id="x-1", caller=brand_caller(airline)
    )
    other = await somebody(coalition, ("BEAN", "B-1"), external_id="x-1", caller=brand_caller(cafe))
    return her, {
        "operator": OPERATOR,
        "aero": brand_caller(airline),
        "bean": brand_caller(cafe),
        "agency": AGENCY,
        "herself": member_caller(her.member.id),
        "another": member_caller(other.member.id),
    }


@pytest.mark.parametrize(
    ("way", "seen_by"),
    [
        ("id", {"operator", "aero", "herself"}),
        ("coalition number", {"operator", "aero", "herself"}),
        ("membership", {"operator", "aero", "herself"}),
        ("external id", {"aero"}),
    ],
)
async def test_a_member_is_there_for_whom_she_concerns(
    coalition: Coalition, statements: list[str], way: str, seen_by: set[str]
) -> None:
    """The operator, her brands and she herself find a member; nobody else does; an external id
    says something to its own namespace only; and one statement is enough."""
    her, callers = await staged(coalition)
    by = {
        "id": MemberBy(id=her.member.id),
        "coalition number": MemberBy(coalition_number=her.member.coalition_number),
        "membership": MemberBy(membership=("AERO", "A-1")),
        "external id": MemberBy(external_id="x-1"),
    }[way]
    found = {}
    for name, caller in callers.items():
        statements.clear()
        found[name] = await find(coalition, caller, by)
        assert len(statements) <= 1
    seen = {name for name, member in found.items() if member and member.id == her.member.id}
    assert seen == seen_by
    others = {name for name, member in found.items() if member} - seen
    assert others == ({"bean"} if way == "external id" else set())  # who calls another that


@pytest.mark.parametrize("name", CALLERS)
async def test_members_by_id_shows_whom_the_caller_sees(coalition: Coalition, name: str) -> None:
    """Of the ids asked for, only those of members that the caller sees are answered."""
    her, callers = await staged(coalition)
    caller = callers[name]
    ids = [her.member.id, her.member.id, new_id(0), UUID(int=2**128 - 1)]
    sees = name in {"operator", "aero", "herself"}
    assert set(await members_by_id(coalition, caller, ids)) == ({her.member.id} if sees else set())
    assert await members_by_id(coalition, caller, []) == {}


@pytest.mark.parametrize(
    ("name", "shown"),
    [("operator", "x-1"), ("aero", "x-1"), ("herself", "x-1"), ("bean", None)],
)
async def test_an_external_id_is_its_owners(
    coalition: Coalition, name: str, shown: str | None
) -> None:
    """A brand that others share a member with does not see what they call her."""
    her, callers = await staged(coalition)
    await open_at_bean(coalition, her, callers["bean"])
    member = await find(coalition, callers[name], MemberBy(id=her.member.id))
    assert member is not None
    assert member.external_id == shown


async def open_at_bean(coalition: Coalition, her: Enrolled, cafe: Caller) -> None:
    """She joins the coffee chain too, by showing it her coalition number."""
    by = MemberBy(coalition_number=her.member.coalition_number)
    await open_membership(coalition, cafe, by, "BEAN")


async def test_a_brand_cannot_ask_whose_number_another_brands_is(coalition: Coalition) -> None:
    """To a brand, a number of another brand names nobody, even a member that both share."""
    her, callers = await staged(coalition)
    await open_at_bean(coalition, her, callers["bean"])
    by = MemberBy(membership=("AERO", "A-1"))
    assert await find(coalition, callers["bean"], by) is None
    assert await find(coalition, callers["herself"], by) is not None


async def test_a_member_has_no_namespace(coalition: Coalition) -> None:
    """What the operator calls a member is nothing that she, or an agency, can be found by."""
    her = await somebody(coalition, external_id="x-9")
    for caller in (member_caller(her.member.id), AGENCY):
        assert await find(coalition, caller, MemberBy(external_id="x-9")) is None
    assert await find(coalition, OPERATOR, MemberBy(external_id="x-9")) == her.member


@pytest.mark.parametrize(
    "by",
    [
        MemberBy(id=UUID(int=0)),
        MemberBy(coalition_number="x" * 100_000),
        MemberBy(coalition_number="1\0"),
        MemberBy(external_id="\ud800"),
        MemberBy(external_id=""),
        MemberBy(membership=("NONE", "1")),
        MemberBy(membership=("AERO", "\0")),
        MemberBy(membership=("AERO", "' OR 1=1 --")),
    ],
)
async def test_whoever_is_named_oddly_is_not_there(coalition: Coalition, by: MemberBy) -> None:
    """Whatever a member is called, the answer is that she is not there, and no failure."""
    await staged(coalition)
    assert await find(coalition, OPERATOR, by) is None


@pytest.mark.parametrize("ways", [{}, {"id": UUID(int=1), "external_id": "x"}])
def test_a_member_is_named_in_one_way(ways: dict[str, object]) -> None:
    """Naming a member in no way, or in two, is refused."""
    with pytest.raises(InvalidInput):
        MemberBy(**ways)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "sees"),
    [
        ("operator", False),
        ("operator with pii", True),
        ("aero", True),
        ("bean", False),
        ("agency", False),
        ("herself", True),
        ("another", False),
    ],
)
async def test_personal_data_is_for_few(
    coalition: Coalition, statements: list[str], name: str, sees: bool
) -> None:
    """Personal data is seen by the member, by her own brands, and by an operator with `pii`."""
    her, callers = await staged(coalition)
    caller = {**callers, "operator with pii": OPERATOR_WITH_PII}[name]
    statements.clear()
    profiles = await profiles_of(coalition, caller, [her.member.id, new_id(0)])
    assert profiles == ({her.member.id: ADA} if sees else {})
    never = name in {"operator", "agency", "another"}  # then it is not even read
    assert len(statements) == (0 if never else 1)


async def test_a_closed_membership_ends_the_sight_of_personal_data(coalition: Coalition) -> None:
    """A brand whose membership is closed still finds the member, without her personal data."""
    her, callers = await staged(coalition)
    await close_membership(coalition, callers["aero"], her.memberships[0].id)
    assert await find(coalition, callers["aero"], MemberBy(id=her.member.id)) is not None
    assert await profiles_of(coalition, callers["aero"], [her.member.id]) == {}
