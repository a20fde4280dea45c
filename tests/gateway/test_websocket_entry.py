"""WebSockets: who gets in, with what, and who is sent away again."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from brands.callers import CallerKind
from brands.credentials import NewKey, list_keys, revoke_key
from gateway.subscriptions import streams, websocket
from tests.gateway.live import PROTOCOL, Live, live
from tests.gateway.stage import OPERATOR, open_stage

HELLO = "{ viewer { kind } }"


@pytest.fixture
async def at(sqlite_url: str) -> AsyncIterator[Live]:
    """A gateway behind a server."""
    async with open_stage(sqlite_url) as stage, live(stage) as served:
        yield served


@pytest.mark.parametrize("offered", [[], ["graphql-ws"], ["graphql-ws", "soap"]])
async def test_no_other_protocol(at: Live, offered: list[str]) -> None:
    """Whoever does not speak the protocol is told so: the old one is not spoken."""
    async with at.socket(subprotocols=[Subprotocol(name) for name in offered] or None) as socket:
        assert await socket.closed() == 4406


async def test_the_protocol_among_others(at: Live) -> None:
    """Of several protocols ours is chosen."""
    offered = [Subprotocol(name) for name in ("graphql-ws", PROTOCOL)]
    async with at.socket(subprotocols=offered) as socket:
        assert socket.connection.subprotocol == PROTOCOL


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://127.0.0.1:1"])
async def test_pages_of_others_are_kept_out(at: Live, origin: str) -> None:
    """A page of another origin is refused before anything is said; one of ours is not."""
    with pytest.raises(InvalidStatus) as refused:
        async with at.socket(additional_headers={"origin": origin}):
            pass
    assert refused.value.response.status_code == 403
    async with at.client("aero", additional_headers={"origin": f"http://{at.host}"}) as socket:
        await socket.subscribe(HELLO)
        await socket.next()


async def test_who_says_nothing(at: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not say who it is in time is sent away; pings do not count."""
    monkeypatch.setattr(websocket, "INIT_SECONDS", 0.3)
    async with at.socket() as socket:
        await socket.send("ping")
        assert await socket.message() == {"type": "pong"}
        assert await socket.closed() == 4408


@pytest.mark.parametrize(
    "payload", [None, {}, {"Authorization": "Bearer ck_o_x"}, {"Authorization": 7}]
)
async def test_nobody_gets_in(at: Live, payload: Any) -> None:
    """Without a credential, or with one that is no good, nobody gets in."""
    async with at.socket() as socket:
        await socket.send("connection_init", payload=payload)
        assert await socket.closed() == 4401


async def test_the_header_of_the_handshake(at: Live) -> None:
    """The credential may come with the handshake; the same twice is one, two are none."""
    headers = {"authorization": at.bearer("aero")}
    for payload in (None, {"Authorization": at.bearer("aero")}):
        async with at.socket(additional_headers=headers) as socket:
            await socket.send("connection_init", payload=payload)
            assert await socket.message() == {"type": "connection_ack"}
            await socket.subscribe(HELLO)
            assert await socket.next() == {"viewer": {"kind": "BRAND"}}
    async with at.socket(additional_headers=headers) as socket:
        await socket.send("connection_init", payload={"Authorization": at.bearer("hotel")})
        assert await socket.closed() == 4401


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
async def test_the_name_of_the_credential(at: Live, name: str) -> None:
    """Like a header's, its name is the same in upper and lower case; two that differ are none."""
    async with at.socket() as socket:
        await socket.send("connection_init", payload={name: at.bearer("aero"), "x": 7})
        assert await socket.message() == {"type": "connection_ack"}
    twice = {name: at.bearer("aero"), "authorizatioN": at.bearer("hotel")}
    async with at.socket() as socket:
        await socket.send("connection_init", payload=twice)
        assert await socket.closed() == 4401


async def test_two_headers(at: Live) -> None:
    """A handshake with two credentials has none."""
    headers = [("authorization", at.bearer(who)) for who in ("aero", "hotel")]
    async with at.socket(additional_headers=headers) as socket:
        await socket.send("connection_init")
        assert await socket.closed() == 4401


async def test_nothing_before_the_beginning(at: Live) -> None:
    """Nothing is run for whoever has not said who he is."""
    async with at.socket() as socket:
        await socket.subscribe(HELLO)
        assert await socket.closed() == 4401


async def test_one_beginning(at: Live) -> None:
    """One says once who one is."""
    async with at.client("aero") as socket:
        await socket.send("connection_init", payload={})
        assert await socket.closed() == 4429


@pytest.mark.parametrize("when", ["quiet", "busy"])
async def test_a_revoked_key(at: Live, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is revoked ends the connection that was opened with it: soon, and at once when
    something else is asked for."""
    monkeypatch.setattr(streams, "RECHECK_SECONDS", 0.2 if when == "quiet" else 60)
    token = await at.stage.token(NewKey(CallerKind.BRAND, "passing", brand_code="AERO"))
    async with at.client(token) as socket:
        made = next(
            each for each in await list_keys(at.stage.coalition, OPERATOR) if each.name == "passing"
        )
        await revoke_key(at.stage.coalition, OPERATOR, made.id)
        if when == "busy":
            await socket.subscribe(HELLO)
        assert await socket.closed() == 4403
