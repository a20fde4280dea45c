"""Histories: every transaction once, the latest first, whatever the pages."""

from dataclasses import replace
from uuid import UUID

import pytest

from brands.callers import Caller
from brands.coalition import Coalition
from brands.errors import InvalidInput, MemberNotFound, MembershipNotFound
from brands.histories import (
    MAX_PAGE,
    Page,
    Window,
    page_of_member,
    page_of_membership,
    pages_of_members,
    pages_of_memberships,
)
from brands.ids import new_id
from brands.moving.routes import TransferRequest
from brands.moving.transferring import create
from brands.transactions import reverse
from tests.brands.stage import (
    AGENCY,
    OPERATOR,
    Person,
    acting_for,
    enrol,
    give,
    key,
    open_brands,
)

ALL = Window(first=MAX_PAGE)


async def saver(coalition: Coalition) -> tuple[Person, dict[str, list[UUID]]]:
    """A member with seven accruals at two brands and three conversions; the transactions of each
    of her memberships, and all of them as `*`, the latest first."""
    await open_brands(coalition)
    person = await enrol(coalition, "AERO", "HOTEL", "COFFEE")
    did: dict[str, list[UUID]] = {"AERO": [], "HOTEL": [], "COFFEE": [], "*": []}
    for code in ("AERO", "HOTEL", "AERO", "AERO", "AERO", "HOTEL", "AERO"):
        id = await give(coalition, person, code, 100)
        for name in (code, "*"):
            did[name].append(id)
        if code == "HOTEL" or len(did["AERO"]) == 3:
            request = TransferRequest(person.at["AERO"], person.at["HOTEL"], points_out=10)
            made = await create(coalition, OPERATOR, request, None, key())
            for name in ("AERO", "HOTEL", "*"):
                did[name].append(made.transfer.transactions[0])
    for of_one in did.values():
        of_one.reverse()
    return person, did


def ids(page: Page) -> list[UUID]:
    """The transactions of a page."""
    return [each.id for each in page.transactions]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 100])
async def test_pages_forward_make_up_the_history(coalition: Coalition, size: int) -> None:
    """Page after page from the latest on, each transaction comes once, and the last page says that
    it is the last."""
    person, did = await saver(coalition)
    found: list[UUID] = []
    window, more = Window(first=size), True
    while more:
        page = await page_of_member(coalition, person.caller, person.id, window)
        assert page.has_previous_page is (window.after is not None)
        found += ids(page)
        more = page.has_next_page
        assert more is (len(found) < len(did["*"]))
        window = replace(window, after=page.transactions[-1].position)
    assert found == did["*"]


@pytest.mark.parametrize("size", [1, 3, 10])
async def test_pages_backward_make_up_the_history(coalition: Coalition, size: int) -> None:
    """Page before page from the earliest on, each transaction comes once, in the same order."""
    person, did = await saver(coalition)
    found: list[UUID] = []
    window, more = Window(last=size), True
    while more:
        page = await page_of_membership(coalition, person.caller, person.at["AERO"], window)
        assert page.has_next_page is (window.before is not None)
        found = ids(page) + found
        more = page.has_previous_page
        assert more is (len(found) < len(did["AERO"]))
        window = replace(window, before=page.transactions[0].position)
    assert found == did["AERO"]


async def test_a_page_lies_between_its_bounds(coalition: Coalition) -> None:
    """With both bounds a page holds what is older than the one and newer than the other."""
    person, did = await saver(coalition)
    history = (await page_of_member(coalition, OPERATOR, person.id, ALL)).transactions
    newest, oldest = history[1].position, history[5].position
    for window in (Window(first=100), Window(last=100)):
        between = replace(window, after=newest, before=oldest)
        page = await page_of_member(coalition, OPERATOR, person.id, between)
        assert ids(page) == did["*"][2:5]


async def test_a_membership_has_its_own_history(coalition: Coalition) -> None:
    """A membership's history has what touched it; a conversion is in both, once in the member's."""
    person, did = await saver(coalition)
    pages = await pages_of_memberships(coalition, person.caller, list(person.at.values()), ALL)
    assert {code: ids(pages[person.at[code]]) for code in person.at} == {
        code: did[code] for code in person.at
    }
    assert len(did["*"]) == len(set(did["AERO"] + did["HOTEL"]))


