"""Fixtures of the books: some on each database, and a writer to go with them."""

from collections.abc import AsyncIterator

import pytest

from brands.ledger.writer import Ledger
from tests.brands.ledger.books import Books, Shelf
from tests.postgres import Databases


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Where each test's own books come from."""
    return Shelf(tmp_path_factory.mktemp("books"))


@pytest.fixture(params=["sqlite", "postgresql"])
async def books(request: pytest.FixtureRequest, shelf: Shelf) -> AsyncIterator[Books]:
    """Books of one's own; every test that asks for them runs on both databases."""
    on_postgres = request.param == "postgresql"
    databases = request.getfixturevalue("postgres") if on_postgres else None
    made = await shelf.fresh(databases)
    yield made
    shelf.drop(made, databases)


@pytest.fixture
async def postgres_books(postgres: Databases, shelf: Shelf) -> AsyncIterator[Books]:
    """Books of one's own on PostgreSQL."""
    made = await shelf.fresh(postgres)
    yield made
    shelf.drop(made, postgres)


@pytest.fixture
async def sqlite_books(shelf: Shelf) -> AsyncIterator[Books]:
    """Books of one's own on SQLite."""
    made = await shelf.fresh()
    yield made
    shelf.drop(made)


@pytest.fixture
async def ledger(books: Books) -> AsyncIterator[Ledger]:
    """A writer of `books`, closed in the end."""
    opened = await books.ledger()
    yield opened
    await opened.close()
