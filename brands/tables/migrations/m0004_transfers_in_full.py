"""Transfers to other members, transfers that take their time, and what was used of limits."""

from hashlib import blake2b
from typing import Any
from uuid import UUID

from tortoise.migrations import Migration as TortoiseMigration
from tortoise.migrations.operations import RunPython

from brands.ids import BOOK_SHIFT, MAX_BOOKS
from brands.tables.migrations._both import add_column, append_only, sql

CAP_USES = """
CREATE TABLE IF NOT EXISTS cap_uses (
    book            {small} NOT NULL,
    account_id      {uuid} NOT NULL,
    name            {text} {bytewise} NOT NULL,
    transaction_id  {uuid} NOT NULL,
    points          {integer} NOT NULL,
    count           {integer} NOT NULL,
    PRIMARY KEY (book, account_id, name, transaction_id)
) {strict}
"""

PENDING_ARRIVALS = """
CREATE TABLE IF NOT EXISTS pending_arrivals (
    book            {small} NOT NULL,
    transfer_id     {uuid} NOT NULL,
    arrives_at      {integer} NOT NULL,
    PRIMARY KEY (book, transfer_id)
) {strict}
"""
"""A list of what is to be done, for the worker. Whether it is done, the books know."""

INDEXES = [
    "CREATE INDEX IF NOT EXISTS pending_arrivals_due ON pending_arrivals (book, arrives_at)",
]


def transit_account(book: int) -> UUID:
    """The id of that account, as the chart of accounts has it; a migration stays what it was."""
    noise = int.from_bytes(blake2b(bytes(16) + b"TRANSIT", digest_size=16).digest())
    fixed = (0xF << 76) | (0x3 << 62) | (MAX_BOOKS - 1) << BOOK_SHIFT
    return UUID(int=noise & ~fixed | 8 << 76 | 2 << 62 | book << BOOK_SHIFT)


async def _open_transit_accounts(_: Any, editor: Any) -> None:
    """A coalition that was founded before there were any gets its accounts of that kind."""
    founded = await editor.client.execute_query_dict("SELECT books FROM coalition")
    for book in range(founded[0]["books"] if founded else 0):
        await editor.client.execute_script(
            "INSERT INTO accounts (book, id, owner_id, kind, unit, balance, held, floor, version,"
            f" rate, closed, posted_at) VALUES ({book}, '{transit_account(book)}',"
            f" '{UUID(int=0)}', 'TRANSIT', '{UUID(int=0)}', 0, 0, NULL, 0, NULL, 0, 0)"
            " ON CONFLICT DO NOTHING"
        )


class Migration(TortoiseMigration):
    """What transfers need beyond one member's conversion."""

    dependencies = [("brands", "m0003_transfer_rules")]
    operations = [
        sql([CAP_USES, PENDING_ARRIVALS, *INDEXES]),
        add_column("transfers", "arrival_book", "{small}"),
        add_column("transfers", "arrival_id", "{uuid}"),
        append_only("cap_uses"),
        RunPython(_open_transit_accounts),
    ]
