"""A writer's lane on PostgreSQL: one connection, one batch at a time, few statements per batch.

READ COMMITTED re-reads a row once its lock is granted, but not within one statement: so accounts
are locked first, in id order, and what hangs on them is read by later statements. Arrays go in,
sets are worked on: the number of statements does not grow with the batch.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import asyncpg

from brands.clock import Micros, steady_micros
from brands.ids import new_id
from brands.ledger.batch import (
    LOTS_AT_FIRST,
    Answer,
    KeyRow,
    Needs,
    Posted,
    answers_of,
    key_rows,
    needs_of,
    rejected_keys,
    rejection_text,
    require,
    spent_tokens,
    stored_answer,
)
from brands.ledger.commands import Command, Refuse
from brands.ledger.core import Verdict, decide
from brands.ledger.lots import LotsNotLoaded
from brands.ledger.memory import MOST_LOTS, Memory
from brands.ledger.reading import Originals, read_originals, read_rare
from brands.ledger.rows import (
    changed_accounts,
    changed_lots,
    ended_holds,
    fill_lots,
    inserted_rows,
    queued,
    remembered_account,
)
from brands.ledger.state import Account, Changes, Row, State
from brands.ledger.statements import (
    ADVANCED_FEEDS,
    APPEND,
    CHANGED_ACCOUNTS,
    CHANGED_LOTS,
    CLAIM_KEYS,
    CLAIMED_KEYS,
    CLOCK_AND_LOTS,
    ENDED_HOLDS,
    IN_THE_ORDER_GIVEN,
    LOCK_ACCOUNTS,
    RATES,
    READ_ACCOUNTS,
    REJECTED_KEYS,
    STORED_KEYS,
    TRANSACTIONS,
    columns,
    insert,
    literal,
    one_statement,
    places,
)


class PostgresLane:
    """One connection that commits batches. Not to be used by two tasks at once."""

    def __init__(self, url: str, books: int, memory: Memory, posted: Posted) -> None:
        self._url = url
        self._books = books
        self._connection: asyncpg.Connection[Any] | None = None
        self._memory = memory
        self._posted = posted

    async def open(self) -> None:
        """Connects, unless connected."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._url, timeout=10, command_timeout=30, statement_cache_size=512
            )
            await self._connection.execute(IN_THE_ORDER_GIVEN)

    async def close(self) -> None:
        """Lets go of the connection, in whatever state it is."""
        connection, self._connection = self._connection, None
        self._memory.forget_all()
        if connection is not None:
            connection.terminate()

    async def commit(self, commands: Sequence[Command]) -> list[Answer]:
        """Judges and stores the commands in one transaction; one answer each, in order.

        Any exception means that nothing is known of the batch: `close`, and commit it again.
        """
        await self.open()
        assert self._connection is not None
        if self._memory.serves(commands):
            answers = await self._commit_from_memory(self._connection, commands)
            if answers is not None:
                return answers
        return await self._commit_under_lock(self._connection, commands)

    async def _commit_from_memory(
        self, connection: "asyncpg.Connection[Any]", commands: Sequence[Command]
    ) -> list[Answer] | None:
        """Judges by what is remembered and stores with one statement, which stores nothing if
        anybody has changed an account since. None: judge again, under lock."""
        needs = needs_of(commands)
        try:
            state = await self._remember(connection, needs)
            if state is None:
                return None
            now = steady_micros() + self._memory.clock_ahead
            now = max(now, *(account.posted_at for account in state.accounts.values()), 0)
            verdicts, changes = decide(state, commands, now, new_id)
            if any(
                verdict is not None and type(command) is not Refuse
                for command, verdict in zip(commands, verdicts, strict=True)
            ):
                # A refusal sticks to its key for ever: it is not given from memory.
                return None
            await self._store_guarded(connection, commands, verdicts, changes, now)
        except asyncpg.SerializationError:
            self._memory.contradicted()
            return None
        except (asyncpg.UniqueViolationError, LotsNotLoaded):
            return None
        self._memory.confirmed(state.accounts, changes.accounts)
        self._posted(changes.books)
        return answers_of(commands, verdicts)

    async def _remember(self, connection: "asyncpg.Connection[Any]", needs: Needs) -> State | None:
        """The state that a batch concerns, from memory; what is missing is read, unlocked."""
        missing, members = self._memory.missing(needs)
        if missing or not self._memory.clock_ahead:
            rows = await connection.fetch(READ_ACCOUNTS, *places(missing))
            read = {row[1]: remembered_account(row) for row in rows}
            # Read after the accounts: lots that are newer than theirs show in the revision.
            clock = await connection.fetch(CLOCK_AND_LOTS, *places(members), MOST_LOTS)
            self._memory.clock_ahead = clock[0]["now"] - steady_micros()
            if clock[0]["epoch"] != self._memory.epoch:
                await self._load_rates(connection, clock[0]["epoch"])
            if len(read) < len(missing):
                return None
            fill_lots(
                State(read, {}),
                [row[2:] for row in clock if row[2] is not None],
                members,
                MOST_LOTS,
            )
            if not all(read[id].all_lots for _, id in members):
                return None
            self._memory.learn(read)
        accounts = self._memory.take(needs)
        if accounts is None:
            return None
        for _, account, name in needs.caps:
            accounts[account].caps.setdefault(name, (0, 0))
        return State(accounts, self._memory.rates)

    async def _store_guarded(
        self,
        connection: "asyncpg.Connection[Any]",
        commands: Sequence[Command],
        verdicts: Sequence[Verdict],
        changes: Changes,
        now: Micros,
    ) -> None:
        rejections = {
            command.id: verdict
            for command, verdict in zip(commands, verdicts, strict=True)
            if verdict is not None
        }
        keys = [
            row._replace(rejection=rejection_text(rejections[row.command_id]))
            if row.command_id in rejections
            else row
            for row in key_rows(commands, self._books, now)
        ]
        writes = [(CLAIMED_KEYS, keys), *self._writes(commands, verdicts, changes, now)]
        clock = await _write(connection, writes, len(changes.accounts))
        if clock is not None:
            self._memory.clock_ahead = clock - steady_micros()

    async def _commit_under_lock(
        self, connection: "asyncpg.Connection[Any]", commands: Sequence[Command]
    ) -> list[Answer]:
        await connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        keys = key_rows(commands, self._books, 0)
        stored = await self._claim(connection, keys)
        replayed = {row.command_id for row in keys if row[:3] in stored}
        live = [command for command in commands if command.id not in replayed]
        fresh: Iterator[Answer] = iter(())
        if live:
            verdicts, changes, now = await self._judge(connection, live)
            live_keys = [row for row in keys if row.command_id not in replayed]
            await self._store(connection, live, verdicts, changes, live_keys, now)
            fresh = iter(answers_of(live, verdicts))
            await connection.execute("COMMIT")
            self._posted(changes.books)
        else:
            await connection.execute("COMMIT")
        by_command = {row.command_id: stored.get(row[:3]) for row in keys} if stored else {}
        return [
            _answer_again(command, by_command[command.id])
            if command.id in replayed
            else next(fresh)
            for command in commands
        ]

    async def _claim(
        self, connection: "asyncpg.Connection[Any]", keys: Sequence[KeyRow]
    ) -> dict[tuple[Any, ...], KeyRow]:
        """Inserts the keys; those that were there already are returned by (book, client, key)."""
        if not keys:
            return {}
        books, clients, names, prints, commands, *_ = zip(*keys, strict=True)
        inserted = await connection.fetch(
            CLAIM_KEYS, literal(books), clients, names, prints, literal(commands)
        )
        if len(inserted) == len(keys):
            return {}
        ours = {row["command_id"] for row in inserted}
        others = [row for row in keys if row.command_id not in ours]
        books, clients, names, *_ = zip(*others, strict=True)
        asked = await connection.fetch(STORED_KEYS, literal(books), clients, names)
        rows = [KeyRow(*row) for row in asked]
        return {row[:3]: row for row in rows}

    async def _judge(
        self, connection: "asyncpg.Connection[Any]", commands: Sequence[Command]
    ) -> tuple[list[Verdict], Changes, Micros]:
        needs = needs_of(commands)
        originals = await read_originals(connection, needs)
        self._memory.forget(needs)
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
        originals: Originals,
        limit: int | None,
    ) -> tuple[State, Micros]:
        rows = await connection.fetch(LOCK_ACCOUNTS, *places(needs.accounts))
        accounts = {row[1]: Account(*row) for row in rows}
        require("account", needs.accounts, accounts)
        asked = needs.lots | needs.all_lots
        cap = None if needs.all_lots else limit
        clock = await connection.fetch(CLOCK_AND_LOTS, *places(asked), cap)
        if clock[0]["epoch"] != self._memory.epoch:
            await self._load_rates(connection, clock[0]["epoch"])
        state = State(accounts, self._memory.rates)
        fill_lots(state, [row[2:] for row in clock if row[2] is not None], asked, cap)
        await read_rare(connection, needs, originals, state)
        # Time never runs backwards on an account, whatever the clock does.
        now = max(clock[0]["now"], *(account.posted_at for account in accounts.values()), 0)
        return state, now

    async def _load_rates(self, connection: "asyncpg.Connection[Any]", epoch: int) -> None:
        rates: dict[Any, list[tuple[Micros, int]]] = {}
        for brand, effective_from, rate in await connection.fetch(RATES):
            rates.setdefault(brand, []).append((effective_from, rate))
        self._memory.learn_rates(rates, epoch)

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
        refused = rejected_keys(commands, verdicts, keys)
        writes = [(REJECTED_KEYS, refused), *self._writes(commands, verdicts, changes, now)]
        await _write(connection, writes, len(changes.accounts))

    def _writes(
        self,
        commands: Sequence[Command],
        verdicts: Sequence[Verdict],
        changes: Changes,
        now: Micros,
    ) -> list[tuple[str, Sequence[Row]]]:
        """What a batch changes, as statements and their rows.

        First what another writer may have in hand, in the order of all writers: accounts (locked
        by now, if keys are claimed already), tokens, and the feeds. Then records: of two that spend
        one token, in different books, the slower is to meet that, and not the other's row.
        """
        advanced, transactions = queued(changes.transactions)
        writes: list[tuple[str, Sequence[Row]]] = [
            (CHANGED_ACCOUNTS, changed_accounts(changes)),
            (CLAIMED_KEYS, spent_tokens(commands, verdicts, now)),
            (ADVANCED_FEEDS, advanced),
            (TRANSACTIONS, transactions),
        ]
        writes += [(APPEND[table], rows) for table, rows in inserted_rows(changes, now)]
        for kind, records in changes.records.items():
            types = tuple(type_ for _, type_ in kind.columns)
            names = tuple(name for name, _ in kind.columns)
            text = f"{insert(kind.table, names, types)} WHERE true{{after}}"
            writes.append((text, [record.values for record in records]))
        writes += (CHANGED_LOTS, changed_lots(changes)), (ENDED_HOLDS, ended_holds(changes))
        return writes


async def _write(
    connection: "asyncpg.Connection[Any]",
    writes: Sequence[tuple[str, Sequence[Row]]],
    accounts: int,
) -> Micros | None:
    """Writes all that there is to write in one statement, which changes so many accounts or fails;
    the database's clock, if any."""
    writes = [(text, rows) for text, rows in writes if rows]
    if not writes:
        return None
    sql, travel = one_statement(tuple(text for text, _ in writes))
    values: list[Any] = []
    for (_, rows), literals in zip(writes, travel, strict=True):
        values += columns(rows, literals)
    if not accounts:
        await connection.execute(sql, *values)
        return None
    _, clock = await connection.fetchrow(sql, *values, accounts)
    return int(clock)


def _answer_again(command: Command, stored: KeyRow | None) -> Answer:
    assert stored is not None
    return stored_answer(command, stored)
