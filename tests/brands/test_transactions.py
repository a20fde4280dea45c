"""Transactions as read: who sees which entries, and that they add up."""

from collections import defaultdict
from uuid import UUID

from brands.accruals import Accrual, accrue
from brands.coalition import Coalition
from brands.ids import new_id
from brands.ledger.chart import AccountKind, TransactionKind
from brands.moving.routes import TransferRequest
from brands.moving.transferring import create
from brands.registry import Brand
from brands.transactions import OwnerKind, entries_of, transactions_by_id
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


async def conversion(coalition: Coalition) -> tuple[dict[str, Brand], Person, UUID]:
    """A member who converted 1,000 points from AERO to HOTEL; that transaction's id."""
    brands = await open_brands(coalition)
    person = await enrol(coalition, "AERO", "HOTEL", "COFFEE")
    await give(coalition, person, "AERO", 1_000)
    request = TransferRequest(person.at["AERO"], person.at["HOTEL"], points_out=1_000)
    made = await create(coalition, person.caller, request, None, key())
    return brands, person, made.transfer.transactions[0]


async def test_entries_sum_to_zero_in_each_unit(coalition: Coalition) -> None:
    """An operator sees every entry, points before money; in each unit they sum to zero."""
    brands, person, id = await conversion(coalition)
    entries = (await entries_of(coalition, OPERATOR, [id]))[id]
    sums: dict[UUID | None, int] = defaultdict(int)
    for entry in entries:
        sums[entry.account.unit] += entry.amount
    assert sums == {brands["AERO"].id: 0, brands["HOTEL"].id: 0, None: 0}
    assert [entry.account.unit is None for entry in entries] == [False] * 4 + [True] * 3
    mine = next(entry for entry in entries if entry.account.id == person.at["AERO"])
    assert (mine.amount, mine.balance_after) == (-1_000, 0)


async def test_accounts_say_whose_they_are(coalition: Coalition) -> None:
    """An entry's account names its owner: the member, the brand, or the coalition."""
    brands, person, id = await conversion(coalition)
    entries = (await entries_of(coalition, OPERATOR, [id]))[id]
    owners = {
        (entry.account.kind, entry.account.owner_kind, entry.account.owner_id) for entry in entries
    }
    aero, hotel = brands["AERO"].id, brands["HOTEL"].id
    assert owners == {
        (AccountKind.POINTS, OwnerKind.MEMBER, person.id),
        (AccountKind.CONVERTED, OwnerKind.BRAND, aero),
        (AccountKind.CONVERTED, OwnerKind.BRAND, hotel),
        (AccountKind.POOL, OwnerKind.BRAND, aero),
        (AccountKind.POOL, OwnerKind.BRAND, hotel),
        (AccountKind.MARGIN, OwnerKind.COALITION, None),
    }


async def test_a_member_sees_her_own_points(coalition: Coalition) -> None:
    """A member sees the entries of her points accounts, and no money."""
    _, person, id = await conversion(coalition)
    entries = (await entries_of(coalition, person.caller, [id]))[id]
    assert {(entry.account.id, entry.amount) for entry in entries} == {
        (person.at["AERO"], -1_000),
        (person.at["HOTEL"], 640),
    }


async def test_a_brand_sees_its_own_side(coalition: Coalition) -> None:
    """A brand sees the entries in its points and on its money accounts, nothing of another's."""
    brands, person, id = await conversion(coalition)
    entries = (await entries_of(coalition, acting_for(brands["HOTEL"]), [id]))[id]
    assert {(entry.account.kind, entry.amount) for entry in entries} == {
        (AccountKind.POINTS, 640),
        (AccountKind.CONVERTED, -640),
        (AccountKind.POOL, 640 * 12_000),
    }
    assert person.at["AERO"] not in {entry.account.id for entry in entries}


async def test_what_one_may_not_see_is_not_there(coalition: Coalition) -> None:
    """A transaction without an entry that the caller may see does not exist for the caller."""
    brands, person, id = await conversion(coalition)
    stranger = await enrol(coalition, "AERO", "HOTEL")
    for caller in (
        person.caller,
        acting_for(brands["AERO"]),
        acting_for(brands["HOTEL"]),
        OPERATOR,
    ):
        assert list(await transactions_by_id(coalition, caller, [id])) == [id]
    for caller in (stranger.caller, acting_for(brands["COFFEE"]), AGENCY):
        assert await transactions_by_id(coalition, caller, [id]) == {}
        assert await entries_of(coalition, caller, [id]) == {}
    assert await transactions_by_id(coalition, OPERATOR, [new_id(0)]) == {}
    assert await transactions_by_id(coalition, OPERATOR, []) == {}


async def test_many_are_read_in_one_statement(coalition: Coalition, statements: list[str]) -> None:
    """However many transactions are asked for, they take one statement, and their entries one."""
    brands, person, _ = await conversion(coalition)
    earned = [await give(coalition, person, "AERO", points) for points in range(1, 21)]
    statements.clear()
    found = await transactions_by_id(coalition, person.caller, earned)
    entries = await entries_of(coalition, person.caller, earned)
    assert len(statements) == 2
    assert [found[id].points for id in earned] == list(range(1, 21))
    assert {found[id].kind for id in earned} == {TransactionKind.ACCRUAL}
    assert [entries[id][0].amount for id in earned] == list(range(1, 21))
    assert brands["AERO"].id == entries[earned[0]][0].account.unit


async def test_references_are_read_as_written(coalition: Coalition) -> None:
    """A client's reference and description come back as they were given."""
    brands = await open_brands(coalition)
    person = await enrol(coalition, "AERO")
    text = "Überweisung 🛫 'quoted'"
    earned = Accrual(person.at["AERO"], brands["AERO"].id, 1, text, text, None, key())
    id = (await accrue(coalition, OPERATOR, earned)).id
    found = (await transactions_by_id(coalition, person.caller, [id]))[id]
    assert (found.reference, found.description) == (text, text)
