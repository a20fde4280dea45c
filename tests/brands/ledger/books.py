"""Books to try things on: brands, their stripes and members' accounts, made by SQL alone, so that
the tests of the books need no service.
"""

import shutil
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from brands.clock import Micros
from brands.database import Database, migrate, open_database
from brands.ids import new_id
from brands.ledger.audit import audit
from brands.ledger.chart import (
    BRAND_MONEY_KINDS,
    BRAND_POINTS_KINDS,
    COALITION,
    COALITION_MONEY_KINDS,
    AccountKind,
    stripe,
    unit_of,
)
from brands.ledger.writer import Ledger
from tests.postgres import Databases

MEMBERS = 6
BOOKS_ON_SQLITE = 2
BOOKS_ON_POSTGRES = 4


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand and its four rates, in micro-units per point."""

    id: UUID
    value: int
    price: int
    out: int
    into: int


@dataclass(frozen=True, slots=True)
class Member:
    """A member's accounts, one for each brand, in one book."""

    book: int
    accounts: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Books:
    """A database with books in it, and who is in them."""

    url: str
    count: int
    brands: tuple[Brand, ...]
    members: tuple[Member, ...]

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite:")

    @property
    def path(self) -> str:
        """The file of books on SQLite."""
        return self.url.removeprefix("sqlite:///")

    async def ledger(self, lanes: int | None = None) -> Ledger:
        """A writer of these books."""
        return await Ledger.open(self.url, books=self.count, lanes=lanes)

    async def fetch(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """The rows of a statement, on a connection of its own. Ids of SQLite are text."""
        if self.is_sqlite:
            connection = sqlite3.connect(self.path, isolation_level=None, timeout=30)
            connection.row_factory = sqlite3.Row
            try:
                text = [str(value) if isinstance(value, UUID) else value for value in values]
                return [dict(row) for row in connection.execute(sql.replace("$", "?"), text)]
            finally:
                connection.close()
        asked = await asyncpg.connect(self.url)
        try:
            return [dict(row) for row in await asked.fetch(sql, *values)]
        finally:
            await asked.close()

    async def balance(self, account: UUID) -> int:
        """The balance of an account."""
        rows = await self.fetch("SELECT balance FROM accounts WHERE id = $1", account)
        return int(rows[0]["balance"])

    async def count_of(self, table: str) -> int:
        """How many rows a table has."""
        rows = await self.fetch(f"SELECT count(*) AS rows FROM {table}")
        return int(rows[0]["rows"])

    async def broken_laws(self) -> list[str]:
        """What the audit finds wrong with these books."""
        database = await open_database(self.url, pool_size=1)
        try:
            return [f"{finding.law}: {finding.where}" for finding in await audit(database)]
        finally:
            await database.close()

    async def publish(self, brand: Brand, value: int) -> Brand:
        """Publishes a new value of a brand's points, in force at once, as the service does: pools
        locked in order, then the clock read."""
        database = await open_database(self.url, pool_size=1)
        try:
            async with database.transaction() as tx:
                lock = "" if self.is_sqlite else " FOR NO KEY UPDATE"
                pools = await tx.fetch(
                    f"SELECT posted_at FROM accounts WHERE owner_id = $1 AND kind = 'POOL' "
                    f"ORDER BY book, id{lock}",
                    brand.id,
                )
                await tx.fetch(
                    "UPDATE accounts SET revision = revision + 1 "
                    "WHERE owner_id = $1 AND kind = 'POOL'",
                    brand.id,
                )
                now = max([await tx.now(), *(int(pool["posted_at"]) + 1 for pool in pools)])
                changed = replace(
                    brand, value=value, price=value + 100, out=max(1, value - 50), into=value + 50
                )
                await _insert_valuation(tx, changed, now)
                await tx.fetch("UPDATE coalition SET epoch = epoch + 1")
        finally:
            await database.close()
        return changed


def some_books(url: str, count: int, members: int = MEMBERS) -> Books:
    """The books as they will be: three brands of distinct rates, members spread over books."""
    brands = (
        Brand(new_id(0), value=8_000, price=10_000, out=8_000, into=9_000),
        Brand(new_id(0), value=12_000, price=12_000, out=11_000, into=12_500),
        Brand(new_id(0), value=4_500, price=6_100, out=4_500, into=6_100),
    )
    spread = (number % count for number in range(members))
    return Books(
        url, count, brands, tuple(Member(k, tuple(new_id(k) for _ in brands)) for k in spread)
    )


async def make(books: Books) -> None:
    """Makes the database at the books' URL."""
    await migrate(books.url)
    database = await open_database(books.url, pool_size=1)
    try:
        await _fill(database, books)
    finally:
        await database.close()


async def _fill(database: Database, books: Books) -> None:
    rows = [
        (book, COALITION, kind, None)
        for book in range(books.count)
        for kind in COALITION_MONEY_KINDS
    ] + [
        (book, brand.id, kind, brand.value if kind is AccountKind.POOL else None)
        for book in range(books.count)
        for brand in books.brands
        for kind in (*BRAND_POINTS_KINDS, *BRAND_MONEY_KINDS)
    ]
    accounts: list[tuple[Any, ...]] = [
        (book, stripe(book, owner, kind), owner, kind.value, unit_of(owner, kind), None, rate)
        for book, owner, kind, rate in rows
    ]
    for member in books.members:
        owner = new_id(member.book)
        for brand, account in zip(books.brands, member.accounts, strict=True):
            accounts.append((member.book, account, owner, "POINTS", brand.id, 0, None))
    async with database.transaction() as tx:
        await tx.fetch(
            "INSERT INTO coalition VALUES (1, 'Test', 'USD', 2, $1, 1, 1, NULL)", books.count
        )
        for number, brand in enumerate(books.brands):
            await tx.fetch(
                "INSERT INTO brands (id, code, name, points_name, time_zone, status, number_format,"
                " created_at) VALUES ($1, $2, 'Brand', 'Points', 'UTC', 'ACTIVE', '{}', 1)",
                *(brand.id, f"BRAND{number}"),
            )
            await _insert_valuation(tx, brand, 1)
        await tx.execute_many(
            "INSERT INTO accounts (book, id, owner_id, kind, unit, balance, held, floor, version,"
            " rate, closed, posted_at) VALUES ($1, $2, $3, $4, $5, 0, 0, $6, 0, $7, 0, 0)",
            accounts,
        )


async def _insert_valuation(tx: Any, brand: Brand, effective_from: Micros) -> None:
    await tx.fetch(
        "INSERT INTO valuations VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        *(new_id(0), brand.id, brand.value, brand.price, brand.out, brand.into, effective_from),
    )


class Shelf:
    """Books made once and copied for each test that wants some of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._templates: dict[str, Books] = {}
        self._copies = 0

    async def fresh(self, databases: Databases | None = None) -> Books:
        """Untouched books: on SQLite, or on the PostgreSQL server given."""
        if databases is not None:
            template = self._templates.get("postgresql") or await self._make(
                "postgresql", databases.fresh_database(), BOOKS_ON_POSTGRES
            )
            return replace(template, url=databases.fresh_database(template.url))
        template = self._templates.get("sqlite") or await self._make(
            "sqlite", f"sqlite:///{self._directory}/template.db", BOOKS_ON_SQLITE
        )
        self._copies += 1
        path = self._directory / f"books-{self._copies}.db"
        shutil.copyfile(template.path, path)
        return replace(template, url=f"sqlite:///{path}")

    def drop(self, books: Books, databases: Databases | None = None) -> None:
        """Removes books that nobody writes any more."""
        if databases is not None:
            databases.drop_database(books.url)
            return
        for path in self._directory.glob(f"{Path(books.url).name}*"):
            path.unlink()

    async def _make(self, kind: str, url: str, count: int) -> Books:
        books = some_books(url, count)
        await make(books)
        self._templates[kind] = books
        return books