async def test_new_transactions_do_not_shift_the_pages(coalition: Coalition) -> None:
    """What is posted while one turns the pages comes before them, and changes none of the rest."""
    person, did = await saver(coalition)
    first = await page_of_member(coalition, person.caller, person.id, Window(first=4))
    newer = await give(coalition, person, "AERO", 1)
    after = Window(first=100, after=first.transactions[-1].position)
    rest = await page_of_member(coalition, person.caller, person.id, after)
    assert ids(first) + ids(rest) == did["*"]
    before = Window(last=100, before=first.transactions[0].position)
    assert ids(await page_of_member(coalition, person.caller, person.id, before)) == [newer]


async def test_a_history_says_what_was_reversed(coalition: Coalition) -> None:
    """A reversed transaction stays, and names its reversals, each of which is there once."""
    person, did = await saver(coalition)
    earned = did["AERO"][0]
    parts = [await reverse(coalition, OPERATOR, earned, n, "oops", key()) for n in (30, 70)]
    page = await page_of_membership(coalition, person.caller, person.at["AERO"], ALL)
    assert ids(page) == [parts[1].id, parts[0].id, *did["AERO"]]
    assert page.transactions[2].reversed_by == tuple(sorted(part.id for part in parts))
    assert [each.reverses for each in page.transactions[:2]] == [earned, earned]


async def test_who_sees_which_history(coalition: Coalition) -> None:
    """A brand sees of a member's history what happened at it; a member sees her own; for others
    neither the member nor the membership is there."""
    person, did = await saver(coalition)
    stranger = await enrol(coalition, "AERO")
    brands = coalition.registry.snapshot
    grocer, hotel = acting_for(brands.brand("GROCER")), acting_for(brands.brand("HOTEL"))
    seen: list[tuple[Caller, list[UUID]]] = [
        (OPERATOR, did["*"]),
        (person.caller, did["*"]),
        (hotel, did["HOTEL"]),
    ]
    for caller, expected in seen:
        assert ids(await page_of_member(coalition, caller, person.id, ALL)) == expected
    for caller in (stranger.caller, grocer, AGENCY):
        with pytest.raises(MemberNotFound):
            await page_of_member(coalition, caller, person.id, ALL)
        with pytest.raises(MembershipNotFound):
            await page_of_membership(coalition, caller, person.at["AERO"], ALL)
    with pytest.raises(MembershipNotFound):
        await page_of_membership(coalition, hotel, person.at["AERO"], ALL)
    with pytest.raises(MemberNotFound):
        await page_of_member(coalition, OPERATOR, new_id(0), ALL)


async def test_a_history_narrows_to_a_brand(coalition: Coalition) -> None:
    """A member's history at one brand is that membership's; where she is no member it is empty."""
    person, did = await saver(coalition)
    brands = coalition.registry.snapshot
    for code in ("AERO", "COFFEE", "GROCER"):
        brand = brands.brand(code).id
        page = await page_of_member(coalition, person.caller, person.id, ALL, brand)
        assert ids(page) == did.get(code, [])
        assert (page.has_next_page, page.has_previous_page) == (False, False)


async def test_many_histories_take_two_statements(
    coalition: Coalition, statements: list[str]
) -> None:
    """However many members or memberships are asked for, their pages take two statements."""
    person, did = await saver(coalition)
    others = [await enrol(coalition, "AERO", "HOTEL") for _ in range(5)]
    gifts = {other.id: await give(coalition, other, "AERO", 1) for other in others}
    statements.clear()
    members = [person.id, *gifts]
    pages = await pages_of_members(coalition, OPERATOR, members, Window(first=2))
    assert len(statements) == 2
    assert {id: ids(page) for id, page in pages.items()} == {
        person.id: did["*"][:2],
        **{id: [gift] for id, gift in gifts.items()},
    }
    statements.clear()
    accounts = [other.at["AERO"] for other in others]
    by_account = await pages_of_memberships(coalition, OPERATOR, accounts, Window(last=1))
    assert len(statements) == 2
    assert [ids(by_account[account]) for account in accounts] == [[id] for id in gifts.values()]


@pytest.mark.parametrize(
    "window",
    [Window(), Window(first=1, last=1), Window(first=0), Window(last=0), Window(first=101)],
)
async def test_a_page_has_a_size(coalition: Coalition, window: Window) -> None:
    """A page is asked for by exactly one of first and last, from 1 to 100."""
    for pages in (pages_of_members, pages_of_memberships):
        with pytest.raises(InvalidInput):
            await pages(coalition, OPERATOR, [new_id(0)], window)
