"""Statements that are sent to the database, with their values, and the plans that it has for them.

A plan says at a hundred rows what happens at a million: whether rows are found by an index or all
of them are read.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from brands.database import Database, Row, Transaction


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement that was sent."""

    sql: str
    values: tuple[Any, ...]

    async def plan(self, database: Database) -> list[str]:
        """How the database would find what is asked for, line by line."""
        if database.is_sqlite:
            rows = await database.fetch(f"EXPLAIN QUERY PLAN {self.sql}", *self.values)
            return [row["detail"] for row in rows]
        rows = await database.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {self.sql}", *self.values)
        return [row["QUERY PLAN"] for row in rows]


@contextmanager
def watched() -> Iterator[list[Sent]]:
    """Within the block, what the services read."""
    sent: list[Sent] = []
    fetch = Transaction.fetch

    async def noted(self: Transaction, sql: str, *values: Any) -> Sequence[Row]:
        sent.append(Sent(sql, values))
        return await fetch(self, sql, *values)

    Transaction.fetch = noted  # type: ignore[method-assign]
    try:
        yield sent
    finally:
        Transaction.fetch = fetch  # type: ignore[method-assign]
