"""Lookups of members by number and name: how many of them did not match, and what was looked for.

Nothing here says a number or a name: all that is kept of them is hashes under `lookup_key`. Brands
that were there before have their generated numbers permuted from now on as well, under a key that
is made here; their counters go on, and numbers that are taken are passed over as ever.
"""

from typing import Any

from tortoise.migrations import Migration as TortoiseMigration
from tortoise.migrations.operations import RunPython

from brands.tables.migrations._both import add_column, sql

METERS = """
CREATE TABLE IF NOT EXISTS lookup_meters (
    key             {text} {bytewise} PRIMARY KEY,
    empty_at        {integer} NOT NULL,
    shut_until      {integer} NOT NULL,
    version         {integer} NOT NULL
) {roomy}
"""

SEEN = """
CREATE TABLE IF NOT EXISTS lookups_seen (
    key             {text} {bytewise} PRIMARY KEY,
    forgotten_at    {integer} NOT NULL
) {strict}
"""

ALARMS = """
CREATE TABLE IF NOT EXISTS alarms (
    id              {uuid} PRIMARY KEY,
    at              {integer} NOT NULL,
    kind            {text} NOT NULL CHECK (kind IN ('MISSES', 'NAMES', 'SURNAME', 'NEIGHBOURS')),
    caller_kind     {text} NOT NULL,
    client          {text} NOT NULL,
    agency_id       {uuid} REFERENCES agencies (id),
    member_id       {uuid},
    brand_id        {uuid} NOT NULL REFERENCES brands (id),
    misses          {integer} NOT NULL CHECK (misses > 0),
    request_id      {text} NOT NULL,
    reported        {small} NOT NULL CHECK (reported IN (0, 1))
) {strict}
"""


async def _make_keys(_: Any, editor: Any) -> None:
    random = "uuid_send(gen_random_uuid())" if editor.DIALECT == "postgres" else "randomblob(16)"
    for table, column in (("brands", "number_key"), ("coalition", "lookup_key")):
        await editor.client.execute_script(
            f"UPDATE {table} SET {column} = {random} WHERE {column} IS NULL"
        )


class Migration(TortoiseMigration):
    """Who asks too much."""

    dependencies = [("brands", "m0008_buckets")]
    operations = [
        add_column("brands", "number_key", "{bytes}"),
        add_column("coalition", "lookup_key", "{bytes}"),
        RunPython(_make_keys),
        sql(
            [
                METERS,
                SEEN,
                ALARMS,
                "CREATE INDEX IF NOT EXISTS lookups_seen_forgotten ON lookups_seen (forgotten_at)",
                "CREATE INDEX IF NOT EXISTS alarms_to_report ON alarms (id) WHERE reported = 0",
            ]
        ),
    ]
