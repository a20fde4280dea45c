"""Buckets: how much each client has asked of us, as the processes share it.

On PostgreSQL only: an embedded database has one process, which keeps them in memory. Unlogged, for
nothing is lost that a bucket does not restore by itself.
"""

from tortoise.migrations import Migration as TortoiseMigration

from brands.tables.migrations._both import postgres_only

BUCKETS = """
CREATE UNLOGGED TABLE IF NOT EXISTS buckets (
    name        text COLLATE "C" PRIMARY KEY,
    at          bigint NOT NULL,
    full_at     bigint NOT NULL,
    granted     bigint NOT NULL CHECK (granted >= 0)
) WITH (fillfactor = 50)
"""


class Migration(TortoiseMigration):
    """What limits count, between processes."""

    dependencies = [("brands", "m0007_agencies")]
    operations = [postgres_only(BUCKETS)]
