"""The GraphQL endpoint: POST and GET, one operation a request, by GraphQL over HTTP.

Plain ASGI: between the socket and the executor stand a few dictionary look-ups. Batches are
refused.
"""

import time
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLSchema, OperationDefinitionNode, OperationType, execute
from starlette.types import Receive, Scope, Send
from uuid_utils import uuid7

from brands.callers import Caller
from brands.coalition import Coalition
from gateway import masking
from gateway.auth import KeysInUse, bearer_token, caller_of, unauthenticated
from gateway.documents import Document, Documents
from gateway.execution import ShortExecutor, leaves_of
from gateway.logs import logger
from gateway.requests import (
    GRAPHQL,
    JSON,
    GraphQLRequest,
    Refused,
    media_type,
    read_get,
    read_post,
)
from gateway.settings import Settings
from schema.context import context_for

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
    """Serves one schema. `coalition` is set while the application is up."""

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self.coalition: Coalition | None = None
        self.keys = KeysInUse()
        self._schema = schema
        self._settings = settings
        self._documents = Documents(schema)
        self._leaves = leaves_of(schema)

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
        assert self.coalition is not None
        token = bearer_token(headers.get(b"authorization"))
        if token is None and not self._settings.public_introspection:
            raise unauthenticated()
        caller = None
        if token is not None:
            caller = await caller_of(self.coalition, token, self._settings.pepper, noted.request_id)
            noted.client = caller.client
            self.keys.note(token)
        request = (
            await read_post(headers, receive, self._settings.max_body)
            if method == "POST"
            else read_get(scope)
        )
        return await self._run(request, caller, method, content_type, noted)

    async def _run(
        self,
        request: GraphQLRequest,
        caller: Caller | None,
        method: str,
        content_type: str,
        noted: _Noted,
    ) -> _Answer:
        # Plain JSON has one status for whatever is well-formed HTTP; our own type tells more.
        not_run = 400 if content_type == GRAPHQL else 200
        document = self._documents.read(request.query)
        if caller is None and (document.errors or not document.asks_about_schema_only()):
            raise unauthenticated()
        if document.errors:
            return _Answer(not_run, {"errors": _faults(document)})
        operation = document.operation(request.operation_name)
        if operation is None:
            message = "`operationName` does not name one of the document's operations."
            return _Answer(not_run, {"errors": [masking.failure(message, masking.BAD_USER_INPUT)]})
        noted.operation = request.operation_name
        if method == "GET" and operation.operation is not OperationType.QUERY:
            raise Refused(405, "Only queries are sent with GET.", headers={"allow": "POST"})
        result = await self._execute(document, operation, request, caller)
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = masking.presented(result.errors, noted.request_id)
            if result.data is None and all(error.path is None for error in result.errors):
                return _Answer(not_run, body)  # the variables did not fit: nothing was run
        body["data"] = result.data
        return _Answer(200, body)

    async def _execute(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        request: GraphQLRequest,
        caller: Caller | None,
    ) -> ExecutionResult:
        assert document.ast is not None
        assert self.coalition is not None
        result = execute(
            self._schema,
            document.ast,
            context_value=None if caller is None else context_for(self.coalition, caller),
            variable_values=request.variables,
            operation_name=operation.name.value if operation.name else None,
            executor_class=ShortExecutor,
            leaves=self._leaves,
            collected=document.collected,
        )
        if isawaitable(result):
            result = await result
        return result


def _faults(document: Document) -> list[dict[str, Any]]:
    return [
        masking.failure(error.message, document.code)
        | {"locations": [place.formatted for place in error.locations or ()]}
        for error in document.errors
    ]


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
