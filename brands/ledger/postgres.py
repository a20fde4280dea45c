"""A writer's lane on PostgreSQL: one connection, one batch at a time, few statements per batch.

READ COMMITTED re-reads a row once its lock is granted, but not within one statement: so accounts
are locked first, in id order, and what hangs on them is read by later statements. Arrays go in,
sets are worked on: the number of statements does not grow with the batch.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg

from brands.clock import Micros
from brands.errors import LedgerUnavailable
from brands.ids import new_id
from brands.ledger.batch import (
    LOTS_AT_FIRST,
    TOKENS,
    Answer,
    KeyRow,
    Needs,
    answers_of,
    key_rows,
    needs_of,
    rejected_keys,
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
    fill_lots,
    fill_originals,
    inserted_rows,
)
from brands.ledger.state import Account, Changes, Hold, Row, State

_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

CLAIM_KEYS = f"""
INSERT INTO idempotency_keys (book, client, key, fingerprint, command_id, recorded_at)
SELECT book, client, key, fingerprint, command_id, {_NOW}
FROM unnest($1::smallint[], $2::text[], $3::text[], $4::bytea[], $5::uuid[])
    AS claimed (book, client, key, fingerprint, command_id)
ON CONFLICT DO NOTHING
RETURNING command_id
"""

STORED_KEYS = """
SELECT k.book, k.client, k.key, k.fingerprint, k.command_id, k.rejection, k.recorded_at
FROM unnest($1::smallint[], $2::text[], $3::text[]) AS asked (book, client, key)
JOIN idempotency_keys k USING (book, client, key)
"""

LOCK_ACCOUNTS = """
SELECT a.book, a.id, a.owner_id, a.kind, a.unit, a.balance, a.held, a.floor, a.version, a.rate,
       a.closed, a.posted_at
FROM accounts a
WHERE (a.book, a.id) IN (SELECT * FROM unnest($1::smallint[], $2::uuid[]))
ORDER BY a.book, a.id
FOR NO KEY UPDATE
"""

CLOCK_AND_LOTS = f"""
SELECT {_NOW} AS now, c.epoch, l.*
FROM coalition c LEFT JOIN (
    SELECT lot.*
    FROM unnest($1::smallint[], $2::uuid[]) AS asked (book, account_id)
    CROSS JOIN LATERAL (
        SELECT account_id, transaction_id, amount, remaining, held, earned_at, expires_at
        FROM lots
        WHERE lots.book = asked.book AND lots.account_id = asked.account_id AND spent = 0
        ORDER BY expires_at, earned_at, transaction_id
        LIMIT $3
    ) lot
) l ON true
"""

RATES = """
SELECT brand_id, effective_from, redemption_rate FROM valuations ORDER BY brand_id, effective_from
"""

TOKENS_SPENT = """
SELECT key FROM idempotency_keys
WHERE client = $1 AND (book, key) IN (SELECT * FROM unnest($2::smallint[], $3::text[]))
"""

HOLDS = """
SELECT h.id, h.account_id, h.points, h.status, h.expires_at,
       (SELECT array_agg(l.lot_id ORDER BY l.lot_id) FROM hold_lots l
        WHERE l.book = h.book AND l.hold_id = h.id) AS lot_ids,
       (SELECT array_agg(l.amount ORDER BY l.lot_id) FROM hold_lots l
        WHERE l.book = h.book AND l.hold_id = h.id) AS amounts
FROM holds h
WHERE (h.book, h.id) IN (SELECT * FROM unnest($1::smallint[], $2::uuid[]))
"""

ORIGINAL_ENTRIES = """
SELECT t.id, t.kind, e.book, e.account_id, e.amount, a.unit
FROM unnest($1::smallint[], $2::uuid[]) AS asked (book, id)
JOIN transactions t USING (book, id)
JOIN entries e ON e.book = t.book AND e.transaction_id = t.id
JOIN accounts a ON a.book = e.book AND a.id = e.account_id
"""

ORIGINAL_USES = """
SELECT asked.id, u.account_id, u.lot_id, u.amount + coalesce((
           SELECT sum(r.amount) FROM transactions t
           JOIN lot_uses r ON r.book = t.book AND r.transaction_id = t.id
               AND r.account_id = u.account_id AND r.lot_id = u.lot_id AND r.amount < 0
           WHERE t.book = u.book AND t.reverses = u.transaction_id), 0)::bigint AS amount,
       l.amount AS lot_amount, l.remaining, l.held, l.earned_at, l.expires_at
