"""The GraphQL endpoint: POST and GET, one operation a request, by GraphQL over HTTP.

Plain ASGI: between the socket and the executor stand a few dictionary look-ups. Batches are
refused.
"""

import time
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import OperationType
from starlette.types import Receive, Scope, Send
from uuid_utils import uuid7

from gateway import masking
from gateway.auth import Gate
from gateway.logs import logger
from gateway.operations import NotRun, Operations
from gateway.requests import GRAPHQL, JSON, Refused, media_type, read_get, read_post
from gateway.settings import Settings

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


@dataclass(slots=True)
class _Noted:
    """What the log says of a request."""

    request_id: str
    client: str | None = None
    operation: str | None = None


class GraphQLEndpoint:
    """Serves operations over HTTP, to whoever the gate admits."""

    def __init__(self, operations: Operations, gate: Gate, settings: Settings) -> None:
        self._operations = operations
        self._gate = gate
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter_ns()
        noted = _Noted(uuid7().hex)
        content_type = JSON
        headers = dict(scope["headers"])
        try:
            accept = headers.get(b"accept")
            content_type = media_type(accept.decode("latin-1") if accept else None)
            answer = await self._answer(scope, receive, headers, content_type, noted)
        except Refused as refused:
            answer = _Answer(refused.status, {"errors": [refused.error]}, refused.headers)
        except Exception as error:
            answer = _Answer(500, {"errors": [masking.masked(error, noted.request_id, None)]})
        await _send(answer, content_type, noted.request_id, send)
        _log(noted, scope, answer, time.perf_counter_ns() - began)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        headers: dict[bytes, bytes],
        content_type: str,
        noted: _Noted,
    ) -> _Answer:
        method = scope["method"]
        if method not in ("POST", "GET"):
            raise Refused(405, "Requests are sent with POST or GET.", headers=_ALLOWED)
        caller = await self._gate.admit(headers.get(b"authorization"), noted.request_id)
        if caller is not None:
            noted.client = caller.client
        request = (
            await read_post(headers, receive, self._settings.max_body)
            if method == "POST"
            else read_get(scope)
        )
        try:
            operation = self._operations.prepare(request, caller, noted.request_id)
            noted.operation = request.operation_name
            if method == "GET" and operation.type is not OperationType.QUERY:
                raise Refused(405, "Only queries are sent with GET.", headers={"allow": "POST"})
            return _Answer(200, await self._operations.execute(operation))
        except NotRun as reason:
            # Plain JSON has one status for whatever is well-formed HTTP; our own type tells more.
            return _Answer(400 if content_type == GRAPHQL else 200, reason.body)


async def _send(answer: _Answer, content_type: str, request_id: str, send: Send) -> None:
    body = orjson.dumps(answer.body)
    headers = [
        (b"content-type", f"{content_type}; charset=utf-8".encode()),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        *_HEADERS,
        *((name.encode(), value.encode()) for name, value in answer.headers.items()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _log(noted: _Noted, scope: Scope, answer: _Answer, nanoseconds: int) -> None:
    logger().info(
        "request",
        request_id=noted.request_id,
        client=noted.client,
        operation=noted.operation and noted.operation[:100],
        method=scope["method"],
        status=answer.status,
        errors=[error["extensions"]["code"] for error in answer.body.get("errors", ())],
        milliseconds=nanoseconds // 10_000 / 100,
    )
