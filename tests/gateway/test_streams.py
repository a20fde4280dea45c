"""What is open for long: how much of it there may be, that nobody holds up anybody, and that it
ends when the process does."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from gateway.graphql.requests import Refused
from gateway.subscriptions.streams import EVENT_STREAM, SUBSCRIPTION, WEBSOCKET, Streams, first_of
from gateway.wire import patience
from tests.gateway.live import MEMBERSHIP, Live, live, settled
from tests.gateway.stage import open_stage

HELLO = "{ viewer { kind } }"


@pytest.fixture
async def at(sqlite_url: str) -> AsyncIterator[Live]:
    """A gateway behind a server, where a client may have six things open."""
    async with open_stage(sqlite_url, max_streams=6) as stage, live(stage) as served:
        yield served


async def test_how_much_a_client_may_have_open(at: Live) -> None:
    """A client has so many connections and subscriptions open, over all transports, and no more;
    another client is not concerned, and what is closed makes room."""
    ada = await at.stage.enrol("AERO")
    watched = {"id": ada.memberships["AERO"]}
    async with at.client("aero") as socket, at.events(MEMBERSHIP, watched, "aero"):
        for id in ("1", "2", "3", "4"):
            await socket.subscribe(MEMBERSHIP, watched, id)
        await asyncio.sleep(0.2)
        assert [await at.open(kind) for kind in (WEBSOCKET, EVENT_STREAM, SUBSCRIPTION)] == [
            1,
            1,
            4,
        ]
        await socket.subscribe(MEMBERSHIP, watched, "5")
        message = await socket.message()
        assert message["payload"][0]["extensions"]["code"] == "THROTTLED"
        async with at.events(MEMBERSHIP, watched, "aero") as stream:
            assert stream.response.status_code == 429
            assert stream.response.headers["retry-after"]
            assert stream.response.json()["errors"][0]["extensions"]["code"] == "THROTTLED"
        async with at.socket() as more:
            await more.send("connection_init", payload={"Authorization": at.bearer("aero")})
            assert await more.closed() == 1013
        async with at.client("hotel") as other:
            await other.subscribe(HELLO)
            await other.next()
        await socket.subscribe(HELLO, id="6")
        assert await socket.next("6") == {"viewer": {"kind": "BRAND"}}
        await socket.message()
        await socket.send("complete", id="1")
        await asyncio.sleep(0.2)
        async with at.events(MEMBERSHIP, watched, "aero") as stream:
            assert stream.response.status_code == 200


async def test_whoever_does_not_read(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that reads nothing holds up nobody, and is cut off after a while; over either
    transport."""
    monkeypatch.setattr(patience, "UNREAD_SECONDS", 3.0)
    async with open_stage(sqlite_url) as stage, live(stage, buffer=4_096) as at:
        ada = await stage.enrol("AERO")
        watched = {"id": ada.memberships["AERO"]}
        much = " ".join(
            f"a{number}: transactions(first: 100) {{ {_FIELDS} }}" for number in range(9)
        )
        fat = MEMBERSHIP.replace("membership { id", f"membership {{ {much} id")
        async with at.client("aero") as reader:
            await reader.subscribe(MEMBERSHIP, watched)
            await asyncio.sleep(0.2)
            before = len(asyncio.all_tasks())
            streaming = await _deaf(at, _post(at, fat, watched))
            async with at.client("aero", max_queue=1) as deaf:
                deaf.connection.transport.pause_reading()
                for id in range(3):
                    await deaf.subscribe(fat, watched, str(id))
                await asyncio.sleep(0.2)
                for points in range(1, 21):
                    await stage.give(ada.memberships["AERO"], points)
                for points in range(1, 21):
                    event = (await reader.next())["membershipActivity"]
                    assert event["transaction"]["points"] == points
                assert await at.open(EVENT_STREAM) == 1
                assert await at.open(WEBSOCKET) == 2
                began = asyncio.get_running_loop().time()
                while await at.open(EVENT_STREAM) or await at.open(WEBSOCKET) > 1:
                    assert asyncio.get_running_loop().time() - began < 7
                    await asyncio.sleep(0.1)
                deaf.connection.transport.abort()
            streaming.close()
            assert await settled(before) <= before


_FIELDS = "edges { node { id kind points eventAt recordedAt entries { amount balanceAfter } } }"


def _post(at: Live, query: str, variables: dict[str, str]) -> bytes:
    body = json.dumps({"query": query, "variables": variables}).encode()
    return (
        f"POST /graphql HTTP/1.1\r\nhost: {at.host}\r\ncontent-type: application/json\r\n"
        f"accept: text/event-stream\r\nauthorization: {at.bearer('aero')}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode() + body


async def _deaf(at: Live, request: bytes) -> socket.socket:
    """Sends a request, and reads nothing."""
    host, _, port = at.host.partition(":")
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    opened.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(opened, (host, int(port)))
    await loop.sock_sendall(opened, request)
    return opened


async def test_leaving_with_twenty_streams(sqlite_url: str) -> None:
    """A process that is to end ends its streams first: none is complete, each client knows that it
    is to come again, nothing new is opened, and all of it takes less than three seconds."""
    clock = asyncio.get_running_loop().time
    async with open_stage(sqlite_url) as stage, AsyncExitStack() as opened:
        server = AsyncExitStack()
        at = await server.enter_async_context(live(stage))
        ada = await stage.enrol("AERO")
        watched = {"id": ada.memberships["AERO"]}
        streams = [
            await opened.enter_async_context(at.events(MEMBERSHIP, watched, "aero"))
            for _ in range(10)
        ]
        clients = [await opened.enter_async_context(at.client("aero")) for _ in range(10)]
        for client in clients:
            await client.subscribe(MEMBERSHIP, watched)
        await asyncio.sleep(0.3)
        began = clock()
        await stage.app.state.drain.leave()
        async with at.events(MEMBERSHIP, watched, "aero") as late:
            assert late.response.status_code == 503
        await server.aclose()
        assert clock() - began < 3
        assert [await stream.event() for stream in streams] == [("", None)] * 10
        assert {await client.closed() for client in clients} == {1001}


async def test_the_first_of_several() -> None:
    """When one ends, the others have ended too; what it raises is raised, and who is cancelled
    meanwhile leaves none behind."""
    before = len(asyncio.all_tasks())
    ended: list[str] = []

    async def last(name: str, seconds: float) -> str:
        try:
            await asyncio.sleep(seconds)
        finally:
            ended.append(name)
        return name

    async def fail() -> str:
        raise ValueError

    assert await first_of(last("a", 0.01), last("b", 9)) == "a"
    assert ended == ["a", "b"]
    with pytest.raises(ValueError):  # noqa: PT011
        await first_of(last("c", 9), fail())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await first_of(last("d", 9), last("e", 9))
    assert sorted(ended) == ["a", "b", "c", "d", "e"]
    assert len(asyncio.all_tasks()) == before


async def test_draining() -> None:
    """What is open is told to end, nothing more is opened, and draining lasts until it has."""
    streams = Streams(2)
    with streams.open("somebody", EVENT_STREAM) as stream:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(streams.drain(), 0.05)
        assert stream.ending.is_set()
        with pytest.raises(Refused) as refused, streams.open("another", WEBSOCKET):
            pass
        assert refused.value.status == 503
    await asyncio.wait_for(streams.drain(), 1)
