"""One connection by which processes on one PostgreSQL say things to each other.

What is said while somebody is not listening is lost to him: whoever needs to know looks for himself
as well.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0

LOST = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""What it looks like when a connection is lost, or cannot be had."""


class Line:
    """A line on a channel; it connects when there is need. `heard` is told what others say, and
    of nothing ("") whenever one begins to listen: much may have been said before."""

    def __init__(self, url: str, channel: str, heard: Callable[[str], None]) -> None:
        self._url = url
        self._channel = channel
        self._heard = heard
        self._turn = asyncio.Lock()
        self._connection: asyncpg.Connection[Any] | None = None

    async def say(self, words: str) -> None:
        """Tells whoever listens. Raises what the connection raises."""
        async with self._turn:
            connection = await self._connect()
            await connection.execute("SELECT pg_notify($1, $2)", self._channel, words)

    async def listen(self) -> None:
        """Listens until cancelled. A lost connection is made again: sooner at first, and later if
        that does not help."""
        pause = _FIRST_PAUSE_SECONDS
        try:
            while True:
                try:
                    await self._listen()
                    pause = _FIRST_PAUSE_SECONDS
                except LOST:
                    pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
                await asyncio.sleep(pause)
        finally:
            self.close()

    def close(self) -> None:
        """Lets go of the connection."""
        if self._connection is not None:
            self._connection.terminate()

    async def _connect(self) -> "asyncpg.Connection[Any]":
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._url, timeout=10, command_timeout=10)
        return self._connection

    async def _listen(self) -> None:
        lost = asyncio.Event()
        async with self._turn:
            connection = await self._connect()
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(self._channel, self._hear)
        self._heard("")
        await lost.wait()

    def _hear(self, _connection: Any, _pid: int, _channel: str, words: str) -> None:
        self._heard(words)
