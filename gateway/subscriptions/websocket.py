"""GraphQL over WebSocket: the subprotocol `graphql-transport-ws`, and no other.

Plain ASGI. One task reads and obeys. Every operation is a task of its own that sends what it has to
say itself: a client that reads slowly has at most one message of each waiting, and holds up nobody
else.
"""

import asyncio
import time
from contextlib import ExitStack, aclosing
from typing import Any, NoReturn

from graphql import OperationType
from starlette.types import Receive, Scope, Send
from uuid_utils import uuid7

from brands.callers import Caller
from gateway.callers.attempts import Door
from gateway.callers.auth import Gate
from gateway.graphql import masking
from gateway.graphql.operations import Body, NotRun, Operation, Operations
from gateway.graphql.requests import UNAUTHORIZED, GraphQLRequest, Refused, request_of
from gateway.logs import logger
from gateway.subscriptions import messages
from gateway.subscriptions.messages import MAX_MESSAGES, Closed, Message, Socket
from gateway.subscriptions.streams import (
    SUBSCRIPTION,
    WEBSOCKET,
    Stream,
    Streams,
    again,
    first_of,
    until_revoked,
)
from gateway.telemetry.reports import Noted, Reports
from gateway.wire.presence import Bounded

SUBPROTOCOL = "graphql-transport-ws"

INIT_SECONDS = 10.0
"""How long a client may take to say who it is."""

MAX_OPERATIONS = 50
"""Operations of one connection under way at a time."""

MAX_REFUSALS = MAX_MESSAGES
"""Of the operations beyond these so many may wait to be told that they are refused. Whoever begins
more, and reads nothing, is sent away."""


class WebSockets:
    """Serves operations over WebSockets, to whoever the gate admits."""

    def __init__(
        self,
        operations: Operations,
        gate: Gate,
        door: Door,
        streams: Streams,
        reports: Reports,
        seconds: float,
    ) -> None:
        """`seconds` is how long an operation may take, and a subscription to begin."""
        self.operations = operations
        self.gate = gate
        self._door = door
        self.streams = streams
        self.reports = reports
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # that a client wants to connect
        if _is_foreign(dict(scope["headers"])):
            await send({"type": "websocket.close"})  # not accepted: a 403
            return
        spoken = SUBPROTOCOL in scope["subprotocols"]
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if spoken else None})
        began, socket, connection = time.monotonic(), Socket(receive, send), None
        try:
            if not spoken:
                raise Closed(messages.BAD_SUBPROTOCOL, "Subprotocol not acceptable")
            connection = await self._connect(scope, socket)
            await connection.serve()
        except Closed as closed:
            verdict = closed
        except Exception as error:
            verdict = Closed(messages.INTERNAL, "Internal error")
            masking.masked(error, connection.caller.request_id if connection else "", None)
        await socket.close(verdict)
        logger().info(
            "websocket",
            request_id=connection and connection.caller.request_id,
            client=connection and connection.caller.client,
            code=verdict.code,
            milliseconds=int((time.monotonic() - began) * 1_000),
        )

    async def _connect(self, scope: Scope, socket: Socket) -> "_Connection":
        """The connection, once the client has said who it is. Raises `Closed`."""
        try:
            async with asyncio.timeout(INIT_SECONDS):
                said = await first_of(_init(socket), socket.stay_in_touch())
                authorization = _credential(scope, said)
        except TimeoutError:
            reason = "Connection initialisation timeout"
            raise Closed(messages.TIMEOUT, reason) from None
        try:
            caller = await self._door.admit(scope, authorization, uuid7().hex)
        except Refused as refused:
            if refused.status > UNAUTHORIZED:
                raise Closed(messages.TRY_AGAIN_LATER, "Try again later") from None
            caller = None
        if caller is None:
            raise Closed(messages.UNAUTHORIZED, "Unauthorized")
        return _Connection(self, socket, authorization, caller)


