"""A founded coalition on each database, and a look at the statements that services send."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from brands.coalition import Coalition, found, open_coalition
from brands.database import Row, Transaction, migrate
from tests.postgres import Databases

BOOKS_ON_POSTGRES = 4


def _found(url: str, books: int) -> str:
    async def make() -> None:
        await migrate(url)
        await found(url, name="Test", books=books)

    asyncio.run(make())
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database in which a coalition was founded, to be copied."""
    path = tmp_path_factory.mktemp("template") / "coalition.db"
    _found(f"sqlite:///{path}", 1)
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Databases) -> str:
    """A PostgreSQL database in which a coalition was founded, to be copied."""
    return _found(postgres.fresh_database(), BOOKS_ON_POSTGRES)


@pytest.fixture
def postgres_url(postgres: Databases, postgres_template: str) -> Iterator[str]:
    """A PostgreSQL database in which a coalition was founded and nothing has happened yet."""
    fresh = postgres.fresh_database(postgres_template)
    yield fresh
    postgres.drop_database(fresh)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Such a database, on each kind of database in turn."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "coalition.db")
    return f"sqlite:///{tmp_path / 'coalition.db'}"


@pytest.fixture
async def coalition(url: str) -> AsyncIterator[Coalition]:
    """An open coalition without brands, on each database in turn."""
    opened = await open_coalition(url)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def coalition_on_postgres(postgres_url: str) -> AsyncIterator[Coalition]:
    """The same, on PostgreSQL only."""
    opened = await open_coalition(postgres_url)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that the services send to the database from here on."""
    sent: list[str] = []
    fetch, execute_many = Transaction.fetch, Transaction.execute_many

    async def counted_fetch(self: Transaction, sql: str, *values: Any) -> Sequence[Row]:
        sent.append(sql)
        return await fetch(self, sql, *values)

    async def counted_many(self: Transaction, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        sent.append(sql)
        await execute_many(self, sql, rows)

    monkeypatch.setattr(Transaction, "fetch", counted_fetch)
    monkeypatch.setattr(Transaction, "execute_many", counted_many)
    return sent
