"""The database: opening it, bringing it to the newest schema, reading, and short transactions.

SQLite (`sqlite:///path`, embedded default) and PostgreSQL (`postgresql://…`) behind one face. SQL
is written once, in PostgreSQL's words: `$1` placeholders, and `= ANY($1)` for a list of ids, which
is translated for SQLite. The books are written by `brands.ledger.writer` on connections of its own.
"""

import asyncio
import fcntl
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext, _current_context
from tortoise.exceptions import DBConnectionError
from tortoise.migrations.executor import MigrationExecutor

from brands.clock import Micros, now_micros
from brands.ids import compiled

ROWS = (
    "brands.tables.coalition",
    "brands.tables.registry",
    "brands.tables.members",
    "brands.tables.agencies",
    "brands.tables.credentials",
    "brands.tables.lookups",
    "brands.tables.books",
    "brands.tables.transfers",
    "brands.tables.bookings",
    "brands.tables.claims",
)
MIGRATIONS = "brands.tables.migrations"

_MIGRATION_LOCK = 0x636F616C  # "coal": the advisory lock that migrations take
_BUSY_TIMEOUT_MS = 30_000

OUT_OF_REACH = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut between two messages
    DBConnectionError,
    OSError,
    TimeoutError,
)
"""What it looks like when the database is away, or does not answer in time."""

Row = Mapping[str, Any]

Observer: TypeAlias = Callable[[str], AbstractContextManager[None]]
"""Is told of every statement, by its text without its values, and surrounds its execution."""

TRANSACTION = "BEGIN"
"""What an observer is told of a transaction as a whole."""


class Reader(Protocol):
    """What can be read from: the database, or a transaction on it."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]: ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where a database is, read from its URL."""

    url: str
    sqlite_path: str | None

    @property
    def is_sqlite(self) -> bool:
        return self.sqlite_path is not None


def target_of(url: str) -> Target:
    """The target of a `sqlite:///path` or `postgresql://…` URL; `ValueError` for any other."""
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        return Target(url, url.removeprefix("sqlite:///"))
    if scheme in ("postgres", "postgresql"):
        return Target(url, None)
    raise ValueError(f"a database URL begins with sqlite:/// or postgresql://, not {scheme}://")


def _credentials(target: Target, pool_size: int, patience: float | None) -> dict[str, Any]:
    if target.is_sqlite:
        return {
            "file_path": target.sqlite_path,
            "journal_mode": "WAL",
            "synchronous": "FULL",
            "busy_timeout": _BUSY_TIMEOUT_MS,
        }
    parts = urlsplit(target.url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return {
        "host": options.get("host") or parts.hostname or "localhost",
        "port": int(options.get("port") or parts.port or 5432),
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": parts.path.removeprefix("/"),
        "minsize": 1,
        "maxsize": pool_size,
        "command_timeout": patience,
        "reset": _leave_as_it_is,
    }


async def _leave_as_it_is(_: Any) -> None:
    """What is done to a connection that goes back to the pool, once asyncpg has rolled back what
    was open on it: nothing.

    By default asyncpg sends it statements that reset the session, a second round trip for every
    read. There is nothing to reset: on these connections nothing is set, listened to, declared or
    locked beyond a transaction. The books are written, and migrations locked, on others.
    """


def _tortoise_config(
    target: Target, pool_size: int, patience: float | None = None
) -> dict[str, Any]:
    engine = "brands.tables.sqlite" if target.is_sqlite else "tortoise.backends.asyncpg"
    return {
        "connections": {
            "default": {"engine": engine, "credentials": _credentials(target, pool_size, patience)}
        },
        "apps": {
            "brands": {
                "models": list(ROWS),
                "default_connection": "default",
                "migrations": MIGRATIONS,
            }
        },
        "use_tz": True,
        "timezone": "UTC",
    }


_ANY = re.compile(r"= ANY\(\$(\d+)(?:::\w+\[\])?\)")
_PLACEHOLDER = re.compile(r"\$(\d+)(?:::\w+(?:\[\])?)?")


@lru_cache(maxsize=1_024)
def _for_sqlite(sql: str) -> str:
    listed = _ANY.sub(r"IN (SELECT value FROM json_each(?\1))", sql)
    return _PLACEHOLDER.sub(r"?\1", listed)


def _sqlite_value(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return json.dumps([str(item) if isinstance(item, UUID) else item for item in value])
    return value


class Transaction:
    """One database transaction: committed when its block ends, rolled back when it raises."""

    def __init__(
        self, client: BaseDBAsyncClient, *, is_sqlite: bool, observer: Observer | None = None
    ) -> None:
        self.client = client
        self.observer = observer
        self._is_sqlite = is_sqlite

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]:
        """The rows of a statement, as mappings. Ids are `UUID`s on PostgreSQL, text on SQLite:
        read them with `as_uuid`."""
        if self.observer is None:
            return await self._fetch(sql, values)
        with self.observer(sql):
            return await self._fetch(sql, values)

    async def _fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Row]:
        if self._is_sqlite:
            return await self.client.execute_query_dict(
                _for_sqlite(sql), [_sqlite_value(value) for value in values]
            )
        return await self.client.execute_query_dict(sql, list(values))

    async def now(self) -> Micros:
        """The present by the database's clock. SQLite's is this machine's."""
        if self._is_sqlite:
            return now_micros()
        rows = await self.fetch(
            "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now"
        )
        return int(rows[0]["now"])

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """One statement for many rows of values."""
        if self._is_sqlite:
            await self.client.execute_many(
                _for_sqlite(sql), [[_sqlite_value(value) for value in row] for row in rows]
            )
        else:
            await self.client.execute_many(sql, [list(row) for row in rows])


