"""Histories: a membership's or a member's transactions, the latest first, a page at a time.

Pages are found by position (keyset), never by counting, so a page far back costs no more than the
first and nothing is shown twice or left out while new transactions arrive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from brands.callers import Caller
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.errors import InvalidInput, MemberNotFound, MembershipNotFound
from brands.ids import book_of
from brands.transactions import (
    REVERSALS,
    TRANSACTION_COLUMNS,
    Position,
    Transaction,
    transactions_of,
)

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a history: the `first` so many, or the `last` so many (1 to 100), of what is
    older than `after` and newer than `before`."""

    first: int | None = None
    after: Position | None = None
    last: int | None = None
    before: Position | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a history, the latest transaction first."""

    transactions: tuple[Transaction, ...]
    has_next_page: bool
    has_previous_page: bool


async def page_of_membership(
    coalition: Coalition, caller: Caller, membership_id: UUID, window: Window
) -> Page:
    """A page of one membership's history. Raises `MembershipNotFound`, `InvalidInput`."""
    pages = await pages_of_memberships(coalition, caller, [membership_id], window)
    if membership_id not in pages:
        raise MembershipNotFound(name=str(membership_id))
    return pages[membership_id]


async def page_of_member(
    coalition: Coalition,
    caller: Caller,
    member_id: UUID,
    window: Window,
    brand_id: UUID | None = None,
) -> Page:
    """A page of one member's history. Raises `MemberNotFound`, `InvalidInput`."""
    pages = await pages_of_members(coalition, caller, [member_id], window, brand_id)
    if member_id not in pages:
        raise MemberNotFound(name=str(member_id))
    return pages[member_id]


async def pages_of_memberships(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID], window: Window
) -> dict[UUID, Page]:
    """A page of the history of each membership that the caller may see. Two statements."""
    _check(window)
    found = await coalition.parties.find(ids)
    histories = {
        id: [id]
        for id in ids
        if id in found and caller.sees_membership(found[id].brand_id, found[id].member_id)
    }
    return await _pages(coalition, histories, window)


async def pages_of_members(
    coalition: Coalition,
    caller: Caller,
    ids: Sequence[UUID],
    window: Window,
    brand_id: UUID | None = None,
) -> dict[UUID, Page]:
    """A page of each member's history at the memberships that the caller may see, or at those of
    them with one brand. Two statements. A member of whom the caller may see none is left out."""
    _check(window)
    rows = await coalition.database.fetch(
        "SELECT id, member_id, brand_id FROM memberships "
        "WHERE book = ANY($1::smallint[]) AND member_id = ANY($2::uuid[])",
        sorted({book_of(id) for id in ids}),
        list(dict.fromkeys(ids)),
    )
    histories: dict[UUID, list[UUID]] = {}
    for row in rows:
        member, brand = as_uuid(row["member_id"]), as_uuid(row["brand_id"])
        if caller.sees_membership(brand, member):
            accounts = histories.setdefault(member, [])
            if brand_id in (None, brand):
                accounts.append(as_uuid(row["id"]))
    return await _pages(coalition, histories, window)


def _check(window: Window) -> None:
    if (window.first is None) == (window.last is None):
        raise InvalidInput(path="first", reason="Give exactly one of first and last.")
    path, limit = ("first", window.first) if window.last is None else ("last", window.last)
    assert limit is not None
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput(path=path, reason=f"A page has 1 to {MAX_PAGE} items, not {limit}.")


async def _pages(
    coalition: Coalition, histories: Mapping[UUID, Sequence[UUID]], window: Window
) -> dict[UUID, Page]:
    """A page for each history, which is that of all of its accounts together."""
    limit = window.first or window.last or 0
    accounts = [account for of_one in histories.values() for account in of_one]
    sql, values = _statement(coalition.database.is_sqlite, accounts, window, limit + 1)
    rows = await coalition.database.fetch(sql, *values) if accounts else ()
    known = transactions_of(rows)
    listed: dict[UUID, set[UUID]] = {account: set() for account in accounts}
    for row in rows:
        listed[as_uuid(row["account_id"])].add(as_uuid(row["id"]))
    return {
        id: _page([known[each] for each in set().union(*(listed[a] for a in of_one))], window)
        for id, of_one in histories.items()
    }


def _page(found: Sequence[Transaction], window: Window) -> Page:
    latest_first = sorted(found, key=lambda each: each.position, reverse=True)
    if window.first is not None:
        chosen = latest_first[: window.first]
        return Page(tuple(chosen), len(found) > window.first, window.after is not None)
    assert window.last is not None
    chosen = latest_first[-window.last :]
    return Page(tuple(chosen), window.before is not None, len(found) > window.last)


def _statement(
    is_sqlite: bool, accounts: Sequence[UUID], window: Window, limit: int
) -> tuple[str, list[Any]]:
    """What reads, for each account by itself, the `limit` transactions nearest to where the window
    begins. PostgreSQL stops there; SQLite, which cannot, counts through the account's entries."""
    values: list[Any] = [[book_of(account) for account in accounts], list(accounts), limit]
    bounds = ""
    for comparison, position in (("<", window.after), (">", window.before)):
        if position is not None:
            place = len(values) + 1
            bounds += (
                f" AND (e.recorded_at, e.transaction_id) {comparison} (${place}, ${place + 1})"
            )
            values += position
    direction = "DESC" if window.first is not None else "ASC"
    order = f"ORDER BY e.recorded_at {direction}, e.transaction_id {direction}"
    nearest = (_BY_COUNTING if is_sqlite else _ONE_BY_ONE).format(bounds=bounds, order=order)
    sql = (
        f"SELECT p.account_id, {TRANSACTION_COLUMNS} FROM ({nearest}) p "
        f"JOIN transactions t ON t.book = p.book AND t.id = p.transaction_id {REVERSALS}"
    )
    return sql, values


_ONE_BY_ONE = """
SELECT e.book, e.account_id, e.transaction_id
FROM unnest($1::smallint[], $2::uuid[]) AS asked (book, account_id)
CROSS JOIN LATERAL (
    SELECT e.book, e.account_id, e.transaction_id FROM entries e
    WHERE e.book = asked.book AND e.account_id = asked.account_id{bounds}
    {order} LIMIT $3
) e
"""

_BY_COUNTING = """
SELECT n.book, n.account_id, n.transaction_id FROM (
    SELECT e.book, e.account_id, e.transaction_id,
           row_number() OVER (PARTITION BY e.account_id {order}) AS place
    FROM entries e WHERE e.book = ANY($1) AND e.account_id = ANY($2){bounds}
) n WHERE n.place <= $3
"""
