"""What every answer carries, over a real connection where that matters."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.wire.connections import MAX_HEAD
from gateway.wire.headers import SECURITY
from tests.gateway.process import Gateway, served
from tests.gateway.stage import Stage, open_bare

HEADERS = {name.decode() for name, _ in SECURITY} | {"x-request-id"}


async def test_on_every_answer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages, errors, probes and metrics all carry the security headers, and an id."""
    pages = ("/", "/static/graphiql.js", "/nothing")
    for path in (*pages, "/graphql", "/oauth/token", "/livez", "/readyz", "/metrics"):
        for method in ("GET", "POST", "DELETE"):
            response = await stage.client.request(method, path)
            assert set(response.headers) >= HEADERS, (method, path)

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret is swordfish")

    monkeypatch.setattr("gateway.web.metrics_page.MetricsPage._operator", broken)
    response = await stage.client.get("/metrics")
    assert response.status_code == 500
    assert set(response.headers) >= HEADERS
    (error,) = response.json()["errors"]
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    assert "swordfish" not in response.text


async def test_no_redirection(stage: Stage) -> None:
    """Nobody is sent to a host of the client's own choice: an address with a slash too many is
    none."""
    for path in ("/graphql/", "/livez/", "/oauth/token/"):
        response = await stage.client.get(path, headers={"host": "evil.test"})
        assert response.status_code == 404, path


async def test_no_other_origin_is_let_in(stage: Stage) -> None:
    """A preflight is refused, and no answer says that another origin may read it."""
    asked = {
        "origin": "https://elsewhere.test",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
    }
    for path in ("/graphql", "/metrics", "/readyz"):
        preflight = await stage.client.options(path, headers=asked)
        assert 400 <= preflight.status_code < 500
        answer = await stage.client.get(path, headers={"origin": asked["origin"]})
        for response in (preflight, answer):
            assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0123abcd-4567", True),
        ("x" * 64, True),
        ("short", False),
        ("x" * 65, False),
        ("ada@ada.test", False),
        ("an id with spaces", False),
        ('"injected":true', False),
    ],
)
async def test_request_ids(stage: Stage, given: str, kept: bool) -> None:
    """The id that a request comes with is kept if it can be nothing but an id, else it gets one."""
    response = await stage.post({"query": "{ __typename }"}, headers={"x-request-id": given})
    assert (response.headers["x-request-id"] == given) is kept
    assert len(response.headers["x-request-id"]) >= 8


async def told(gateway: Gateway, *pieces: bytes) -> bytes:
    """What a gateway answers to these bytes, until it closes the connection."""
    address = urlsplit(gateway.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_what_is_no_request(sqlite_url: str, tmp_path: Path) -> None:
    """What is no HTTP, and a head that does not end, is answered with 400 and the connection
    closed, and the gateway serves on."""
    async with open_bare(sqlite_url) as stage:
        token = stage.tokens["operator"]
    with served(sqlite_url, tmp_path / "log") as gateway:
        answer = await told(gateway, b"ada@ada.test is no method\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert all(name.encode() in answer for name in HEADERS)

        line = b"x-filler: " + b"x" * 8_000 + b"\r\n"
        endless = (b"GET /livez HTTP/1.1\r\nhost: x\r\n", *[line] * (2 * MAX_HEAD // len(line)))
        for pieces in endless, (b"GET /", *[b"x" * 8_000] * 20):
            answer = await told(gateway, *pieces)
            # Who still sends when the connection is closed may not get to read why.
            assert answer.startswith(b"HTTP/1.1 400 ") or not answer

        body = [b"x" * 8_000] * 50  # which is not a head, however many pieces it comes in
        head = b"POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        head += b"authorization: Bearer " + token.encode() + b"\r\n"
        head += b"content-type: application/json\r\ncontent-length: 400000\r\n\r\n"
        answer = await told(gateway, head, *body)
        assert b"BAD_REQUEST" in answer
        assert "ada@ada.test" not in gateway.log()
