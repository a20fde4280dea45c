"""A proxy before PostgreSQL that can cut a connection at a chosen point of the conversation."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import asyncpg

SOCKET = ".s.PGSQL.5432"


class Proxy:
    """Passes bytes on, until the chunk at which it was told to cut."""

    def __init__(self, directory: Path, server: str) -> None:
        self._directory = directory
        parts = urlsplit(server)
        (self._server,) = parse_qs(parts.query)["host"]
        self.url = urlunsplit(parts._replace(query=f"host={directory}"))
        self._left: dict[str, int] = {}
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self, direction: str, chunks: int) -> None:
        """Cuts a connection in place of the so-many-th chunk from now on: what the client sends
        (`request`) never reaches the server, or what the server says (`reply`) the client."""
        self._left = {direction: chunks}

    @property
    def armed(self) -> bool:
        """Whether the cut is still to come."""
        return bool(self._left)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side or a cut ends it."""
        path = f"{self._server}/{SOCKET}"
        there, back = await asyncio.open_unix_connection(path)
        self._open |= {writer, back}
        passing = [
            asyncio.create_task(self._pass("request", reader, back)),
            asyncio.create_task(self._pass("reply", there, writer)),
        ]
        await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        for task in passing:
            task.cancel()
        for end in (writer, back):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()
        self._open -= {writer, back}

    async def _pass(
        self, direction: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                if direction in self._left:
                    self._left[direction] -= 1
                    if self._left[direction] == 0:
                        self._left = {}
                        return
                sink.write(data)
                await sink.drain()

    def hang_up(self) -> None:
        """Ends whatever is still open."""
        for end in self._open:
            end.close()

    async def settled(self) -> None:
        """Waits until every connection is over."""
        while self._open:  # noqa: ASYNC110 - connections end by themselves
            await asyncio.sleep(0.01)


@asynccontextmanager
async def proxy_before(server: str, directory: Path) -> AsyncIterator[Proxy]:
    """A proxy before the server of a DSN, listening in a directory."""
    proxy = Proxy(directory, server)
    listening = await asyncio.start_unix_server(proxy.serve, directory / SOCKET)
    try:
        yield proxy
        async with asyncio.timeout(10):
            await proxy.settled()
    finally:
        proxy.hang_up()
        listening.close()
        await listening.wait_closed()


async def waiting_for_a_lock(url: str) -> None:
    """Returns once some session of the database waits for a lock."""
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(10):
            while not await connection.fetchval(WAITING):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        await connection.close()


WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
