"""Households: who sees whom of them, and as how much of a name."""

import pytest

from brands.callers import Caller
from brands.coalition import Coalition
from brands.ids import book_of, new_id
from brands.moving.households import (
    ShownName,
    household_of,
    households_of,
    invitations_of,
    share_household,
)
from tests.brands.cast import AGENCY, OPERATOR, OPERATOR_WITH_PII, brand_caller
from tests.brands.pool import Pooler, ask, join, poolers

NAMES = [ShownName("Given0", "É"), ShownName("Given1", "É")]


async def staged(coalition: Coalition) -> tuple[list[Pooler], dict[str, Caller]]:
    """Ada and Bea, who pool; Eve, whom Ada invited; and every kind of caller."""
    people = ada, bea, eve = await poolers(coalition, 3)
    await join(coalition, ada, bea)
    await ask(coalition, ada, eve)
    brand = coalition.registry.snapshot.brand("AERO")
    return people, {
        "operator": OPERATOR,
        "operator with pii": OPERATOR_WITH_PII,
        "aero": brand_caller(brand),
        "agency": AGENCY,
        "ada": ada.caller,
        "bea": bea.caller,
        "eve": eve.caller,
    }


@pytest.mark.parametrize(
    ("name", "numbers", "names"),
    [
        ("ada", [0], NAMES),
        ("bea", [1], NAMES),
        ("operator", [0, 1], [None, None]),
        ("operator with pii", [0, 1], NAMES),
        ("eve", None, None),
        ("aero", None, None),
        ("agency", None, None),
    ],
)
async def test_who_sees_a_household(
    coalition: Coalition,
    statements: list[str],
    name: str,
    numbers: list[int] | None,
    names: list[ShownName | None] | None,
) -> None:
    """Members see each other by given name and initial and only themselves by number; the operator
    by number, and by name with the scope for it; nobody else sees anything; in one statement."""
    people, callers = await staged(coalition)
    statements.clear()
    ids = [each.id for each in people]
    found = await households_of(coalition, callers[name], [*ids, new_id(0)])
    assert len(statements) <= 1
    if numbers is None:
        assert found == {}
        return
    seen = set(ids[:2]) & ({callers[name].member_id} if "op" not in name else set(ids))
    assert found.keys() == seen
    for household in found.values():
        assert [each.member_id for each in household.members] == ids[:2]
        assert [each.name for each in household.members] == names
        assert [each.coalition_number for each in household.members] == [
            people[place].number if place in numbers else None for place in (0, 1)
        ]
        assert household.since <= household.members[0].since <= household.members[1].since


@pytest.mark.parametrize(
    ("name", "sees", "inviter"),
    [
        ("eve", True, NAMES[0]),
        ("operator", True, None),
        ("operator with pii", True, NAMES[0]),
        ("ada", False, None),
        ("bea", False, None),
        ("aero", False, None),
        ("agency", False, None),
    ],
)
async def test_who_sees_an_invitation(
    coalition: Coalition, statements: list[str], name: str, sees: bool, inviter: ShownName | None
) -> None:
    """The invited sees who invited her, by given name and initial; the operator that somebody has;
    nobody else sees the invitation; in one statement."""
    people, callers = await staged(coalition)
    statements.clear()
    eve = people[2].id
    found = await invitations_of(coalition, callers[name], [eve])
    assert len(statements) <= 1
    assert [each.inviter for each in found[eve]] == ([inviter] if sees else [])


async def test_books_do_not_part_a_household(coalition_on_postgres: Coalition) -> None:
    """Members of different books share a household as those of one do, each with her place in her
    own book."""
    coalition = coalition_on_postgres
    people = await poolers(coalition, 8)
    ada, *others = people
    assert len({book_of(each.id) for each in people}) > 1
    await join(coalition, ada, *others)
    ids = [each.id for each in people]
    for each in people:
        assert list(await household_of(coalition, each.id)) == ids
        assert await share_household(coalition, each.id, ada.id) is (each is not ada)
    rows = await coalition.database.fetch("SELECT book, member_id FROM household_members")
    assert {row["member_id"]: row["book"] for row in rows} == {id: book_of(id) for id in ids}


async def test_sharing_is_asked_in_one_statement(
    coalition: Coalition, statements: list[str]
) -> None:
    """Whether two members share a household takes one statement, and is the same both ways; nobody
    shares one with herself."""
    (ada, bea, eve), _ = await staged(coalition)
    statements.clear()
    assert await share_household(coalition, ada.id, bea.id)
    assert len(statements) == 1
    assert await share_household(coalition, bea.id, ada.id)
    for a, b in ((ada, ada), (ada, eve), (eve, ada), (eve, eve)):
        assert not await share_household(coalition, a.id, b.id)
    assert await household_of(coalition, eve.id) == ()
