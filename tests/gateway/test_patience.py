"""How long a connection waits for a client that does not read."""

import asyncio
import socket

import pytest

from gateway.wire import patience
from gateway.wire.patience import Impatient


class _Protocol(Impatient):
    """A connection on which much is sent."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.lost = asyncio.get_running_loop().create_future()
        transport.write(b"x" * 4_000_000)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost.set_result(exc)


@pytest.mark.parametrize("reads", [True, False])
async def test_slow_is_not_deaf(reads: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads, however slowly, is not cut off; whoever reads nothing is, and nothing that was
    meant for him is kept."""
    monkeypatch.setattr(patience, "UNREAD_SECONDS", 0.3)
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
    with theirs:
        transport, protocol = await loop.create_connection(_Protocol, sock=ours)
        for _ in range(10):
            await asyncio.sleep(0.1)
            if reads:
                await loop.sock_recv(theirs, 8_192)
        assert protocol.lost.done() is not reads
        transport.abort()
        await protocol.lost
        assert transport.get_write_buffer_size() == 0


async def test_who_reads_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once everything is read, nobody waits for anything."""
    monkeypatch.setattr(patience, "UNREAD_SECONDS", 0.2)
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with theirs:
        transport, protocol = await loop.create_connection(_Protocol, sock=ours)
        left = 4_000_000
        while left:
            left -= len(await loop.sock_recv(theirs, 1_000_000))
        await asyncio.sleep(0.5)
        assert not protocol.lost.done()
        transport.close()
        await protocol.lost