class _Connection:
    """A connection whose client is known, and what it has under way."""

    def __init__(
        self, server: WebSockets, socket: Socket, authorization: bytes | None, caller: Caller
    ) -> None:
        self.caller = caller
        self._server = server
        self._socket = socket
        self._authorization = authorization
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._following: set[asyncio.Task[Any]] = set()
        """Those of the tasks that answer subscriptions."""
        self._is_ending = False
        self._verdict: asyncio.Queue[Closed] = asyncio.Queue()

    async def serve(self) -> NoReturn:
        """Serves until the connection is over. Raises `Closed`."""
        with ExitStack() as opened:
            try:
                stream = opened.enter_context(
                    self._server.streams.open(self.caller.client, WEBSOCKET)
                )
            except Refused as refused:
                raise Closed(messages.TRY_AGAIN_LATER, refused.error["message"]) from None
            await self._socket.send({"type": "connection_ack"})
            try:
                await first_of(
                    self._obey(),
                    self._until_broken(),
                    self._until_forbidden(),
                    self._socket.stay_in_touch(),
                    self._until_ended(stream),
                )
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
        raise AssertionError("each of them raises")

    async def _obey(self) -> NoReturn:
        while True:
            message = await self._socket.read()
            match message["type"]:
                case "subscribe":
                    self._begin(messages.id_of(message), _request(message))
                case "complete":
                    task = self._running.pop(messages.id_of(message), None)
                    if task is not None:
                        task.cancel()
                case "connection_init":
                    raise Closed(messages.TOO_MANY, "Too many initialisation requests")
                case _:
                    raise _unknown()

    async def _until_broken(self) -> NoReturn:
        raise await self._verdict.get()

    async def _until_forbidden(self) -> NoReturn:
        await until_revoked(self._server.gate, self._authorization, self.caller)
        raise _forbidden()

    async def _until_ended(self, stream: Stream) -> NoReturn:
        """When the process is to end: the client follows elsewhere what it followed here, and what
        else is under way is answered first."""
        await stream.ending.wait()
        self._is_ending = True
        for task in self._following:
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
        raise Closed(messages.GOING_AWAY, "Going away")

    def _begin(self, id: str, request: GraphQLRequest) -> None:
        if id in self._running:
            raise Closed(messages.TAKEN, f"Subscriber for {id} already exists")
        if len(self._tasks) >= MAX_OPERATIONS + MAX_REFUSALS:
            raise Closed(messages.TOO_MANY, "Too many operations")
        if self._is_ending:
            work = self._operate(id, _stopping())
        elif len(self._tasks) >= MAX_OPERATIONS:
            work = self._operate(id, _too_many())
        else:
            work = self._operate(id, request)
        task = self._running[id] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _operate(self, id: str, asked: GraphQLRequest | Refused) -> None:
        """Answers an operation, or refuses it."""
        noted = self._server.reports.begins("websocket")
        noted.by(self.caller)
        body: Body = {}
        try:
            body, last = await self._outcome(id, asked, noted)
            # The id is free before the client can know that it is.
            if self._running.get(id) is asyncio.current_task():
                del self._running[id]
            await self._socket.send(last)
        except Closed as closed:
            self._verdict.put_nowait(closed)
        finally:
            self._server.reports.over(noted, 0, body)

    async def _outcome(
        self, id: str, asked: GraphQLRequest | Refused, noted: Noted
    ) -> tuple[Body, Message]:
        """Sends what an operation comes to, but for its end; that, and the message that tells it.
        Raises `Closed`."""
        try:
            if isinstance(asked, Refused):
                raise asked
            return await self._answer(id, asked, noted), {"id": id, "type": "complete"}
        except NotRun as reason:
            body = reason.body
        except Refused as refused:
            body = {"errors": [refused.error]}
        except Closed:
            raise
        except Exception as error:
            body = {"errors": [masking.masked(error, noted.request_id, None)]}
        return body, {"id": id, "type": "error", "payload": body["errors"]}

    async def _answer(self, id: str, request: GraphQLRequest, noted: Noted) -> Body:
        operations = self._server.operations
        async with Bounded(self._server.seconds):
            caller = await again(
                self._server.gate, self._authorization, self.caller, noted.request_id
            )
            if caller is None:
                raise _forbidden()
            operation = await operations.prepare(request, caller, noted.request_id)
            noted.asks(operation)
            follows = operation.type is OperationType.SUBSCRIPTION
            body = {} if follows else await operations.execute(operation)
        if follows:
            await self._follow(id, operation, noted)
        else:
            await self._next(id, body)
        return body

    async def _follow(self, id: str, operation: Operation, noted: Noted) -> None:
        server, task = self._server, asyncio.current_task()
        assert task is not None
        with server.streams.open(self.caller.client, SUBSCRIPTION):
            self._following.add(task)
            try:
                async with Bounded(server.seconds):
                    followed = await server.operations.subscribe(operation)
                async with aclosing(followed) as happenings:
                    noted.opens()
                    async for happening in happenings:
                        noted.brings()
                        await self._next(id, happening.body)
            finally:
                self._following.discard(task)

    async def _next(self, id: str, body: Body) -> None:
        await self._socket.send({"id": id, "type": "next", "payload": body})


async def _init(socket: Socket) -> Message:
    """The payload of the first message."""
    message = await socket.read()
    match message["type"]:
        case "connection_init":
            return message.get("payload") or {}
        case "subscribe" | "complete":
            raise Closed(messages.UNAUTHORIZED, "Unauthorized")
        case _:
            raise _unknown()


def _credential(scope: Scope, payload: Message) -> bytes | None:
    """The one credential of a handshake and a first message. Raises `Closed` if there are two."""
    given = {value for name, value in scope["headers"] if name == b"authorization"}
    for name, value in payload.items():
        if name.lower() == "authorization" and value is not None:
            if not isinstance(value, str):
                raise Closed(messages.UNAUTHORIZED, "Unauthorized")
            given.add(value.encode())
    if len(given) > 1:
        raise Closed(messages.UNAUTHORIZED, "Unauthorized")
    return next(iter(given), None)


def _request(message: Message) -> GraphQLRequest:
    try:
        return request_of(message.get("payload") or {})
    except Refused as refused:
        raise Closed(messages.BAD_MESSAGE, refused.error["message"]) from None


def _unknown() -> Closed:
    return Closed(messages.BAD_MESSAGE, "Unknown type of message")


def _too_many() -> Refused:
    message = f"A connection has at most {MAX_OPERATIONS} operations under way."
    return Refused(429, message, masking.THROTTLED)


def _stopping() -> Refused:
    return Refused(503, "The gateway is being restarted.", masking.UNAVAILABLE)


def _forbidden() -> Closed:
    return Closed(messages.FORBIDDEN, "Forbidden")


def _is_foreign(headers: dict[bytes, bytes]) -> bool:
    """Whether a page of another origin asks: browsers let any page open a WebSocket anywhere."""
    origin = headers.get(b"origin")
    if origin is None:
        return False
    return origin.partition(b"://")[2].lower() != headers.get(b"host", b"").lower()
