"""Fixtures of the whole tree."""

from collections.abc import Iterator

import pytest

from tests.postgres import Databases, database_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """PostgreSQL, one server for the session; without one, every test that asks for it fails."""
    with database_server() as databases:
        yield databases


@pytest.fixture
def postgres_database(postgres: Databases) -> Iterator[str]:
    """The DSN of an empty PostgreSQL database that lives as long as one test."""
    dsn = postgres.fresh_database()
    yield dsn
    postgres.drop_database(dsn)
