"""A writer's lane on SQLite: one connection in a thread of its own, one batch at a time.

BEGIN IMMEDIATE takes the write lock first, so everything read after it is settled; readers go on in
the WAL on other connections. `synchronous=FULL`: what is acknowledged is on the disk.
"""

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias
from uuid import UUID

from brands.clock import Micros, now_micros
from brands.ids import compiled, new_id
from brands.ledger.batch import (
    LOTS_AT_FIRST,
    TOKENS,
    Answer,
    KeyRow,
    Needs,
    Posted,
    answers_of,
    key_rows,
    needs_of,
    rejected_keys,
    require,
    spent_tokens,
    stored_answer,
)
from brands.ledger.commands import Command
from brands.ledger.core import Verdict, decide
from brands.ledger.lots import LotsNotLoaded
from brands.ledger.rows import (
    changed_accounts,
    changed_lots,
    ended_holds,
    fill_caps,
    fill_lots,
    fill_originals,
    inserted_rows,
    queued,
)
from brands.ledger.state import Account, Changes, Hold, Row, State

BUSY_TIMEOUT_SECONDS = 30

Originals: TypeAlias = tuple[Sequence[Row], Sequence[Row]]
"""Entries, and uses of limits, of the transactions that are to be reversed."""

_ACCOUNTS = """
SELECT a.book, a.id, a.owner_id, a.kind, a.unit, a.balance, a.held, a.floor, a.version, a.rate,
       a.closed, a.posted_at, a.revision
FROM json_each(?) AS asked
CROSS JOIN accounts a ON a.book = asked.value ->> 0 AND a.id = asked.value ->> 1
"""
"""CROSS JOIN is SQLite's word for this order: each account by its key, none by reading them all."""

_LOTS = """
SELECT account_id, transaction_id, amount, remaining, held, earned_at, expires_at
FROM lots WHERE book = ? AND account_id = ? AND spent = 0
ORDER BY expires_at, earned_at, transaction_id LIMIT ?
"""

_RATES = """
SELECT brand_id, effective_from, redemption_rate FROM valuations ORDER BY brand_id, effective_from
"""

_STORED_KEY = """
SELECT book, client, key, fingerprint, command_id, rejection, recorded_at
FROM idempotency_keys WHERE book = ? AND client = ? AND key = ?
"""

_HOLD = "SELECT id, account_id, points, status, expires_at FROM holds WHERE book = ? AND id = ?"

_HOLD_LOTS = "SELECT lot_id, amount FROM hold_lots WHERE book = ? AND hold_id = ? ORDER BY lot_id"

_ORIGINAL_ENTRIES = """
SELECT t.id, t.kind, e.book, e.account_id, e.amount, a.unit
FROM transactions t
JOIN entries e ON e.book = t.book AND e.transaction_id = t.id
JOIN accounts a ON a.book = e.book AND a.id = e.account_id
WHERE t.book = ? AND t.id = ?
"""

_ORIGINAL_USES = """
SELECT u.transaction_id, u.account_id, u.lot_id, u.amount + coalesce((
           SELECT sum(r.amount) FROM transactions t
           JOIN lot_uses r ON r.book = t.book AND r.transaction_id = t.id
               AND r.account_id = u.account_id AND r.lot_id = u.lot_id AND r.amount < 0
           WHERE t.book = u.book AND t.reverses = u.transaction_id), 0),
       l.amount, l.remaining, l.held, l.earned_at, l.expires_at
FROM lot_uses u
JOIN lots l ON l.book = u.book AND l.account_id = u.account_id AND l.transaction_id = u.lot_id
WHERE u.book = ? AND u.transaction_id = ?
ORDER BY l.expires_at, l.earned_at, l.transaction_id
"""

_ORIGINAL_CAPS = """
SELECT transaction_id, book, account_id, name, points, count FROM cap_uses
WHERE book = ? AND account_id = ? AND transaction_id = ?
"""

_CAPS_USED = """
SELECT account_id, name, sum(points), sum(count) FROM cap_uses
WHERE book = ? AND account_id = ? AND name = ? GROUP BY account_id, name
"""

_REVERSED = "SELECT sum(points) FROM transactions WHERE book = ? AND reverses = ?"

_CHANGED_LOTS = """
UPDATE lots SET remaining = ?4, held = ?5, spent = ?6
WHERE book = ?1 AND account_id = ?2 AND transaction_id = ?3
"""

_ENDED_HOLDS = """
UPDATE holds SET captured = ?3, status = ?4, ended_at = ?5, ended_by = ?6
WHERE book = ?1 AND id = ?2 AND status = 'PENDING'
"""

_REJECTED_KEYS = """
UPDATE idempotency_keys SET rejection = ?4 WHERE book = ?1 AND client = ?2 AND key = ?3
"""

