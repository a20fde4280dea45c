"""The feed: the place of each transaction among those of its book, in the order of their commits.

Places are given from now on. What was posted before has none, and is only counted.
"""

from tortoise.migrations import Migration as TortoiseMigration

from brands.tables.migrations._both import add_column, sql

FEEDS = """
CREATE TABLE IF NOT EXISTS feeds (
    book            {small} PRIMARY KEY,
    position        {integer} NOT NULL CHECK (position >= 0),
    earlier         {integer} NOT NULL DEFAULT 0 CHECK (earlier >= 0)
) {roomy}
"""
"""`position` is that of the book's last transaction; `earlier` says how many have none. A book has
no row until there is anything to say."""

COUNT_EARLIER = """
INSERT INTO feeds (book, position, earlier)
SELECT book, 0, count(*) FROM transactions WHERE position IS NULL GROUP BY book
ON CONFLICT DO NOTHING
"""


class Migration(TortoiseMigration):
    """What others follow."""

    dependencies = [("brands", "m0005_households")]
    operations = [
        add_column("transactions", "position", "{integer} CHECK (position > 0)"),
        sql(
            [
                FEEDS,
                "CREATE UNIQUE INDEX IF NOT EXISTS transactions_position ON transactions"
                " (book, position) WHERE position IS NOT NULL",
                COUNT_EARLIER,
            ]
        ),
    ]
