"""The PostgreSQL that the tests start is a real one, and each test has a database to itself."""

import asyncpg
import pytest

from tests.postgres import Databases, running_server


async def ask(dsn: str, statement: str) -> object:
    """The single value that a statement returns, over a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_a_fresh_database_is_a_copy_of_its_template(postgres: Databases) -> None:
    """A database made from a template starts with the template's rows and then lives apart."""
    template = postgres.fresh_database()
    await ask(template, "CREATE TABLE brand AS SELECT 'AERO' AS code")
    copy = postgres.fresh_database(template)
    await ask(copy, "INSERT INTO brand VALUES ('BEAN')")

    assert await ask(copy, "SELECT count(*) FROM brand") == 2
    assert await ask(template, "SELECT count(*) FROM brand") == 1

    for dsn in copy, template:
        postgres.drop_database(dsn)


async def test_a_database_can_be_dropped_while_somebody_is_connected(postgres: Databases) -> None:
    """Dropping a database ends the connections that a failed test left behind."""
    dsn = postgres.fresh_database()
    connection = await asyncpg.connect(dsn)
    postgres.drop_database(dsn)

    with pytest.raises(asyncpg.PostgresConnectionError):
        await connection.fetchval("SELECT 1")
    connection.terminate()


async def test_what_was_committed_outlives_a_power_cut() -> None:
    """A server with fsync that is stopped hard comes back with every committed row."""
    with running_server(fsync=True, max_connections="20") as server:
        dsn = server.databases.fresh_database()
        await ask(dsn, "CREATE TABLE brand AS SELECT 'AERO' AS code")
        server.stop("immediate")
        server.start()

        assert await ask(dsn, "SELECT code FROM brand") == "AERO"
        assert await ask(dsn, "SHOW max_connections") == "20"