FROM unnest($1::smallint[], $2::uuid[]) AS asked (book, id)
JOIN lot_uses u ON u.book = asked.book AND u.transaction_id = asked.id
JOIN lots l ON l.book = u.book AND l.account_id = u.account_id AND l.transaction_id = u.lot_id
ORDER BY l.expires_at, l.earned_at, l.transaction_id
"""

ORIGINAL_REVERSED = """
SELECT reverses, sum(points)::bigint AS points FROM transactions
WHERE (book, reverses) IN (SELECT * FROM unnest($1::smallint[], $2::uuid[])) GROUP BY reverses
"""

_WRITES: dict[str, tuple[str, ...]] = {
    "transactions": ("smallint", "uuid", "text", "bigint", "bigint", "text", "text", "text",
                     "text", "uuid", "bigint"),
    "entries": ("smallint", "uuid", "uuid", "bigint", "bigint", "bigint", "bigint"),
    "lots": ("smallint", "uuid", "uuid", "bigint", "bigint", "bigint", "smallint", "bigint",
             "bigint"),
    "lot_uses": ("smallint", "uuid", "uuid", "uuid", "bigint"),
    "hold_lots": ("smallint", "uuid", "uuid", "bigint"),
}  # fmt: skip
"""Tables that are only inserted into: the types of their columns, in order."""

_NEW_HOLDS = """
INSERT INTO holds (book, id, account_id, points, captured, status, placed_at, expires_at,
                   ended_at, ended_by)
SELECT * FROM unnest({0}::smallint[], {1}::uuid[], {2}::uuid[], {3}::bigint[], {4}::bigint[],
                     {5}::text[], {6}::bigint[], {7}::bigint[], {8}::bigint[], {9}::uuid[])
"""

_ENDED_HOLDS = """
UPDATE holds h SET captured = u.captured, status = u.status, ended_at = u.ended_at,
                   ended_by = u.ended_by
FROM unnest({0}::smallint[], {1}::uuid[], {2}::bigint[], {3}::text[], {4}::bigint[], {5}::uuid[])
    AS u (book, id, captured, status, ended_at, ended_by)
WHERE h.book = u.book AND h.id = u.id AND h.status = 'PENDING'
"""

_CHANGED_LOTS = """
UPDATE lots l SET remaining = u.remaining, held = u.held, spent = u.spent
FROM unnest({0}::smallint[], {1}::uuid[], {2}::uuid[], {3}::bigint[], {4}::bigint[],
            {5}::smallint[]) AS u (book, account_id, transaction_id, remaining, held, spent)
WHERE l.book = u.book AND l.account_id = u.account_id AND l.transaction_id = u.transaction_id
"""

_TOKENS = """
INSERT INTO idempotency_keys (book, client, key, fingerprint, command_id, rejection, recorded_at)
SELECT * FROM unnest({0}::smallint[], {1}::text[], {2}::text[], {3}::bytea[], {4}::uuid[],
                     {5}::text[], {6}::bigint[])
"""

_REJECTED_KEYS = """
UPDATE idempotency_keys k SET rejection = u.rejection
FROM unnest({0}::smallint[], {1}::text[], {2}::text[], {3}::text[])
    AS u (book, client, key, rejection)
WHERE k.book = u.book AND k.client = u.client AND k.key = u.key
"""

_ACCOUNTS = """
UPDATE accounts a SET balance = u.balance, held = u.held, floor = u.floor, version = u.version,
                      rate = u.rate, posted_at = u.posted_at
FROM unnest({0}::smallint[], {1}::uuid[], {2}::bigint[], {3}::bigint[], {4}::bigint[],
            {5}::bigint[], {6}::bigint[], {7}::bigint[], {8}::bigint[])
    AS u (book, id, balance, held, floor, version, rate, posted_at, loaded_version)
