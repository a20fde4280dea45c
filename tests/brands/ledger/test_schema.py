"""The tables keep the laws that a database can keep, whoever writes to them."""

import asyncio
import importlib
import sqlite3
import sys
from pathlib import Path

import asyncpg
import pytest
from tortoise.models import Model

from brands.database import ROWS, is_migrated, open_database
from brands.ids import new_id
from brands.ledger.writer import Ledger
from tests.brands.ledger.asking import accrual, capture, hold, redemption
from tests.brands.ledger.books import Books

REFUSED = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)

APPEND_ONLY = (
    "transactions",
    "entries",
    "lot_uses",
    "hold_lots",
    "quotes",
    "transfers",
    "cap_uses",
    "valuations",
    "transfer_rules",
    "actions",
    "notes",
    "program_terms",
    "bookings",
    "booking_brands",
    "booking_segments",
    "booking_steps",
    "booking_links",
    "flown",
    "credit_claim_links",
)

FILL = {
    "quotes": "(book, id, client, source_id, destination_id, points_out, points_in, base_points,"
    " bonus_points, fee, terms, created_at, expires_at)"
    " VALUES (0, $1, 'c', $1, $1, 1, 1, 1, 0, 0, '', 1, 2)",
    "transfers": "(book, id, client, source_id, destination_id, points_out, points_in, base_points,"
    " bonus_points, fee, terms, quote_id, transaction_id, created_at, arrives_at)"
    " VALUES (0, $1, 'c', $1, $1, 1, 1, 1, 0, 0, '', $1, $1, 1, 2)",
    "cap_uses": "(book, account_id, name, transaction_id, points, count)"
    " VALUES (0, $1, 'OUT', $1, 1, 1)",
    "transfer_rules": "SELECT $1, id, id, 1, '', 1, NULL, 1, 1, 'c' FROM brands LIMIT 1",
    "notes": "VALUES (0, $1, 'o', $1, 'c', 'r', 1)",
    "program_terms": "SELECT $1, id, '', 1, 1, 1, 'c' FROM brands LIMIT 1",
    "bookings": "VALUES (0, $1, $1, 'L', 'n', 1)",
    "booking_brands": "VALUES (0, $1, $1, 1)",
    "booking_segments": "VALUES (0, $1, $1, 'i', 1)",
    "booking_steps": "VALUES (0, $1, 0, $1, 'PENDING', $1, 'n', NULL, $1, '', '2026-01-05', NULL,"
    " NULL, NULL, 'c', 1)",
    "booking_links": "VALUES (0, $1, 0, $1, $1, 0, 1)",
    "flown": "VALUES (0, $1, 'f', 0, 0, $1, 1)",
    "credit_claim_links": "VALUES (0, $1, $1, 1)",
    "actions": "(id, at, client, request_id, action, subject, details)"
    " VALUES ($1, 1, 'c', 'r', 'a', 's', '')",
}


