"""Tortoise's SQLite engine, except that a transaction takes the write lock when it begins.

A plain BEGIN that reads and then writes fails at once when another connection has written in
between, whatever the busy timeout; BEGIN IMMEDIATE waits its turn instead. Every transaction here
is opened in order to write.
"""

import sqlite3
from typing import Any

from tortoise.backends.base.client import TransactionContext
from tortoise.backends.sqlite.client import (
    SqliteClient,
    SqliteTransactionContext,
    SqliteTransactionWrapper,
)
from tortoise.exceptions import TransactionManagementError


class ImmediateTransaction(SqliteTransactionWrapper):
    """A transaction that holds the write lock from its first statement."""

    async def begin(self) -> None:
        try:
            await self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise TransactionManagementError(error) from error


class ImmediateClient(SqliteClient):
    """A SQLite connection whose transactions are `ImmediateTransaction`s."""

    def _in_transaction(self) -> TransactionContext:
        return SqliteTransactionContext(ImmediateTransaction(self), self._lock)


def get_client_class(_: dict[str, Any]) -> type[SqliteClient]:
    """What Tortoise asks an engine module for."""
    return ImmediateClient