def as_uuid(value: UUID | str) -> UUID:
    """An id as read from either database."""
    return compiled(value) if isinstance(value, str) else value


class Database:
    """An open database. Make one with `open_database`; Tortoise's models use the same one."""

    def __init__(self, target: Target, context: TortoiseContext) -> None:
        self.target = target
        self._context = context
        self._reader = Transaction(context.connections.get("default"), is_sqlite=target.is_sqlite)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.target.is_sqlite

    @property
    def client(self) -> BaseDBAsyncClient:
        """Tortoise's connection, for `.using_db(…)`."""
        return self._reader.client

    def observe(self, observer: Observer) -> None:
        """Has an observer told of every statement from now on."""
        self._reader.observer = observer

    def connections(self) -> tuple[int, int]:
        """How many connections are open for reading and short transactions, and how many of them
        are idle. The embedded database has one, which is never waited for."""
        pool = getattr(self.client, "_pool", None)
        return (0, 0) if pool is None else (pool.get_size(), pool.get_idle_size())

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]:
        """The rows of one statement outside any transaction; see `Transaction.fetch`."""
        return await self._reader.fetch(sql, *values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction that writes: commits at the end of the block, rolls back on an error."""
        observer = self._reader.observer
        with self.active(), observer(TRANSACTION) if observer else nullcontext():
            async with self.client._in_transaction() as client:
                yield Transaction(client, is_sqlite=self.is_sqlite, observer=observer)

    @contextmanager
    def active(self) -> Iterator[BaseDBAsyncClient]:
        """Makes Tortoise's models speak to this database within the block.

        Tortoise's own `with context:` keeps its token on the context and so cannot be entered by
        two tasks at once; hence the context variable itself.
        """
        token = _current_context.set(self._context)
        try:
            yield self.client
        finally:
            _current_context.reset(token)

    async def close(self) -> None:
        """Closes every connection."""
        with self.active():
            await self._context.close_connections()


async def open_database(url: str, *, pool_size: int = 8, patience: float | None = None) -> Database:
    """Opens the database at `url`. Its schema must be migrated already. On PostgreSQL a statement
    that takes longer than `patience` seconds is given up."""
    target = target_of(url)
    context = TortoiseContext()
    with context:
        await context.init(config=_tortoise_config(target, pool_size, patience))
    return Database(target, context)


@asynccontextmanager
async def _migration_lock(target: Target) -> AsyncIterator[None]:
    """One migration at a time, whoever starts them: the engine itself takes no lock."""
    if target.sqlite_path is None:
        connection = await asyncpg.connect(target.url)
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
            yield
        finally:
            await connection.close()
        return
    path = Path(target.sqlite_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".migrating").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield


async def migrate(url: str, report: Callable[[str], None] = lambda _: None) -> None:
    """Brings the database at `url` to the newest schema; `report` is told each step's name.

    Safe to run twice, and by several processes at once.
    """
    target = target_of(url)
    async with _migration_lock(target):
        database = await open_database(url, pool_size=2)
        try:
            with database.active():
                executor = MigrationExecutor(database.client, _tortoise_config(target, 2)["apps"])
                await executor.migrate(
                    direction="forward",
                    progress=lambda event, _, name: (
                        report(name) if event == "apply_start" else None
                    ),
                )
        finally:
            await database.close()


async def is_migrated(database: Database) -> bool:
    """Whether every migration has been applied."""
    with database.active():
        apps = _tortoise_config(database.target, 1)["apps"]
        return not await MigrationExecutor(database.client, apps).plan()