@pytest.fixture
async def filled(books: Books, ledger: Ledger) -> Books:
    """Books with a row in every table that is append-only."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    placed = hold(account, 20)
    for command in (
        accrual(brand, account, 100),
        redemption(brand, account, 10),
        placed,
        capture(brand, placed, 5),
        hold(account, 10),
        redemption(brand, account, 1_000),
    ):
        await ledger.submit(command)
    for table, values in FILL.items():
        await books.fetch(f"INSERT INTO {table} {values}", new_id(0))
    return books


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_history_is_written_once(filled: Books, table: str) -> None:
    """No row of an append-only table can be changed or deleted, and the table not be emptied."""
    rows = await filled.count_of(table)
    assert rows > 0
    columns = {
        "valuations": "brand_id",
        "actions": "id",
        "transactions": "id",
        "transfer_rules": "id",
        "program_terms": "id",
    }
    column = columns.get(table, "book")
    verbs = [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"]
    if not filled.is_sqlite:
        verbs.append(f"TRUNCATE {table} CASCADE")
    for verb in verbs:
        with pytest.raises(REFUSED, match="append-only"):
            await filled.fetch(verb)
    assert await filled.count_of(table) == rows


IMPOSSIBLE = (
    "UPDATE accounts SET balance = held - 1 WHERE kind = 'POINTS'",
    "UPDATE accounts SET held = balance + 1 WHERE kind = 'POINTS'",
    "UPDATE accounts SET held = -1",
    "UPDATE accounts SET floor = NULL WHERE kind = 'POINTS'",
    "UPDATE accounts SET floor = 0 WHERE kind = 'ISSUED'",
    "UPDATE accounts SET rate = NULL WHERE kind = 'POOL'",
    "UPDATE accounts SET rate = 1 WHERE kind = 'ISSUED'",
    "UPDATE accounts SET closed = 2",
    "UPDATE accounts SET version = -1",
    "UPDATE lots SET remaining = -1",
    "UPDATE lots SET remaining = 0",
    "UPDATE lots SET spent = 1",
    "UPDATE lots SET held = remaining + 1",
    "UPDATE lots SET amount = 0",
    "UPDATE holds SET points = 0",
    "UPDATE holds SET captured = points + 1",
    "UPDATE holds SET status = 'LOST'",
    "UPDATE holds SET status = 'VOIDED' WHERE status = 'PENDING'",
    "UPDATE holds SET ended_at = NULL WHERE status = 'CAPTURED'",
    "UPDATE holds SET captured = 1 WHERE status = 'PENDING'",
    "UPDATE idempotency_keys SET key = ''",
    "INSERT INTO entries SELECT book, transaction_id, $1, 0, 0, 1, 1 FROM entries LIMIT 1",
    "INSERT INTO entries SELECT * FROM entries LIMIT 1",
    "INSERT INTO lot_uses SELECT book, transaction_id, account_id, $1, 0 FROM lot_uses LIMIT 1",
    "INSERT INTO hold_lots SELECT book, hold_id, $1, 0 FROM hold_lots LIMIT 1",
    "INSERT INTO idempotency_keys SELECT * FROM idempotency_keys LIMIT 1",
    "INSERT INTO transactions SELECT book, $1, '', 1, 1, '', '', NULL, NULL, NULL, 1, 1 FROM feeds",
    "UPDATE feeds SET position = -1",
    "UPDATE feeds SET earlier = -1",
    (
        "INSERT INTO coalition (id, name, currency, minor_digits, books, epoch, created_at)"
        " SELECT 2, name, currency, minor_digits, books, 1, 1 FROM coalition"
    ),
    "UPDATE coalition SET books = 1025",
    *(
        f"INSERT INTO booking_steps SELECT book, $1, {step} FROM booking_steps LIMIT 1"
        for step in (
            "-1, $1, 'PENDING', $1, 'n', NULL, $1, '', '2026-01-05', NULL, NULL, NULL, 'c', 1",
            "0, $1, 'FLOWN', $1, 'n', NULL, $1, '', '2026-01-05', NULL, NULL, NULL, 'c', 1",
            "0, $1, 'PENDING', $1, 'n', NULL, $1, '', '2026-01-05', 5, NULL, NULL, 'c', 1",
            "0, $1, 'CREDITED', $1, 'n', $1, $1, '', '2026-01-05', 5, NULL, NULL, 'c', 1",
            "0, $1, 'CREDITED', $1, 'n', NULL, $1, '', '2026-01-05', 5, NULL, $1, 'c', 1",
            "0, $1, 'INELIGIBLE', $1, 'n', NULL, $1, '', '2026-01-05', NULL, NULL, NULL, 'c', 1",
        )
    ),
    "INSERT INTO booking_steps SELECT * FROM booking_steps LIMIT 1",
    "INSERT INTO bookings SELECT book, $1, agency_id, 'L', name, 1 FROM bookings LIMIT 1",
    "INSERT INTO flown SELECT * FROM flown LIMIT 1",
    *(
        f"INSERT INTO valuations SELECT $1, brand_id, {rates}, 99, 99 FROM valuations LIMIT 1"
        for rates in ("0, 1, 1, 1", "5, 4, 5, 5", "5, 5, 6, 5", "5, 5, 5, 4", "5, 5, 0, 5")
    ),
)


@pytest.mark.parametrize("statement", IMPOSSIBLE)
async def test_what_cannot_be_is_refused(filled: Books, statement: str) -> None:
    """CHECKs, keys and uniques stand behind the core, though it never tries them."""
    values = [new_id(0)] if "$1" in statement else []
    sql = statement.replace("$1", "$1::uuid") if not filled.is_sqlite else statement
    with pytest.raises(REFUSED, match=r"(?i)check|unique|not-null|not null"):
        await filled.fetch(sql, *values)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_migrations_may_run_twice_and_at_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Several processes that migrate one database at once, and again later, all succeed."""
    url = f"sqlite:///{tmp_path}/new.db"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres_database")
    program = "import asyncio, sys, brands.database as d; asyncio.run(d.migrate(sys.argv[1]))"
    for _ in range(2):
        processes = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", program, url)
            for _ in range(3)
        ]
        assert [await process.wait() for process in processes] == [0, 0, 0]
    database = await open_database(url, pool_size=1)
    try:
        assert await is_migrated(database)
        assert await database.fetch("SELECT * FROM coalition") == []
    finally:
        await database.close()


def models() -> list[type[Model]]:
    """Every Tortoise model of the product."""
    return [
        thing
        for name in ROWS
        for thing in vars(importlib.import_module(name)).values()
        if isinstance(thing, type) and issubclass(thing, Model) and thing is not Model
    ]


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
async def test_models_are_the_tables(books: Books, model: type[Model]) -> None:
    """A model has exactly its table's columns, and they may be null in both or in neither."""
    table = str(model._meta.db_table)
    if books.is_sqlite:
        rows = await books.fetch(f"PRAGMA table_xinfo({table})")
        columns = {row["name"]: not row["notnull"] and not row["pk"] for row in rows}
    else:
        rows = await books.fetch(
            "SELECT column_name, is_nullable FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = $1",
            table,
        )
        columns = {row["column_name"]: row["is_nullable"] == "YES" for row in rows}
    fields = {
        str(field.source_field or name): field.null
        for name, field in model._meta.fields_map.items()
    }
    assert columns
    assert fields == columns
