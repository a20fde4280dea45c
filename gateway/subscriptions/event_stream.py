"""Answers as a stream of server-sent events, one request a stream: GraphQL over SSE, in its
"distinct connections mode".

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md

Whatever is wrong with a request as such has a status and a JSON body, as elsewhere. What is wrong
with its document, or with what it names, is told in the stream, as the protocol asks for.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass

import orjson
from starlette.types import Receive, Send

from brands.callers import Caller
from gateway.callers.auth import Gate
from gateway.graphql import masking
from gateway.graphql.happenings import Happening
from gateway.graphql.operations import Body, Operation, Operations
from gateway.graphql.requests import unauthenticated
from gateway.subscriptions.streams import EVENT_STREAM, Stream, Streams, first_of, until_revoked
from gateway.telemetry.reports import Noted
from gateway.wire.presence import Bounded

KEEP_ALIVE_SECONDS = 12.0
"""How often something is sent, so that nothing between us and the client thinks it is over."""

LAST_SECONDS = 1.0
"""How long the last words of a stream may take."""

_COMPLETE = b"event: complete\ndata:\n\n"
_COME_AGAIN = b": going away\nretry: 1000\n\n"
"""The end where it is we who cannot go on. Not complete: the client comes again, perhaps to another
process, and goes on where it was."""

_NOTHING = b":\n\n"
_HEADERS: list[tuple[bytes, bytes]] = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"vary", b"accept, authorization"),
]


@dataclass(frozen=True, slots=True)
class Wire:
    """One HTTP request whose body was read, and where its answer goes."""

    headers: dict[bytes, bytes]
    receive: Receive
    send: Send


class EventStreams:
    """Answers operations with event streams."""

    def __init__(
        self, operations: Operations, gate: Gate, streams: Streams, seconds: float
    ) -> None:
        """`seconds` is how long it may take to begin."""
        self._operations = operations
        self._gate = gate
        self._streams = streams
        self._seconds = seconds

    async def follow(self, operation: Operation, wire: Wire, noted: Noted) -> None:
        """Answers a subscription to the end. Raises `NotRun`, `Refused`, `Gone`, and what went
        wrong unexpectedly, before anything is sent; after that nothing."""
        caller = operation.caller
        if caller is None:
            raise unauthenticated()
        seen = wire.headers.get(b"last-event-id", b"").decode("latin-1") or None
        with self._streams.open(caller.client, EVENT_STREAM) as stream:
            async with Bounded(self._seconds, wire.receive):
                followed = await self._operations.subscribe(operation, seen)
            async with aclosing(followed) as happenings:
                await _start(operation.request_id, wire)
                noted.opens()
                try:
                    last = await first_of(
                        _pump(happenings, wire, noted),
                        _until_gone(wire),
                        _keep_alive(wire),
                        self._until_revoked(caller, wire),
                        _until_ending(stream),
                    )
                except Exception as error:
                    masking.masked(error, operation.request_id, None)
                    last = _COME_AGAIN
            if last is not None:
                await _end(last, wire)

    async def _until_revoked(self, caller: Caller, wire: Wire) -> bytes:
        await until_revoked(self._gate, wire.headers.get(b"authorization"), caller)
        return _event({"errors": [unauthenticated().error]}) + _COMPLETE


async def tell(body: Body, request_id: str, wire: Wire) -> None:
    """Answers with one body, which is all there is."""
    await _start(request_id, wire)
    await _end(_event(body) + _COMPLETE, wire)


# What may end a stream. Each returns the last words of it, or None when nobody listens any more.


async def _pump(
    happenings: AsyncGenerator[Happening, None], wire: Wire, noted: Noted
) -> bytes | None:
    async for happening in happenings:
        noted.brings()
        await _send(_event(happening.body, happening.cursor), wire)
        if happening.is_broken:
            return _COME_AGAIN
    return _COMPLETE


async def _until_gone(wire: Wire) -> bytes | None:
    while (await wire.receive())["type"] != "http.disconnect":
        pass
    return None


async def _keep_alive(wire: Wire) -> bytes | None:
    while True:
        await _send(_NOTHING, wire)
        await asyncio.sleep(KEEP_ALIVE_SECONDS)


async def _until_ending(stream: Stream) -> bytes | None:
    await stream.ending.wait()
    return _COME_AGAIN


def _event(body: Body, cursor: str | None = None) -> bytes:
    id = b"" if cursor is None else b"id: %b\n" % cursor.encode()
    return b"event: next\n%bdata: %b\n\n" % (id, orjson.dumps(body))


async def _start(request_id: str, wire: Wire) -> None:
    headers = [*_HEADERS, (b"x-request-id", request_id.encode())]
    await wire.send({"type": "http.response.start", "status": 200, "headers": headers})


async def _send(chunk: bytes, wire: Wire) -> None:
    await wire.send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _end(chunk: bytes, wire: Wire) -> None:
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(LAST_SECONDS):
            await wire.send({"type": "http.response.body", "body": chunk, "more_body": False})
