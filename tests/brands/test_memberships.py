"""Memberships: opening, numbering, closing and reading them."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from brands.accruals import Accrual, accrue
from brands.callers import Caller
from brands.clock import now
from brands.coalition import Coalition
from brands.errors import (
    AlreadyMember,
    BrandNotFound,
    DomainError,
    InvalidInput,
    MemberNotFound,
    MembershipNotFound,
    NotPermitted,
    NumberMalformed,
    NumberTaken,
)
from brands.ids import book_of, new_id
from brands.members import MemberBy
from brands.memberships import (
    Membership,
    MembershipStatus,
    balance_at,
    close_membership,
    lots_of,
    memberships_by_id,
    memberships_of,
    open_membership,
)
from brands.naming.check_digits import CheckScheme
from brands.naming.numbers import NumberFormat, generated_number
from brands.publishing import create_brand
from tests.brands.cast import (
    AGENCY,
    OPERATOR,
    aero,
    bean,
    brand_caller,
    connect_all,
    count_all,
    member_caller,
    new_brand,
    somebody,
)


async def callers_around(coalition: Coalition) -> tuple[UUID, dict[str, Caller]]:
    """A member at both brands, and every kind of caller."""
    airline, cafe = await aero(coalition), await bean(coalition)
    her = await somebody(coalition, ("AERO", "A-1"), ("BEAN", "B-1"))
    other = await somebody(coalition, ("AERO", "A-2"))
    return her.member.id, {
        "operator": OPERATOR,
        "aero": brand_caller(airline),
        "bean": brand_caller(cafe),
        "agency": AGENCY,
        "herself": member_caller(her.member.id),
        "another": member_caller(other.member.id),
    }


SEEN = [
    ("operator", {"A-1", "B-1"}),
    ("aero", {"A-1"}),
    ("bean", {"B-1"}),
    ("agency", set()),
    ("herself", {"A-1", "B-1"}),
    ("another", set()),
]


@pytest.mark.parametrize(("name", "numbers"), SEEN)
async def test_memberships_are_seen_by_whom_they_concern(
    coalition: Coalition, statements: list[str], name: str, numbers: set[str]
) -> None:
    """The operator and the member see all her memberships, a brand its own, others none, in at
    most one statement."""
    her, callers = await callers_around(coalition)
    everything = (await memberships_of(coalition, OPERATOR, [her]))[her]
    statements.clear()
    found = await memberships_of(coalition, callers[name], [her])
    assert {membership.number for membership in found[her]} == numbers
    assert len(statements) <= 1
    statements.clear()
    by_id = await memberships_by_id(coalition, callers[name], [m.id for m in everything])
    assert {membership.number for membership in by_id.values()} == numbers
    assert len(statements) <= 1


async def test_memberships_of_many_members_are_one_statement(
    coalition: Coalition, statements: list[str]
) -> None:
    """However many members are asked for, their memberships are read in one statement, in the
    order of joining, and each has a list."""
    airline, _ = await aero(coalition), await bean(coalition)
    people = [await somebody(coalition, ("BEAN", None), ("AERO", None)) for _ in range(12)]
    ids = [each.member.id for each in people]
    statements.clear()
    found = await memberships_of(coalition, OPERATOR, [*ids, new_id(0)])
    assert len(statements) == 1
    assert [found[each.member.id] for each in people] == [list(e.memberships) for e in people]
    assert len(found) == 13
    narrowed = await memberships_of(coalition, OPERATOR, ids, airline.id)
    assert {m.brand_id for each in narrowed.values() for m in each} == {airline.id}
    assert all(len(each) == 1 for each in narrowed.values())


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("operator", None),
        ("aero", None),
        ("bean", NotPermitted),
        ("agency", NotPermitted),
        ("herself", NotPermitted),
    ],
)
async def test_a_membership_is_opened_by_the_operator_or_the_brand(
    coalition: Coalition, name: str, error: type[DomainError] | None
) -> None:
    """Only the operator and the brand itself open a membership there; on denial nothing changes."""
    airline, cafe = await aero(coalition), await bean(coalition)
    her = (await somebody(coalition, ("BEAN", None))).member
    caller = {
        "operator": OPERATOR,
        "aero": brand_caller(airline),
        "bean": brand_caller(cafe),
        "agency": AGENCY,
        "herself": member_caller(her.id),
    }[name]
    by = MemberBy(coalition_number=her.coalition_number)
    before = await count_all(coalition)
    if error is not None:
        with pytest.raises(error):
            await open_membership(coalition, caller, by, "AERO", "A-9")
        assert await count_all(coalition) == before
        return
    opened = await open_membership(coalition, caller, by, "AERO", "A-9")
    assert (opened.member_id, opened.brand_id, opened.number) == (her.id, airline.id, "A-9")
    assert (opened.posted, opened.held, opened.status) == (0, 0, MembershipStatus.ACTIVE)
    assert book_of(opened.id) == book_of(her.id)
    assert (await memberships_by_id(coalition, caller, [opened.id]))[opened.id] == opened
    changed = await count_all(coalition)
    added = {table for table in changed if changed[table] == before[table] + 1}
    assert added == {"memberships", "accounts", "actions"}


@pytest.mark.parametrize(
    ("code", "number", "error"),
    [
        ("NONE", None, BrandNotFound),
        ("BEAN", None, AlreadyMember),
        ("AERO", "A-1", NumberTaken),
        ("AERO", "", NumberMalformed),
        ("AERO", "A\0", NumberMalformed),
        ("AERO", "x" * 65, NumberMalformed),
        ("LUHN", "79927398714", NumberMalformed),
        ("OWN", None, InvalidInput),
    ],
)
async def test_what_stands_in_the_way_of_a_membership(
    coalition: Coalition, code: str, number: str | None, error: type[DomainError]
) -> None:
    """An unknown brand, a second membership, a number that is taken, malformed or not to be
    generated: each is refused in its own words, and nothing changes."""
    await aero(coalition)
    await bean(coalition)
    for other, number_format in (
        ("LUHN", NumberFormat(check=CheckScheme.LUHN)),
        ("OWN", NumberFormat(pattern=r"X\d+")),
    ):
        await create_brand(coalition, OPERATOR, new_brand(other, number_format=number_format))
    await somebody(coalition, ("AERO", "A-1"))
    her = (await somebody(coalition, ("BEAN", None))).member
    before = await count_all(coalition)
    with pytest.raises(error):
        await open_membership(coalition, OPERATOR, MemberBy(id=her.id), code, number)
    assert await count_all(coalition) == before


async def test_a_brand_meets_a_stranger_by_her_coalition_number_only(
    coalition: Coalition,
) -> None:
    """A brand opens a membership for whoever shows her coalition number; named in any other way,
    a member that it does not have is not there for it."""
    airline, _ = await aero(coalition), await bean(coalition)
    her = await somebody(coalition, ("BEAN", "B-1"), external_id="x")
    before = await count_all(coalition)
    for by in (
        MemberBy(id=her.member.id),
        MemberBy(external_id="x"),
        MemberBy(membership=("BEAN", "B-1")),
        MemberBy(coalition_number="0000000000"),
    ):
        with pytest.raises(MemberNotFound):
            await open_membership(coalition, brand_caller(airline), by, "AERO")
    assert await count_all(coalition) == before
    by = MemberBy(coalition_number=her.member.coalition_number)
    opened = await open_membership(coalition, brand_caller(airline), by, "AERO")
    assert opened.member_id == her.member.id


async def test_generated_numbers_pass_over_those_given(coalition: Coalition) -> None:
    """A generated number is the next that the brand has not given out by hand."""
    brand = await aero(coalition)
    counted = [
        generated_number(brand.code, brand.number_format, count, brand.number_key)
        for count in range(1, 6)
    ]
    for number in (counted[0], counted[2]):
        await somebody(coalition, ("AERO", number))
    numbers = [(await somebody(coalition, ("AERO", None))).memberships[0].number for _ in range(3)]
    assert numbers == [counted[1], counted[3], counted[4]]


async def test_memberships_opened_at_once_have_numbers_of_their_own(
    coalition_on_postgres: Coalition,
) -> None:
    """Of many memberships opened at the same time each has its own number, and of several for one
    member at one brand only one is made."""
    coalition = coalition_on_postgres
    await aero(coalition)
    await connect_all(coalition)
    people = [(await somebody(coalition)).member for _ in range(10)]
    opened = await asyncio.gather(
        *(
            open_membership(coalition, OPERATOR, MemberBy(id=member.id), "AERO")
            for member in people
            for _ in range(3)
        ),
        return_exceptions=True,
    )
    made = [result for result in opened if isinstance(result, Membership)]
    assert len(made) == len({membership.number for membership in made}) == 10
    assert sum(isinstance(result, AlreadyMember) for result in opened) == 20


async def test_a_closed_membership_stays_and_counts(coalition: Coalition) -> None:
    """Closing marks the membership and its account, is on record once, and cannot be doubled."""
    airline = await aero(coalition)
    her = await somebody(coalition, ("AERO", "A-1"))
    id = her.memberships[0].id
    for _ in range(2):
        closed = await close_membership(coalition, brand_caller(airline), id)
        assert closed.status is MembershipStatus.CLOSED
    (account,) = await coalition.database.fetch("SELECT closed FROM accounts WHERE id = $1", id)
    assert account["closed"] == 1
    actions = await coalition.database.fetch("SELECT subject FROM actions WHERE action = $1",
                                             "membership.close")  # fmt: skip
    assert [action["subject"] for action in actions] == [str(id)]
    with pytest.raises(AlreadyMember):
        await open_membership(coalition, OPERATOR, MemberBy(id=her.member.id), "AERO")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("bean", MembershipNotFound),
        ("agency", MembershipNotFound),
        ("another", MembershipNotFound),
        ("herself", NotPermitted),
    ],
)
async def test_a_membership_is_closed_by_the_operator_or_the_brand(
    coalition: Coalition, name: str, error: type[DomainError]
) -> None:
    """To others than the operator and the brand a membership is not there, or not theirs to close;
    nothing changes."""
    her, callers = await callers_around(coalition)
    (mine,) = (await memberships_of(coalition, callers["aero"], [her]))[her]
    with pytest.raises(error):
        await close_membership(coalition, callers[name], mine.id)
    assert (await memberships_of(coalition, callers["aero"], [her]))[her] == [mine]


@pytest.mark.parametrize(("name", "numbers"), SEEN)
async def test_balances_and_lots_are_seen_with_the_membership(
    coalition: Coalition, statements: list[str], name: str, numbers: set[str]
) -> None:
    """Past balances and lots are told to whoever sees the membership, and to nobody else."""
    her, callers = await callers_around(coalition)
    mine, _ = (await memberships_of(coalition, OPERATOR, [her]))[her]
    begun = now() - timedelta(days=1)
    earned = [begun, begun - timedelta(hours=1)]
    for points, at in zip((70, 30), earned, strict=True):
        accrual = Accrual(mine.id, mine.brand_id, points, None, None, at, f"a-{points}")
        await accrue(coalition, OPERATOR, accrual)
    moments = await coalition.database.fetch(
        "SELECT recorded_at FROM entries WHERE account_id = $1 ORDER BY version", mine.id
    )
    first = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=moments[0]["recorded_at"])
    caller = callers[name]
    statements.clear()
    lots = (await lots_of(coalition, caller, [mine.id]))[mine.id]
    assert len(statements) <= 1
    if "A-1" not in numbers:
        assert lots == []
        with pytest.raises(MembershipNotFound):
            await balance_at(coalition, caller, mine.id, now())
        return
    assert [(lot.amount, lot.remaining, lot.held, lot.expires_at) for lot in lots] == [
        (30, 30, 0, None),
        (70, 70, 0, None),
    ]
    assert [lot.earned_at for lot in lots] == earned[::-1]
    tick = timedelta(microseconds=1)
    for at, points in ((first - tick, 0), (first, 70), (now() + timedelta(hours=1), 100)):
        assert await balance_at(coalition, caller, mine.id, at) == points
    seen = (await memberships_by_id(coalition, caller, [mine.id]))[mine.id]
    assert (seen.posted, seen.held) == (100, 0)
