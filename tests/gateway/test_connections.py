"""Connections: who sends no request, or a part of one, is not waited for; and a head is short,
while a body may come in any pieces."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import pytest

from gateway.wire import connections
from gateway.wire.connections import MAX_HEAD
from gateway.wire.headers import SECURITY
from tests.gateway.live import Live, live
from tests.gateway.stage import open_stage

PROBE = b"GET /livez HTTP/1.1\r\nhost: gateway\r\n\r\n"


@pytest.fixture
async def at(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Live]:
    """A gateway behind a server that gives a head half a second."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    async with open_stage(sqlite_url) as stage, live(stage) as served:
        yield served


async def lasts(at: Live, *said: bytes) -> tuple[bytes, float | None]:
    """What is answered to what is said, and after how long the connection is closed: None if it
    is open after a second and a half."""
    host, _, port = at.host.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    clock = asyncio.get_running_loop().time
    began, heard = clock(), b""
    try:
        for piece in said:
            writer.write(piece)
            await asyncio.sleep(0.1)
        async with asyncio.timeout_at(began + 1.5):
            while piece := await reader.read(65_536):
                heard += piece
        return heard, clock() - began
    except TimeoutError:
        return heard, None
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@pytest.mark.parametrize(
    "said", [(), (b"\r\n",), (b"GET /li",), (PROBE[:-2],), (PROBE[:9], b"vez", b" HTTP")]
)
async def test_no_request_comes(at: Live, said: tuple[bytes, ...]) -> None:
    """Whoever says nothing, or begins and does not end, is cut off; drops do not help."""
    heard, seconds = await lasts(at, *said)
    assert heard == b""
    assert seconds is not None
    assert 0.4 < seconds < 1.2


async def test_a_second_request_that_does_not_come(at: Live) -> None:
    """The same goes for the head of every other request."""
    heard, seconds = await lasts(at, PROBE, PROBE, PROBE[:20])
    assert heard.count(b"HTTP/1.1 200") == 2
    assert seconds is not None


async def test_idle_between_requests(at: Live) -> None:
    """A connection on which there was a request may be idle for longer."""
    heard, seconds = await lasts(at, PROBE)
    assert heard.startswith(b"HTTP/1.1 200")
    assert seconds is None


async def test_idle_in_vain(at: Live) -> None:
    """Bytes that begin no request make no connection last."""
    at.server.config.timeout_keep_alive = 1
    heard, seconds = await lasts(at, PROBE, b"\r\n")
    assert heard.startswith(b"HTTP/1.1 200")
    assert seconds is not None


def cut_up(whole: bytes, size: int) -> list[bytes]:
    """The pieces of so many bytes."""
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def asking(at: Live, length: int, *, chunk: int | None = None) -> tuple[bytes, bytes]:
    """Head and body of an operation with a body of this length; in chunks if wanted."""
    query = {"query": "{ viewer { kind } }", "extensions": {"x": ""}}
    query["extensions"] = {"x": "y" * (length - len(json.dumps(query)))}
    body = json.dumps(query).encode()
    framing = b"content-length: %d" % len(body)
    if chunk is not None:
        parts = (b"%x\r\n%b\r\n" % (len(part), part) for part in cut_up(body, chunk))
        body = b"".join(parts) + b"0\r\n\r\n"
        framing = b"transfer-encoding: chunked"
    head = b"POST /graphql HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n"
    return head + b"authorization: %b\r\n%b\r\n\r\n" % (
        at.bearer("operator").encode(),
        framing,
    ), body


async def answers(at: Live, pieces: Sequence[bytes], count: int) -> list[tuple[bytes, bytes]]:
    """The first line and the body of so many answers on one connection, or of fewer."""
    host, _, port = at.host.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    found = []

    async def say() -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)

    saying = asyncio.create_task(say())
    try:
        async with asyncio.timeout(20):
            for _ in range(count):
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
                found.append((head.partition(b"\r\n")[0], await reader.readexactly(length)))
        return found
    except (asyncio.IncompleteReadError, ConnectionError):
        return found
    finally:
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)
        writer.close()


@pytest.mark.parametrize("cut", ["whole", "apart", "small", "pipelined"])
async def test_long_bodies(at: Live, cut: str) -> None:
    """A body is no head, whatever its length and the pieces it comes in, on a connection that is
    used again and again."""
    for length, chunk in itertools.product((80_000, 500_000, 1_000_000), (None, 1_000, 100_000)):
        head, body = asking(at, length, chunk=chunk)
        match cut:
            case "whole":
                pieces = [head + body] * 3
            case "apart":
                pieces = [head, body] * 3
            case "small":
                pieces = [head[:50], head[50:], *cut_up(body, 40_000)] * 3
            case _:
                pieces = [(head + body) * 3]
        told = await answers(at, pieces, 3)
        assert [status for status, _ in told] == [b"HTTP/1.1 200 OK"] * 3, (length, chunk, told)
        for _, answer in told:
            assert json.loads(answer)["data"] == {"viewer": {"kind": "OPERATOR"}}


FILLER = b"x-filler: " + b"x" * 8_000 + b"\r\n"


@pytest.mark.parametrize(
    "long",
    [
        b"GET /livez HTTP/1.1\r\nhost: x\r\nx: " + b"x" * 160_000 + b"\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: x\r\n" + FILLER * 20 + b"\r\n",
        b"GET /livez?" + b"x" * 160_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n"
        + FILLER * 20,
    ],
)
@pytest.mark.parametrize("size", [1_000_000, 8_000])
async def test_a_head_that_is_too_long(at: Live, long: bytes, size: int) -> None:
    """A head that is too long is refused, in one piece or in many, on a new connection or one that
    was used; and so is what trails a body."""
    assert len(long) > 2 * MAX_HEAD
    for before in ([], [PROBE]):
        told = await answers(at, [*before, *cut_up(long, size)], 3)
        assert not [status for status, _ in told[len(before) :] if b"200" in status], told
        if size > len(long) and b"chunked" not in long:
            assert told[-1] == (b"HTTP/1.1 400 Bad Request", b"Request header fields too large.")


async def test_the_answer_to_what_is_no_request(at: Live) -> None:
    """Even that has an id by which it is found in the log, and the security headers."""
    heard, _ = await lasts(at, b"no request at all\r\n\r\n")
    for name in (b"x-request-id", *(name for name, _ in SECURITY)):
        assert b"\r\n" + name + b": " in heard
