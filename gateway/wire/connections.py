"""HTTP/1.1 as uvicorn speaks it, with what it leaves open: how long the head of a request may be,
and how long it may take to come; and what is answered to what is no HTTP at all."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.logs import logger
from gateway.telemetry.reports import request_id_of
from gateway.wire.headers import SECURITY
from gateway.wire.patience import Impatient

MAX_HEAD = 65_536
"""The longest head of a request, in bytes: its address and headers, and what may trail a body. The
parser has no bound of its own."""

HEAD_SECONDS = 20.0
"""How long a head may take to come: the first from when the connection is made, every other from
its first byte. Between requests a connection may be idle for as long as uvicorn is told."""


class _TooLong(Exception):
    """Ends the parser's work."""


class BoundedHttp(Impatient, HttpToolsProtocol):
    """One connection."""

    _fields = 0
    """The bytes of the address and the headers that the parser has told of this request."""
    _untold = 0
    """The bytes of the last pieces of which it has told nothing but headers: a part of one that is
    not over yet may be in there."""
    _went_on = False
    """Whether a request began or ended, its body began, or a part of it came."""
    _is_half = False
    """Whether a head has begun and not ended."""
    _hurry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there, and should say something."""
        super().connection_made(transport)
        self._expect_a_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there."""
        super().connection_lost(exc)
        self._stop_expecting()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self._went_on = False
        super().data_received(data)
        if self.transport.is_closing():
            return
        self._untold = 0 if self._went_on else self._untold + len(data)
        if self._untold > MAX_HEAD:
            self.send_400_response(_TOO_LONG)
        elif self._is_half:
            if self._hurry is None:
                self._expect_a_head()
        elif self._is_idle():  # these bytes were none of a request: it is idle as before
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_message_begin(self) -> None:
        """A head begins."""
        self._fields, self._went_on, self._is_half = 0, True, True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """The address, or a part of it."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or something like it that trails a body, which nobody asks for."""
        self._count(name, value)
        if self._is_half:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A head has ended."""
        self._went_on, self._is_half = True, False
        self._stop_expecting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._went_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A body has ended."""
        self._went_on = True
        super().on_message_complete()

    def _count(self, *told: bytes) -> None:
        self._fields += sum(map(len, told))
        if self._fields > MAX_HEAD:
            raise _TooLong

    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # there is none before the first request
        is_answered = cycle is not None and cycle.response_complete
        return is_answered and self.timeout_keep_alive_task is None

    def _expect_a_head(self) -> None:
        self._hurry = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_expecting(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None

    def send_400_response(self, msg: str) -> None:
        """Answers what cannot be understood, and closes the connection."""
        if self._fields > MAX_HEAD:
            msg = _TOO_LONG
        request_id = request_id_of(None)
        logger().info("not understood", request_id=request_id, status=400, reason=msg)
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(msg)),
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
            *SECURITY,
        ]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n%b\r\n%b" % (lines, msg.encode()))
        self.transport.close()


_TOO_LONG = "Request header fields too large."
