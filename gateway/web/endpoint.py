"""The GraphQL endpoint: POST and GET, one operation a request, by GraphQL over HTTP.

Plain ASGI: between the socket and the executor stand a few dictionary look-ups. Batches are
refused.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
from graphql import OperationType
from starlette.types import Receive, Scope, Send

from brands.callers import Caller
from gateway.callers.attempts import Door
from gateway.graphql import masking
from gateway.graphql.operations import NotRun, Operations
from gateway.graphql.requests import (
    EVENT_STREAM,
    GRAPHQL,
    JSON,
    GraphQLRequest,
    Refused,
    accepts_events,
    media_type,
    read_get,
    read_post,
)
from gateway.settings import Settings
from gateway.subscriptions import streams
from gateway.subscriptions.event_stream import EventStreams, Wire, tell
from gateway.telemetry.reports import Noted, Reports
from gateway.wire.presence import RETRY_SECONDS, Bounded, Gone

_HEADERS: list[tuple[bytes, bytes]] = [
    (b"cache-control", b"no-store"),
    (b"vary", b"accept, authorization"),
]
_ALLOWED = {"allow": "GET, POST"}


@dataclass(slots=True)
class _Answer:
    """What goes back."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    is_sent: bool = False
    """Whether it has gone already, as an event stream."""


class GraphQLEndpoint:
    """Serves operations over HTTP, to whoever the gate admits."""

    def __init__(
        self,
        operations: Operations,
        door: Door,
        settings: Settings,
        reports: Reports,
        events: EventStreams,
    ) -> None:
        self._events = events
        self._operations = operations
        self._door = door
        self._settings = settings
        self._reports = reports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        noted = self._reports.begins("http", headers.get(b"x-request-id"))
        answer = _Answer(0, {})  # which it remains if the client goes, or is sent away, before
        content_type = JSON
        try:
            accept = headers.get(b"accept")
            content_type = media_type(accept.decode("latin-1") if accept else None)
            wire = Wire(headers, receive, send)
            answer = await self._answer(scope, wire, content_type, noted)
        except Gone:
            return
        except Refused as refused:
            answer = _Answer(refused.status, {"errors": [refused.error]}, refused.headers)
        except Exception as error:
            answer = _failed(masking.masked(error, noted.request_id, None))
        finally:
            self._reports.over(noted, answer.status, answer.body, method=scope["method"])
        if not answer.is_sent:
            await _send(answer, content_type, noted.request_id, send)

    async def _answer(self, scope: Scope, wire: Wire, content_type: str, noted: Noted) -> _Answer:
        method, headers = scope["method"], wire.headers
        if method not in ("POST", "GET"):
            raise Refused(405, "Requests are sent with POST or GET.", headers=_ALLOWED)
        authorization = headers.get(b"authorization")
        caller = await self._door.admit(scope, authorization, noted.request_id)
        if caller is not None:
            noted.by(caller)
        request = await self._read(scope, wire, caller)
        try:
            async with Bounded(self._settings.timeout, wire.receive):
                operation = await self._operations.prepare(
                    request, caller, noted.request_id, allowed=partial(_check, method, headers)
                )
                noted.asks(operation)
                if caller is None:
                    self._door.charge(scope, operation.requested)
                follows = operation.type is OperationType.SUBSCRIPTION
                body = {} if follows else await self._operations.execute(operation)
            if follows:
                content_type, noted.transport = EVENT_STREAM, streams.EVENT_STREAM
                await self._events.follow(operation, wire, noted)
                return _Answer(200, body, is_sent=True)
            answer = _Answer(200, body)
        except NotRun as reason:
            # Plain JSON has one status for whatever is well-formed HTTP; our own type tells more.
            answer = _Answer(400 if content_type == GRAPHQL else 200, reason.body)
        if content_type == EVENT_STREAM:
            noted.transport = streams.EVENT_STREAM
            await tell(answer.body, noted.request_id, wire)
            return _Answer(200, answer.body, is_sent=True)
        return answer

    async def _read(self, scope: Scope, wire: Wire, caller: Caller | None) -> GraphQLRequest:
        """What is asked for. What makes no sense costs something too."""
        try:
            if scope["method"] == "GET":
                return read_get(scope)
            return await read_post(wire.headers, wire.receive, self._settings.max_body)
        except Refused:
            await self._operations.charge(caller)
            raise


def _check(method: str, headers: dict[bytes, bytes], kind: OperationType) -> None:
    """Raises `Refused` where an operation of this kind cannot be sent like this, or answered."""
    if method == "GET" and kind is OperationType.MUTATION:
        raise Refused(405, "No mutation is sent with GET.", headers={"allow": "POST"})
    accept = headers.get(b"accept", b"").decode("latin-1")
    if kind is OperationType.SUBSCRIPTION and not accepts_events(accept):
        message = f"A subscription is answered as {EVENT_STREAM}, or over a WebSocket."
        raise Refused(406, message)


def _failed(error: dict[str, Any]) -> _Answer:
    if error["extensions"]["code"] == masking.UNAVAILABLE:
        return _Answer(503, {"errors": [error]}, {"retry-after": str(RETRY_SECONDS)})
    return _Answer(500, {"errors": [error]})


async def _send(answer: _Answer, content_type: str, request_id: str, send: Send) -> None:
    body = orjson.dumps(answer.body)
    if content_type == EVENT_STREAM:  # there is none
        content_type = JSON
    headers = [
        (b"content-type", f"{content_type}; charset=utf-8".encode()),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        *_HEADERS,
        *((name.encode(), value.encode()) for name, value in answer.headers.items()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
