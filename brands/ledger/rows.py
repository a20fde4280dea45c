"""Rows of the database as state of the books, and changes of the books as rows.

Shared by both lanes; rows are sequences in the order that the names of each function give.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson

from brands.clock import Micros
from brands.ids import book_of
from brands.ledger.batch import Place
from brands.ledger.state import Account, Changes, Hold, Lot, Original, Row, State


def fill_lots(state: State, rows: Sequence[Any], asked: Set[Place], limit: int | None) -> None:
    """Puts loaded lots, which come in order, into their accounts."""
    for row in rows:
        lot = Lot(*row)
        state.lots[lot.account, lot.origin] = lot
        if lot.remaining:
            state.accounts[lot.account].lots.append(lot)
    for _, account_id in asked:
        account = state.accounts[account_id]
        account.all_lots = limit is None or len(account.lots) < limit


def fill_originals(
    state: State,
    entries: Sequence[Any],
    uses: Sequence[Any],
    caps: Sequence[Any],
    reversed_points: Mapping[UUID, int],
) -> None:
    """Transactions to be reversed, with the lots and limits that they used.

    `entries`: (transaction, kind, book, account, amount, unit). `uses`: (transaction, account,
    origin of the lot, points not given back yet, amount, remaining, held, earned, expires).
    `caps`: (transaction, book, account, name, points, count).
    """
    for id, kind, _, account, amount, _ in entries:
        original = state.originals.get(id)
        if original is None:
            original = Original(id, kind, [], {}, reversed_points.get(id, 0))
            state.originals[id] = original
        original.entries.append((account, amount))
    for id, account, origin, points, *lot in uses:
        if (account, origin) not in state.lots:
            state.lots[account, origin] = Lot(account, origin, *lot)
        state.originals[id].uses[account, origin] = points
    for id, _, *cap in caps:
        state.originals[id].caps.append(tuple(cap))


def fill_caps(state: State, asked: Set[tuple[int, UUID, str]], rows: Iterable[Any]) -> None:
    """What was used of limits: rows are (account, name, points, count) sums, none where nothing."""
    for _, account, name in asked:
        state.accounts[account].caps[name] = (0, 0)
    for account, name, points, count in rows:
        state.accounts[account].caps[name] = (points, count)


def remembered_account(row: Any) -> Account:
    """An account with all that was used of limits on it, as `READ_ACCOUNTS` has it."""
    *columns, caps = row
    account = Account(*columns)
    if caps is not None:
        account.caps = {name: (points, count) for name, points, count in orjson.loads(caps)}
    return account


def inserted_rows(changes: Changes, now: Micros) -> Iterator[tuple[str, Sequence[Row]]]:
    """(table, rows) of everything that is only appended, but the transactions themselves."""
    yield "entries", changes.entries
    yield "lots", [lot_row(lot) for lot in changes.new_lots.values()]
    yield "lot_uses", changes.uses
    yield "holds", [hold_row(hold, now) for hold in changes.new_holds.values()]
    yield "hold_lots", changes.hold_lots
    yield "cap_uses", changes.cap_uses


def queued(transactions: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
    """How far the feeds advance by these transactions, and each with how many of its book follow.

    (book, count), in the order in which every writer advances feeds: two of them wait, and do not
    deadlock. The position of a transaction is that of its book's last, less those that follow it.
    """
    counts: dict[int, int] = {}
    rows: list[Row] = []
    for row in reversed(transactions):
        following = counts.get(row[0], 0)
        counts[row[0]] = following + 1
        rows.append((*row, following))
    rows.reverse()
    return sorted(counts.items()), rows


def lot_row(lot: Lot) -> Row:
    """(book, account, origin, amount, remaining, held, spent, earned, expires)"""
    return (
        book_of(lot.account),
        lot.account,
        lot.origin,
        lot.amount,
        lot.remaining,
        lot.held,
        0 if lot.remaining else 1,
        lot.earned_at,
        lot.expires_at,
    )


def hold_row(hold: Hold, now: Micros) -> Row:
    """(book, id, account, points, captured, status, placed, expires, ended, ended by)"""
    return (
        book_of(hold.id),
        hold.id,
        hold.account,
        hold.points,
        hold.captured,
        hold.status,
        now,
        hold.expires_at,
        hold.ended_at,
        hold.ended_by,
    )


def changed_lots(changes: Changes) -> Sequence[Row]:
    """(book, account, origin, remaining, held, spent)"""
    return [
        (
            book_of(lot.account),
            lot.account,
            lot.origin,
            lot.remaining,
            lot.held,
            0 if lot.remaining else 1,
        )
        for lot in changes.lots.values()
    ]


def ended_holds(changes: Changes) -> Sequence[Row]:
    """(book, id, captured, status, ended, ended by)"""
    return [
        (book_of(hold.id), hold.id, hold.captured, hold.status, hold.ended_at, hold.ended_by)
        for hold in changes.holds.values()
    ]


def changed_accounts(changes: Changes) -> Sequence[Row]:
    """(book, id, balance, held, floor, version, rate, posted at, revision when loaded)

    In the order in which every writer locks accounts: two of them wait, and do not deadlock.
    """
    rows = [
        (
            account.book,
            account.id,
            account.balance,
            account.held,
            account.floor,
            account.version,
            account.rate,
            account.posted_at,
            account.revision,
        )
        for account in changes.accounts.values()
    ]
    rows.sort(key=itemgetter(0, 1))
    return rows
