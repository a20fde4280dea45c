"""The messages of a GraphQL WebSocket: read, bounded, sent; and how a connection is closed.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
from contextlib import suppress
from typing import Any, NoReturn

import orjson
from starlette.types import Receive, Send

PING_SECONDS = 25.0
"""How often the client is asked whether it is there. It is gone when it has said nothing at all for
twice as long."""

MAX_MESSAGE = 65_536
"""The longest message of a client, in bytes."""

MAX_MESSAGES = 100
"""Messages of one connection that are heeded in a second. The others wait unread, so that in the
end it is the client that waits."""

MAX_ID = 128
"""The longest id of an operation, in characters."""

MAX_REASON = 123
"""The longest reason of a close, in bytes: RFC 6455, 5.5."""

LAST_SECONDS = 1.0
"""How long the last words may take."""

GOING_AWAY, TOO_LONG, INTERNAL, TRY_AGAIN_LATER = 1001, 1009, 1011, 1013
BAD_MESSAGE, UNAUTHORIZED, FORBIDDEN, BAD_SUBPROTOCOL = 4400, 4401, 4403, 4406
TIMEOUT, TAKEN, TOO_MANY = 4408, 4409, 4429

Message = dict[str, Any]


class Closed(Exception):
    """The connection is over. The client is told the code; without one it has gone itself."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket:
    """One accepted WebSocket."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._clock = asyncio.get_running_loop().time
        self._heard_at = self._clock()
        self._pongs = 0
        self._pinged = asyncio.Event()
        self._second = 0.0
        self._in_second = 0

    async def read(self) -> Message:
        """The next message that is neither a ping, which `stay_in_touch` answers, nor a pong.
        Raises `Closed`. It waits for the client to speak, never for it to listen."""
        while True:
            message = _parsed(await self._receive())
            self._heard_at = self._clock()
            await self._slow_down()
            if message["type"] == "ping":
                self._pongs += 1
                self._pinged.set()
            elif message["type"] != "pong":
                return message

    async def send(self, message: Message) -> None:
        """Sends a message; waits as long as the client reads nothing. Raises `Closed`."""
        try:
            await self._send({"type": "websocket.send", "text": orjson.dumps(message).decode()})
        except OSError:  # as ASGI has it, when the client has gone
            raise Closed from None

    async def stay_in_touch(self) -> NoReturn:
        """Pings, and answers pings. Raises `Closed` when nothing is heard of the client."""
        ping_at = self._clock() + PING_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(ping_at):
                    await self._pinged.wait()
            self._pinged.clear()
            while self._pongs:
                self._pongs -= 1
                await self.send({"type": "pong"})
            if self._clock() >= ping_at:
                ping_at = self._clock() + PING_SECONDS
                if self._clock() - self._heard_at > 2 * PING_SECONDS:
                    raise Closed(TIMEOUT, "Nothing was heard for too long")
                await self.send({"type": "ping"})

    async def close(self, closed: Closed) -> None:
        """Says why, unless the client has gone."""
        if closed.code is None:
            return
        reason = closed.reason.encode()[:MAX_REASON].decode(errors="ignore")
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(LAST_SECONDS):
                await self._send({"type": "websocket.close", "code": closed.code, "reason": reason})

    async def _slow_down(self) -> None:
        now = self._clock()
        if now - self._second >= 1:
            self._second, self._in_second = now, 0
        self._in_second += 1
        if self._in_second > MAX_MESSAGES:
            await asyncio.sleep(self._second + 1 - now)


def _parsed(event: Any) -> Message:
    if event["type"] == "websocket.disconnect":
        raise Closed
    text = event.get("text")
    if text is None:
        raise Closed(BAD_MESSAGE, "Messages are text")
    if len(text) > MAX_MESSAGE:
        raise Closed(TOO_LONG, f"A message has at most {MAX_MESSAGE} bytes")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Closed(BAD_MESSAGE, "Messages are JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Closed(BAD_MESSAGE, "Messages are objects with a type")
    if not isinstance(message.get("payload", {}), dict | None):
        raise Closed(BAD_MESSAGE, "The payload of a message is an object")
    return message


def id_of(message: Message) -> str:
    """The id of an operation, which a message has to have. Raises `Closed`."""
    id = message.get("id")
    if not isinstance(id, str) or not 1 <= len(id) <= MAX_ID:
        raise Closed(BAD_MESSAGE, f"An id is a string of 1 to {MAX_ID} characters")
    return id
