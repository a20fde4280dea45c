"""WebSockets: messages that are none, too long, or in no sensible order."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.subscriptions import messages
from tests.gateway.live import MEMBERSHIP, PROTOCOL, Live, live, settled
from tests.gateway.stage import Stage, open_stage

HELLO = "{ viewer { kind } }"


@pytest.fixture
async def at(sqlite_url: str) -> AsyncIterator[Live]:
    """A gateway behind a server."""
    async with open_stage(sqlite_url) as stage, live(stage) as served:
        yield served


BAD_MESSAGES = [
    "",
    "hello",
    "[]",
    "null",
    "7",
    '"subscribe"',
    "{}",
    '{"type": 7}',
    '{"type": "start"}',
    '{"type": "next", "id": "1", "payload": {}}',
    '{"type": "connection_ack"}',
    '{"type": "ping", "payload": 7}',
    '{"type": "subscribe", "payload": {"query": "{ __typename }"}}',
    '{"type": "subscribe", "id": "", "payload": {"query": "{ __typename }"}}',
    '{"type": "subscribe", "id": 7, "payload": {"query": "{ __typename }"}}',
    json.dumps({"type": "subscribe", "id": "x" * 129, "payload": {"query": "{ viewer }"}}),
    '{"type": "subscribe", "id": "1"}',
    '{"type": "subscribe", "id": "1", "payload": []}',
    '{"type": "subscribe", "id": "1", "payload": {"query": 7}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 7}}',
    '{"type": "complete"}',
    '{"type": "ping"',
    '{"type": "\\ud800"}',
    "[" * 30_000,
    '{"type": "ping", "payload": ' + '{"a":' * 10_000 + "1" + "}" * 10_000 + "}",
]


@pytest.mark.parametrize("message", [*BAD_MESSAGES, b"bytes", b"\xff\xfe"])
async def test_bad_messages(at: Live, message: str | bytes) -> None:
    """A message that is none ends the connection, at once and with the code for it; before one has
    said who one is as after."""
    async with at.client("aero") as socket:
        await socket.connection.send(message)
        assert await socket.closed() == 4400
    async with at.socket() as socket:
        await socket.connection.send(message)
        assert await socket.closed() in (4400, 4401)


async def test_a_message_that_is_too_long(at: Live) -> None:
    """Nothing longer than 64 kB is read, and nothing is made of it."""
    async with at.client("aero") as socket:
        await socket.subscribe(HELLO, {"x": "y" * messages.MAX_MESSAGE})
        assert await socket.closed() == 1009


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
hostile = st.one_of(
    json_values,
    st.fixed_dictionaries(
        {"type": st.sampled_from(["subscribe", "complete", "ping", "pong", "connection_init"])},
        optional={
            "id": st.sampled_from(["1", "2"]) | json_values,
            "payload": st.fixed_dictionaries(
                {"query": st.sampled_from([HELLO, MEMBERSHIP, "{ a", "mutation M { x }"])},
                optional={"variables": json_values, "operationName": json_values},
            )
            | json_values,
        },
    ),
)


async def _converse(stage: Stage, said: list[Any]) -> None:
    waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    waiting.put_nowait({"type": "websocket.connect"})
    for message in said:
        waiting.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})
    asyncio.get_running_loop().call_later(0.05, waiting.put_nowait, _GONE)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/graphql", "headers": [], "subprotocols": [PROTOCOL]}
    async with asyncio.timeout(5):
        await stage.app(scope, waiting.get, send)
    codes = [message["code"] for message in sent if message["type"] == "websocket.close"]
    assert all(4400 <= code < 4500 for code in codes), codes
    assert "INTERNAL" not in str(sent), sent


_GONE = {"type": "websocket.disconnect", "code": 1001}


def test_hostile_messages(sqlite_url: str) -> None:
    """Whatever is said, in whatever order: nothing goes wrong on our side, nothing hangs, and no
    task is left."""
    with asyncio.Runner() as runner:
        up = AsyncExitStack()
        stage = runner.run(up.enter_async_context(open_stage(sqlite_url)))
        bearer = {"Authorization": f"Bearer {stage.tokens['aero']}"}

        @given(said=st.lists(hostile, max_size=6), init=st.booleans())
        @settings(max_examples=200, deadline=None)
        def check(said: list[Any], init: bool) -> None:
            first = [{"type": "connection_init", "payload": bearer}] if init else []
            runner.run(_converse(stage, [*first, *said]))

        async def tasks() -> int:
            return len(asyncio.all_tasks())

        before = runner.run(tasks())
        check()
        assert runner.run(settled(before)) <= before
        runner.run(up.aclose())