WHERE a.book = u.book AND a.id = u.id AND a.version = u.loaded_version
"""


class PostgresLane:
    """One connection that commits batches. Not to be used by two tasks at once."""

    def __init__(self, url: str, books: int) -> None:
        self._url = url
        self._books = books
        self._connection: asyncpg.Connection[Any] | None = None
        self._epoch = -1
        self._rates: dict[Any, list[tuple[Micros, int]]] = {}
        self._statements: dict[tuple[Any, ...], str] = {}

    async def open(self) -> None:
        """Connects, unless connected."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._url, timeout=10, command_timeout=30, statement_cache_size=512
            )

    async def close(self) -> None:
        """Lets go of the connection, in whatever state it is."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def commit(self, commands: Sequence[Command]) -> list[Answer]:
        """Judges and stores the commands in one transaction; one answer each, in order.

        Any exception means that nothing is known of the batch: `close`, and commit it again.
        """
        await self.open()
        assert self._connection is not None
        connection = self._connection
        await connection.execute("BEGIN")
        keys = key_rows(commands, self._books, 0)
        stored = await self._claim(connection, keys)
        replayed = {row.command_id for row in keys if row[:3] in stored}
        live = [command for command in commands if command.id not in replayed]
        fresh: dict[Any, Answer] = {}
        if live:
            verdicts, changes, now = await self._judge(connection, live)
            live_keys = [row for row in keys if row.command_id not in replayed]
            await self._store(connection, live, verdicts, changes, live_keys, now)
            fresh = dict(
                zip((each.id for each in live), answers_of(live, verdicts, now), strict=True)
            )
        await connection.execute("COMMIT")
        by_command = {row.command_id: stored.get(row[:3]) for row in keys} if stored else {}
        return [
            fresh[command.id]
            if command.id in fresh
            else _answer_again(command, by_command[command.id])
            for command in commands
        ]

    async def _claim(
        self, connection: "asyncpg.Connection[Any]", keys: Sequence[KeyRow]
    ) -> dict[tuple[Any, ...], KeyRow]:
        """Inserts the keys; those that were there already are returned by (book, client, key)."""
        if not keys:
            return {}
        columns = [list(column) for column in zip(*keys, strict=True)]
        inserted = await connection.fetch(CLAIM_KEYS, *columns[:5])
        if len(inserted) == len(keys):
            return {}
        ours = {row["command_id"] for row in inserted}
        others = [row for row in keys if row.command_id not in ours]
        asked = [list(column) for column in zip(*(row[:3] for row in others), strict=True)]
        rows = [KeyRow(*row) for row in await connection.fetch(STORED_KEYS, *asked)]
        return {row[:3]: row for row in rows}

    async def _judge(
        self, connection: "asyncpg.Connection[Any]", commands: Sequence[Command]
    ) -> tuple[list[Verdict], Changes, Micros]:
        needs = needs_of(commands)
        originals = await self._original_entries(connection, needs)
        limit: int | None = LOTS_AT_FIRST
        while True:
            state, now = await self._load(connection, needs, originals, limit)
            try:
                verdicts, changes = decide(state, commands, now, new_id)
            except LotsNotLoaded:
                limit = None
                continue
            return verdicts, changes, now

    async def _load(
        self,
        connection: "asyncpg.Connection[Any]",
        needs: Needs,
        originals: Sequence[Any],
        limit: int | None,
    ) -> tuple[State, Micros]:
        places = sorted(needs.accounts)
        rows = await connection.fetch(LOCK_ACCOUNTS, *_columns(places, 2))
        accounts = {row[1]: Account(*row) for row in rows}
        asked = needs.lots | needs.all_lots
        cap = None if needs.all_lots else limit
        clock = await connection.fetch(CLOCK_AND_LOTS, *_columns(asked, 2), cap)
        if clock[0]["epoch"] != self._epoch:
            await self._load_rates(connection, clock[0]["epoch"])
        state = State(accounts, self._rates)
        fill_lots(state, [row[2:] for row in clock if row[2] is not None], asked, cap)
        await self._load_rare(connection, needs, originals, state)
        # Time never runs backwards on an account, whatever the clock does.
        now = max(clock[0]["now"], *(account.posted_at for account in accounts.values()), 0)
        return state, now

    async def _load_rates(self, connection: "asyncpg.Connection[Any]", epoch: int) -> None:
        rates: dict[Any, list[tuple[Micros, int]]] = {}
        for brand, effective_from, rate in await connection.fetch(RATES):
            rates.setdefault(brand, []).append((effective_from, rate))
        self._rates, self._epoch = rates, epoch

    async def _original_entries(
        self, connection: "asyncpg.Connection[Any]", needs: Needs
    ) -> Sequence[Any]:
        if not needs.originals:
            return ()
        rows: Sequence[Any] = await connection.fetch(
            ORIGINAL_ENTRIES, *_columns(needs.originals, 2)
        )
        for row in rows:
            needs.original_touches((row["book"], row["account_id"]), row["unit"])
        return rows

    async def _load_rare(
        self,
        connection: "asyncpg.Connection[Any]",
        needs: Needs,
        originals: Sequence[Any],
        state: State,
    ) -> None:
        """What only some batches need: spent tokens, holds, transactions to be reversed."""
        if needs.tokens:
            rows = await connection.fetch(TOKENS_SPENT, TOKENS, *_columns(needs.tokens, 2))
            state.spent_tokens.update(row["key"] for row in rows)
        if needs.holds:
            for row in await connection.fetch(HOLDS, *_columns(needs.holds, 2)):
                id, account, points, status, expires_at, lot_ids, amounts = row
                lots = list(zip(lot_ids, amounts, strict=True))
                state.holds[id] = Hold(id, account, points, status, expires_at, lots)
        if originals:
            places = _columns(needs.originals, 2)
            uses = await connection.fetch(ORIGINAL_USES, *places)
            done = {
                row["reverses"]: row["points"]
                for row in await connection.fetch(ORIGINAL_REVERSED, *places)
            }
            fill_originals(state, originals, uses, done)

    async def _store(
        self,
        connection: "asyncpg.Connection[Any]",
        commands: Sequence[Command],
        verdicts: Sequence[Verdict],
        changes: Changes,
        keys: Sequence[KeyRow],
        now: Micros,
    ) -> None:
        """Everything that the batch changes, in one statement."""
        inserts: list[tuple[Any, ...]] = []
        parts: list[tuple[Any, str, int, Sequence[Row]]] = []
        for table, rows in inserted_rows(changes, now):
            if rows:
                types = _WRITES.get(table)
                text = _insert(table, None, types) if types else _NEW_HOLDS
                parts.append((table, text, len(rows[0]), rows))
        for kind, records in changes.records.items():
            types = tuple(type_ for _, type_ in kind.columns)
            names = tuple(name for name, _ in kind.columns)
            rows = [record.values for record in records]
            parts.append((kind, _insert(kind.table, names, types), len(names), rows))
        for name, text, rows in (
            ("tokens", _TOKENS, spent_tokens(commands, verdicts, now)),
            ("rejected", _REJECTED_KEYS, rejected_keys(commands, verdicts, keys)),
            ("changed lots", _CHANGED_LOTS, changed_lots(changes)),
            ("ended holds", _ENDED_HOLDS, ended_holds(changes)),
            ("changed accounts", _ACCOUNTS, changed_accounts(changes)),
        ):
            if rows:
                parts.append((name, text, len(rows[0]), rows))
        if not parts:
            return
        key = tuple(part[0] for part in parts)
        sql = self._statements.get(key)
        if sql is None:
            sql = self._statements[key] = _one_statement([(part[1], part[2]) for part in parts])
        for _, _, _, rows in parts:
            inserts.extend(zip(*rows, strict=True))
        status = await connection.execute(sql, *inserts)
        if changes.accounts and int(status.split()[-1]) != len(changes.accounts):
            raise LedgerUnavailable


def _answer_again(command: Command, stored: KeyRow | None) -> Answer:
    assert stored is not None
    return stored_answer(command, stored)


def _columns(rows: Any, width: int) -> list[list[Any]]:
    """Rows as columns: what `unnest` takes."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _insert(table: str, names: tuple[str, ...] | None, types: Sequence[str]) -> str:
    arrays = ", ".join(f"{{{i}}}::{type_}[]" for i, type_ in enumerate(types))
    columns = "" if names is None else f" ({', '.join(names)})"
    return f"INSERT INTO {table}{columns} SELECT * FROM unnest({arrays})"


def _one_statement(parts: Sequence[tuple[str, int]]) -> str:
    """Several writes as one statement, so that they cost one round trip: all but the last are
    common table expressions."""
    texts = []
    used = 0
    for text, width in parts:
        texts.append(text.format(*(f"${used + i + 1}" for i in range(width))))
        used += width
    *first, last = texts
    if not first:
        return last
    steps = ", ".join(f"step_{i} AS ({text})" for i, text in enumerate(first))
    return f"WITH {steps} {last}"
