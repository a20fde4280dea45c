"""The gateway behind a real server on a port of its own, and clients that follow what happens."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from gateway.subscriptions.messages import MAX_MESSAGE
from gateway.wire.connections import BoundedHttp
from gateway.wire.patience import WebSocketConnection
from tests.gateway.stage import Json, Stage

PROTOCOL = "graphql-transport-ws"
SECONDS = 10.0
"""How long a test waits for what should come at once."""

MEMBERSHIP = """subscription M($id: ID!, $after: String) {
    membershipActivity(membership: $id, after: $after) {
        cursor
        transaction { id points kind entries { amount } }
        membership { id balance { posted } }
    }
}"""
BRAND = """subscription B($code: String!, $after: String) {
    brandActivity(brand: $code, after: $after) { cursor transaction { id } brand { code } }
}"""
TRANSFER = """subscription T($id: ID!, $after: String) {
    transferUpdated(transfer: $id, after: $after) {
        cursor transaction { id kind } transfer { id status transactions { id } }
    }
}"""


@dataclass(slots=True)
class Live:
    """A stage whose gateway is reached over sockets."""

    stage: Stage
    server: uvicorn.Server
    host: str

    async def open(self, kind: str) -> int:
        """How many of a kind are open, as the metrics have it."""
        headers = {"authorization": self.bearer("operator")}
        page = (await self.stage.client.get("/metrics", headers=headers)).text
        found = re.search(rf'^coalition_streams_open{{transport="{kind}"}} (\S+)$', page, re.M)
        assert found is not None, page
        return int(float(found[1]))

    def bearer(self, who: str) -> str:
        """The header of somebody on the stage."""
        return f"Bearer {self.stage.tokens.get(who, who)}"

    @asynccontextmanager
    async def socket(self, **more: Any) -> AsyncIterator["Client"]:
        """A WebSocket on which nothing was said yet."""
        more.setdefault("subprotocols", [Subprotocol(PROTOCOL)])
        async with connect(f"ws://{self.host}/graphql", ping_interval=None, **more) as opened:
            yield Client(opened)

    @asynccontextmanager
    async def client(self, who: str, **more: Any) -> AsyncIterator["Client"]:
        """A WebSocket on which somebody was let in."""
        async with self.socket(**more) as client:
            await client.send("connection_init", payload={"Authorization": self.bearer(who)})
            assert await client.message() == {"type": "connection_ack"}
            yield client

    @asynccontextmanager
    async def events(
        self, query: str, variables: Json | None = None, who: str = "operator", **headers: str
    ) -> AsyncIterator["Events"]:
        """An event stream that answers an operation."""
        sent = {"accept": "text/event-stream", "authorization": self.bearer(who)} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        body = {"query": query, "variables": variables or {}}
        async with (
            httpx.AsyncClient(base_url=f"http://{self.host}", timeout=SECONDS) as http,
            http.stream("POST", "/graphql", json=body, headers=sent) as response,
        ):
            if response.headers["content-type"].startswith("text/event-stream"):
                yield Events(response)
            else:
                await response.aread()
                yield Events(response)


@dataclass(slots=True)
class Client:
    """One WebSocket."""

    connection: ClientConnection

    async def send(self, kind: str, **more: Any) -> None:
        """Sends a message."""
        await self.connection.send(json.dumps({"type": kind, **more}))

    async def subscribe(
        self, query: str, variables: Mapping[str, Any] | None = None, id: str = "1"
    ) -> None:
        """Begins an operation."""
        payload = {"query": query, "variables": variables or {}}
        await self.send("subscribe", id=id, payload=payload)

    async def message(self) -> Json:
        """The next message."""
        async with asyncio.timeout(SECONDS):
            message: Json = json.loads(await self.connection.recv())
        return message

    async def next(self, id: str = "1") -> Json:
        """The data of the next message, which is an event without errors."""
        message = await self.message()
        assert (message["type"], message["id"]) == ("next", id), message
        assert "errors" not in message["payload"], message
        data: Json = message["payload"]["data"]
        return data

    async def closed(self) -> int | None:
        """The code with which the server closes the connection, whatever it says before."""
        with suppress(ConnectionClosed):
            async with asyncio.timeout(SECONDS):
                while True:
                    await self.connection.recv()
        return self.connection.close_code


class Events:
    """One event stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.ids: list[str] = []
        self.comments = 0
        self._lines = response.aiter_lines()

    async def event(self) -> tuple[str, Any]:
        """The name and the data of the next event; `("", None)` where the stream ends."""
        found: dict[str, str] = {}
        async with asyncio.timeout(SECONDS):
            async for line in self._lines:
                if not line and "event" in found:
                    break
                name, _, value = line.partition(":")
                found[name] = value.removeprefix(" ")
                self.comments += line.startswith(":")
        if "id" in found:
            self.ids.append(found["id"])
        data = found.get("data")
        return found.get("event", ""), json.loads(data) if data else None

    async def next(self) -> Json:
        """The data of the next event, which has no errors."""
        name, body = await self.event()
        assert name == "next", (name, body)
        assert "errors" not in body, body
        data: Json = body["data"]
        return data


async def first_event(stage: Stage, query: str, who: str) -> Json:
    """What an event stream tells first, without a server between; then the client goes."""
    body = json.dumps({"query": query}).encode()
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "authorization": f"Bearer {stage.tokens.get(who, who)}",
    }
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    waiting: asyncio.Queue[Json] = asyncio.Queue()
    waiting.put_nowait({"type": "http.request", "body": body})
    told: list[bytes] = []

    async def send(message: Any) -> None:
        told.append(message.get("body", b""))
        if told[-1].startswith(b"event: "):
            waiting.put_nowait({"type": "http.disconnect"})

    async with asyncio.timeout(SECONDS):
        await stage.app(scope, waiting.get, send)
    event = next(chunk for chunk in told if chunk.startswith(b"event: next"))
    data = next(line for line in event.splitlines() if line.startswith(b"data: "))
    answer: Json = json.loads(data.removeprefix(b"data: "))
    return answer


@asynccontextmanager
async def live(stage: Stage, *, buffer: int | None = None) -> AsyncIterator[Live]:
    """A server for a stage that is up, configured as the gateway's own. `buffer` is how much the
    machine keeps of what is sent and not read yet, in bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    if buffer is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    config = uvicorn.Config(
        stage.app,
        http=BoundedHttp,
        ws=WebSocketConnection,
        ws_max_size=MAX_MESSAGE,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:  # noqa: ASYNC110  (it sets no event)
            await asyncio.sleep(0.01)
        port = listener.getsockname()[1]
        yield Live(stage, server, f"127.0.0.1:{port}")
    finally:
        server.should_exit = True
        await serving


async def settled(at_most: int) -> int:
    """How many tasks there are, once they are no more than so many; or in the end."""
    count = len(asyncio.all_tasks())
    for _ in range(200):
        if count <= at_most:
            break
        await asyncio.sleep(0.02)
        count = len(asyncio.all_tasks())
    return count
