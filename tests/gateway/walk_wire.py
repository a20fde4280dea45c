"""The walk's way to the gateway: plain ASGI, so that whatever a client could send can be sent, and
streams are left again."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import unquote_plus, urlencode

from starlette.types import ASGIApp, Message

from tests.gateway.walk_documents import Asked
from tests.gateway.walk_values import Mood

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"
PATIENCE_SECONDS = 5.0
"""An answer that takes longer is none."""
STREAM_SECONDS = 0.01
"""So long a stream is listened to."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it goes over the wire."""

    method: str
    headers: dict[str, str]
    body: bytes = b""
    query_string: bytes = b""
    address: str = "127.0.0.1"

    @property
    def text(self) -> str:
        """What a client wrote itself, and may read again."""
        return self.body.decode() + unquote_plus(self.query_string.decode())

    def __str__(self) -> str:
        told = {name: text for name, text in self.headers.items() if name != "authorization"}
        return f"{self.method} ?{self.query_string!r} {told} {self.body[:3_000]!r}"


@dataclass(slots=True)
class Got:
    """What came back."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0

    @property
    def is_stream(self) -> bool:
        """Whether it is a stream of events."""
        return self.headers.get("content-type", "").startswith(EVENTS)


def envelope(chance: Random, asked: Asked, token: str | None, mood: Mood) -> Sent:
    """A request for an operation; a hostile one may be odd in ways that have nothing to do with
    what it asks."""
    body: dict[str, Any] = {"query": asked.query}
    if asked.variables or chance.random() < 0.5:
        body["variables"] = asked.variables
    if asked.operation_name is not None:
        body["operationName"] = asked.operation_name
    headers = {"content-type": JSON, "accept": chance.choice((JSON, GRAPHQL, "*/*"))}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    if asked.kind == "subscription":
        headers["accept"] = EVENTS
    if mood is Mood.PLAIN:
        return Sent("POST", headers, json.dumps(body).encode())
    if mood is Mood.HOSTILE and chance.random() < 0.5:
        _oddly(chance, body, headers)
    if chance.random() < (0.25 if asked.kind == "query" else 0.05):
        return _get(body, headers)
    text = json.dumps(body)
    return Sent("POST", headers, (_cut(chance, text) if mood is Mood.HOSTILE else text).encode())


def _cut(chance: Random, text: str) -> str:
    """A body, in which now and then something is said twice, too deep or not to the end."""
    match chance.randrange(15):
        case 0:
            return text.replace('"query":', '"query": "{ viewer { kind } }", "query":', 1)
        case 1:
            return f'{{"variables": {"[" * 3_000}{"]" * 3_000}, {text[1:]}'
        case 2:
            return text[: chance.randrange(len(text))]
    return text


def _oddly(chance: Random, body: dict[str, Any], headers: dict[str, str]) -> None:
    match chance.randrange(7):
        case 0:
            body["operationName"] = chance.choice(("Nobody", "", 7, None, "x" * 5_000, "\ud800"))
        case 1:
            body["extensions"] = chance.choice(
                ({}, [], {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}, {"a": "\x00"})
            )
        case 2:
            headers["accept"] = chance.choice(
                (
                    "",
                    "text/html",
                    "application/*",
                    EVENTS,
                    f"{JSON};q=nan",
                    f"{JSON};q=x",
                    f"{GRAPHQL};q=0, */*",
                )
            )
        case 3:
            body["variables"] = chance.choice(
                ([], "{}", None, {}, {"": None}, {"v0": None}, {"more": [1e308]}, 10**400)
            )
        case 4:
            headers["content-type"] = chance.choice(
                ("text/plain", f"{JSON}; charset=utf-8", f"{JSON}; charset=utf-16", "")
            )
        case 5:
            headers["accept-language"] = "xx-\x7f"
            headers["x-request-id"] = "' OR 1=1 --"
            body["documentId"] = chance.choice(("", "none", 7, "sha256:" + "0" * 64))
        case 6:
            body["query"] = chance.choice(("", None, 7, "{", "query", "{ __typename }"))


def _get(body: Mapping[str, Any], headers: dict[str, str]) -> Sent:
    pairs = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in body.items()
        if value is not None
    }
    query_string = urlencode(pairs, errors="surrogatepass").encode()
    return Sent("GET", headers, query_string=query_string)


async def call(app: ASGIApp, sent: Sent, path: str = "/graphql") -> Got:
    """Sends a request and returns the answer; of a stream, what comes within a moment.

    Raises whatever the application does, and `TimeoutError` if it has not answered in time.
    """
    got, answered, gone = Got(), asyncio.Event(), asyncio.Event()
    waiting = [{"type": "http.request", "body": sent.body, "more_body": False}]

    async def receive() -> Message:
        if waiting:
            return waiting.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            got.status = message["status"]
            got.headers = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in message["headers"]
            }
            answered.set()
        else:
            got.body += message.get("body", b"")

    began = time.perf_counter()
    task = asyncio.ensure_future(app(_scope(sent, path), receive, send))
    async with asyncio.timeout(PATIENCE_SECONDS):
        first = asyncio.ensure_future(answered.wait())
        await asyncio.wait({task, first}, return_when=asyncio.FIRST_COMPLETED)
        first.cancel()
        if got.is_stream:
            await asyncio.wait({task}, timeout=STREAM_SECONDS)
            gone.set()
        await task
    got.seconds = time.perf_counter() - began
    return got


async def converse(app: ASGIApp, messages: list[Any], address: str) -> list[Message]:
    """Says these messages over a WebSocket, and returns all that is said until it is closed."""
    said: list[Message] = []
    waiting: list[Message] = [{"type": "websocket.connect"}]
    waiting += [{"type": "websocket.receive", "text": json.dumps(each)} for each in messages]

    async def receive() -> Message:
        if not waiting:
            await asyncio.sleep(PATIENCE_SECONDS)
        return waiting.pop(0)

    async def send(message: Message) -> None:
        said.append(message)

    scope = _scope(Sent("GET", {"host": "gateway"}, address=address), "/graphql")
    scope |= {"type": "websocket", "subprotocols": ["graphql-transport-ws"], "scheme": "ws"}
    async with asyncio.timeout(PATIENCE_SECONDS):
        await app(scope, receive, send)
    return said


def _scope(sent: Sent, path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": sent.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": sent.query_string,
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in {**sent.headers, "content-length": str(len(sent.body))}.items()
        ],
        "client": (sent.address, 50_000),
        "server": ("gateway", 80),
        "state": {},
    }
