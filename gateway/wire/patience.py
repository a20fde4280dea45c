"""How long a connection waits for a client that does not read what it is sent.

Whoever sends to it waits too, and only that: what a client leaves unread is kept for it once, not
behind it. But it must not wait for ever. So a connection on which nothing at all could be sent for
a while is cut off; one that is merely slow is not.
"""

import asyncio

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

UNREAD_SECONDS = 30.0
"""How long nothing may be read while something waits to be."""


class Impatient(asyncio.Protocol):
    """Mixed into a protocol of uvicorn's, which is told when its buffer is full."""

    transport: asyncio.Transport
    _timer: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """The buffer is full: sending waits from now on."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """There is room again."""
        super().resume_writing()
        self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nobody to wait for."""
        super().connection_lost(exc)
        self._stop()

    def _wait(self) -> None:
        unread = self.transport.get_write_buffer_size()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(UNREAD_SECONDS, self._look, unread)

    def _look(self, before: int) -> None:
        if self.transport.get_write_buffer_size() >= before:
            self.transport.abort()
        else:
            self._wait()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class WebSocketConnection(Impatient, WebSocketsSansIOProtocol):
    """A WebSocket as uvicorn speaks it, whose patience has an end."""
