"""The connections that are read on, and go from hand to hand."""

from brands.database import open_database
from tests.postgres import Databases


async def test_one_statement_is_one_statement(postgres: Databases) -> None:
    """Nothing is sent for a connection that goes back after a read."""
    database = await open_database(postgres.fresh_database(), pool_size=2)
    try:
        async with database.transaction() as watching:
            await database.fetch("SELECT 'the last one'")
            rows = await watching.fetch(
                "SELECT query FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert [row["query"] for row in rows] == ["SELECT 'the last one'"]
    finally:
        await database.close()