_CHANGED_ACCOUNTS = """
UPDATE accounts SET balance = ?3, held = ?4, floor = ?5, version = ?6, rate = ?7, posted_at = ?8,
                    revision = revision + 1
WHERE book = ?1 AND id = ?2 AND revision = ?9
"""

_ADVANCED_FEED = """
INSERT INTO feeds AS f (book, position) VALUES (?, ?)
ON CONFLICT (book) DO UPDATE SET position = f.position + excluded.position
RETURNING book, position
"""


class SqliteLane:
    """One connection that commits batches, each within one hop to the lane's own thread."""

    def __init__(self, path: str, books: int, posted: Posted) -> None:
        self._path = path
        self._books = books
        self._posted = posted
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="books")
        self._connection: sqlite3.Connection | None = None
        self._epoch = -1
        self._rates: dict[UUID, list[tuple[Micros, int]]] = {}

    async def open(self) -> None:
        """Connects, unless connected."""
        await self._in_thread(self._connect)

    async def close(self) -> None:
        """Lets go of the connection; the lane can be opened again."""
        await self._in_thread(self._disconnect)

    async def commit(self, commands: Sequence[Command]) -> list[Answer]:
        """Judges and stores the commands in one transaction; one answer each, in order.

        Any exception means that nothing is known of the batch: `close`, and commit it again.
        """
        answers, posted_in = await self._in_thread(self._commit, commands)
        self._posted(posted_in)
        return list(answers)

    async def _in_thread(self, function: Any, *values: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, function, *values)

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(
                self._path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None,
                check_same_thread=False,
            )  # fmt: skip
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            self._connection = connection
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _commit(self, commands: Sequence[Command]) -> tuple[list[Answer], Set[int]]:
        connection = self._connect()
        connection.execute("BEGIN IMMEDIATE")
        try:
            answers = self._work(connection, commands)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return answers

    def _work(
        self, connection: sqlite3.Connection, commands: Sequence[Command]
    ) -> tuple[list[Answer], Set[int]]:
        """The answers, and the books in which something is posted."""
        keys = key_rows(commands, self._books, now_micros())
        stored: dict[UUID, KeyRow] = {}
        for row in keys:
            found = connection.execute(_STORED_KEY, row[:3]).fetchone()
            if found is not None:
                book, client, key, fingerprint, command_id, rejection, at = found
                stored[row.command_id] = KeyRow(
                    book, client, key, fingerprint, compiled(command_id), rejection, at
                )
        live = [command for command in commands if command.id not in stored]
        fresh: Iterator[Answer] = iter(())
        posted_in: Set[int] = frozenset()
        if live:
            verdicts, changes, now = self._judge(connection, live)
            live_keys = [
                row._replace(recorded_at=now) for row in keys if row.command_id not in stored
            ]
            self._store(connection, live, verdicts, changes, live_keys, now)
            fresh = iter(answers_of(live, verdicts))
            posted_in = changes.books
        return [
            stored_answer(command, stored[command.id]) if command.id in stored else next(fresh)
            for command in commands
        ], posted_in

    def _judge(
        self, connection: sqlite3.Connection, commands: Sequence[Command]
    ) -> tuple[list[Verdict], Changes, Micros]:
        needs = needs_of(commands)
        originals = self._originals(connection, needs)
        limit: int | None = LOTS_AT_FIRST
        while True:
            state, now = self._load(connection, needs, originals, limit)
            try:
                verdicts, changes = decide(state, commands, now, new_id)
            except LotsNotLoaded:
                limit = None
                continue
            return verdicts, changes, now

    def _originals(self, connection: sqlite3.Connection, needs: Needs) -> Originals:
        """Transactions to be reversed; what they touched is added to what is to be loaded."""
        entries: list[Row] = []
        caps: list[Row] = []
        for place in needs.originals:
            for id, kind, book, account, amount, unit in connection.execute(
                _ORIGINAL_ENTRIES, _text(place)
            ):
                entries.append(
                    (compiled(id), kind, book, compiled(account), amount, compiled(unit))
                )
        for id, _, book, account, _, unit in entries:
            needs.original_touches(id, (book, account), unit)
        for counted in needs.counted:
            for id, book, account, *cap in connection.execute(_ORIGINAL_CAPS, _text(counted)):
                caps.append((compiled(id), book, compiled(account), *cap))
        needs.accounts.update((book, account) for _, book, account, *_ in caps)
        return entries, caps

    def _load(
        self,
        connection: sqlite3.Connection,
        needs: Needs,
        originals: Originals,
        limit: int | None,
    ) -> tuple[State, Micros]:
        accounts = {}
        for row in connection.execute(_ACCOUNTS, (json.dumps(list(map(_text, needs.accounts))),)):
            book, id, owner, kind, unit, *rest = row
            account = Account(book, compiled(id), compiled(owner), kind, compiled(unit), *rest)
            accounts[account.id] = account
        require("account", needs.accounts, accounts)
        self._refresh_rates(connection)
        state = State(accounts, self._rates)
        asked = needs.lots | needs.all_lots
        cap = None if needs.all_lots else limit
        rows = [
            (compiled(account), compiled(origin), *rest)
            for place in asked
            for account, origin, *rest in connection.execute(
                _LOTS, (*_text(place), -1 if cap is None else cap)
            )
        ]
        fill_lots(state, rows, asked, cap)
        self._load_rare(connection, needs, originals, state)
        # Time never runs backwards on an account, whatever the clock does.
        return state, max(now_micros(), *(account.posted_at for account in accounts.values()), 0)

    def _refresh_rates(self, connection: sqlite3.Connection) -> None:
        (epoch,) = connection.execute("SELECT epoch FROM coalition").fetchone()
        if epoch == self._epoch:
            return
        rates: dict[UUID, list[tuple[Micros, int]]] = {}
        for brand, effective_from, rate in connection.execute(_RATES):
            rates.setdefault(compiled(brand), []).append((effective_from, rate))
        self._rates, self._epoch = rates, epoch

    def _load_rare(
        self,
        connection: sqlite3.Connection,
        needs: Needs,
        originals: Originals,
        state: State,
    ) -> None:
        """What only some batches need: spent tokens, limits, holds, transactions to reverse."""
        for token in needs.tokens:
            asked = (token.book, TOKENS, token.name)
            if connection.execute(_STORED_KEY, asked).fetchone() is not None:
                state.spent_tokens.add(token)
        used = [
            (compiled(account), *rest)
            for cap in needs.caps
            for account, *rest in connection.execute(_CAPS_USED, _text(cap))
        ]
        fill_caps(state, needs.caps, used)
        for place in needs.holds:
            lots = [
                (compiled(lot), amount)
                for lot, amount in connection.execute(_HOLD_LOTS, _text(place))
            ]
            for id, account, points, status, expires_at in connection.execute(_HOLD, _text(place)):
                hold = Hold(compiled(id), compiled(account), points, status, expires_at, lots)
                state.holds[hold.id] = hold
        entries, caps = originals
        if entries:
            uses = [
                (compiled(id), compiled(account), compiled(lot), *rest)
                for place in needs.originals
                for id, account, lot, *rest in connection.execute(_ORIGINAL_USES, _text(place))
            ]
            done = {
                place[1]: connection.execute(_REVERSED, _text(place)).fetchone()[0] or 0
                for place in needs.originals
            }
            fill_originals(state, entries, uses, caps, done)
        require("hold", needs.holds, state.holds)
        require("transaction", needs.originals, state.originals)

    def _store(
        self,
        connection: sqlite3.Connection,
        commands: Sequence[Command],
        verdicts: Sequence[Verdict],
        changes: Changes,
        keys: Sequence[KeyRow],
        now: Micros,
    ) -> None:
        _insert(connection, "idempotency_keys", [*keys, *spent_tokens(commands, verdicts, now)])
        _insert(connection, "transactions", _at_positions(connection, changes))
        for table, rows in inserted_rows(changes, now):
            _insert(connection, table, rows)
        for kind, records in changes.records.items():
            names = [name for name, _ in kind.columns]
            _insert(connection, kind.table, [record.values for record in records], names)
        for sql, rows in (
            (_REJECTED_KEYS, rejected_keys(commands, verdicts, keys)),
            (_CHANGED_LOTS, changed_lots(changes)),
            (_ENDED_HOLDS, ended_holds(changes)),
            (_CHANGED_ACCOUNTS, changed_accounts(changes)),
        ):
            if rows:
                connection.executemany(sql, map(_text, rows))


def _at_positions(connection: sqlite3.Connection, changes: Changes) -> Sequence[Row]:
    """The transactions made, each with its position in its book's feed."""
    advanced, transactions = queued(changes.transactions)
    last = dict([connection.execute(_ADVANCED_FEED, row).fetchone() for row in advanced])
    return [(*row, last[row[0]] - following) for *row, following in transactions]


def _text(row: Row) -> list[Any]:
    """A row as SQLite stores it: ids as text."""
    return [str(value) if isinstance(value, UUID) else value for value in row]


def _insert(
    connection: sqlite3.Connection,
    table: str,
    rows: Sequence[Row],
    names: Sequence[str] | None = None,
) -> None:
    if rows:
        places = ", ".join("?" * len(rows[0]))
        columns = "" if names is None else f" ({', '.join(names)})"
        connection.executemany(f"INSERT INTO {table}{columns} VALUES ({places})", map(_text, rows))
