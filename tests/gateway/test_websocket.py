"""The WebSocket protocol: what is asked and answered, how much at a time, and how it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from brands.ledger.sqlite import SqliteLane
from gateway.graphql.requests import Refused
from gateway.subscriptions import messages, websocket
from gateway.subscriptions.messages import Socket
from gateway.subscriptions.streams import SUBSCRIPTION
from tests.gateway.live import MEMBERSHIP, Live, live, settled
from tests.gateway.stage import key, open_stage

HELLO = "{ viewer { kind } }"


@pytest.fixture
async def at(sqlite_url: str) -> AsyncIterator[Live]:
    """A gateway behind a server."""
    async with open_stage(sqlite_url) as stage, live(stage) as served:
        yield served


async def test_a_query_and_a_mutation(at: Live) -> None:
    """Queries and mutations are answered once, and then complete; whatever else is under way."""
    async with at.client("aero") as socket:
        await socket.subscribe(HELLO, id="q")
        assert await socket.next("q") == {"viewer": {"kind": "BRAND"}}
        assert await socket.message() == {"type": "complete", "id": "q"}
        enrol = """mutation E($key: String!) {
            memberEnroll(input: {brands: ["AERO"], idempotencyKey: $key}) { errors { code } }
        }"""
        await socket.subscribe(enrol, {"key": key()}, "q")
        assert await socket.next("q") == {"memberEnroll": {"errors": []}}
        assert await socket.message() == {"type": "complete", "id": "q"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription S { a: __typename }", "GRAPHQL_VALIDATION_FAILED"),
        (
            """subscription S {
                a: brandActivity(brand: "AERO") { cursor } b: brandActivity(brand: "A") { cursor }
            }""",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("subscription S($b: String!) { brandActivity(brand: $b) { cursor } }", "BAD_USER_INPUT"),
        ('subscription S { brandActivity(brand: "NONE") { cursor } }', "BAD_USER_INPUT"),
    ],
)
async def test_what_is_not_run(at: Live, query: str, code: str) -> None:
    """What cannot be run is told with an error, and nothing after it; the connection goes on."""
    async with at.client("aero") as socket:
        await socket.subscribe(query)
        message = await socket.message()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == code
        await socket.subscribe(HELLO)
        assert await socket.next() == {"viewer": {"kind": "BRAND"}}


async def test_an_id_is_taken_once(at: Live) -> None:
    """An id that is in use is nobody else's; once its operation is over, it is free."""
    ada = await at.stage.enrol("AERO")
    watched = {"id": ada.memberships["AERO"]}
    async with at.client("aero") as socket:
        await socket.subscribe(MEMBERSHIP, watched)
        await socket.send("complete", id="1")
        await socket.subscribe(MEMBERSHIP, watched)
        await socket.subscribe(HELLO, id="2")
        await socket.next("2")
        await socket.subscribe(HELLO)
        assert await socket.closed() == 4409


async def test_pings(at: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server answers pings, sends its own, and drops whoever says nothing to them."""
    monkeypatch.setattr(messages, "PING_SECONDS", 0.1)
    async with at.client("aero") as socket:
        await socket.send("ping", payload={"any": "thing"})
        said = [await socket.message() for _ in range(2)]
        assert {"type": "pong"} in said
        assert {"type": "ping"} in said
        for _ in range(6):
            await socket.send("pong")
            await asyncio.sleep(0.05)
        await socket.subscribe(HELLO)
        while (await socket.message())["type"] != "complete":
            pass
        assert await socket.closed() == 4408


async def test_how_many_operations(at: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection has so many operations under way and no more; one that ends makes room."""
    monkeypatch.setattr(websocket, "MAX_OPERATIONS", 2)
    ada = await at.stage.enrol("AERO")
    watched = {"id": ada.memberships["AERO"]}
    async with at.client("aero") as socket:
        for id in ("1", "2", "3"):
            await socket.subscribe(MEMBERSHIP, watched, id)
        message = await socket.message()
        assert (message["type"], message["id"]) == ("error", "3")
        assert message["payload"][0]["extensions"]["code"] == "THROTTLED"
        await socket.send("complete", id="1")
        await asyncio.sleep(0.1)
        await socket.subscribe(HELLO, id="3")
        assert await socket.next("3") == {"viewer": {"kind": "BRAND"}}


async def test_refusals_do_not_pile_up(at: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever begins far too many operations and reads nothing of it is sent away, and what was
    refused is not kept."""
    monkeypatch.setattr(websocket, "MAX_OPERATIONS", 2)
    monkeypatch.setattr(websocket, "MAX_REFUSALS", 5)
    refusing: list[int] = []
    operate = websocket._Connection._operate

    async def unread(self: Any, id: str, asked: Any) -> None:
        if isinstance(asked, Refused):
            refusing.append(len(self._tasks))
            await asyncio.sleep(30)
        await operate(self, id, asked)

    monkeypatch.setattr(websocket._Connection, "_operate", unread)
    ada = await at.stage.enrol("AERO")
    async with at.client("aero") as socket:
        for id in range(20):
            with suppress(ConnectionClosed):
                await socket.subscribe(MEMBERSHIP, {"id": ada.memberships["AERO"]}, str(id))
        assert await socket.closed() == 4429
        assert len(refusing) == 5


async def test_nobody_is_heard_less_for_not_listening(
    at: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing can be sent to a client, what it says is heeded all the same."""
    never = asyncio.Event()

    async def send(self: Socket, message: Any) -> None:
        if message["type"] == "pong":
            await never.wait()
        await sent(self, message)

    sent = Socket.send
    ada = await at.stage.enrol("AERO")
    async with at.client("aero") as socket:
        await socket.subscribe(MEMBERSHIP, {"id": ada.memberships["AERO"]})
        await asyncio.sleep(0.2)
        assert await at.open(SUBSCRIPTION) == 1
        monkeypatch.setattr(Socket, "send", send)
        await socket.send("ping")
        await socket.send("complete", id="1")
        await asyncio.sleep(0.2)
        assert await at.open(SUBSCRIPTION) == 0


async def test_leaving_answers_what_is_under_way(at: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the process is to end, a mutation on a WebSocket is answered before it closes; nothing
    new is begun on it, and subscriptions are over."""
    ada = await at.stage.enrol("AERO")
    commit, going_on = SqliteLane.commit, asyncio.Event()

    async def slowly(self: SqliteLane, commands: Any) -> Any:
        await going_on.wait()
        return await commit(self, commands)

    adjust = """mutation A($i: PointsAdjustInput!) {
        pointsAdjust(input: $i) { transaction { points } errors { code } }
    }"""
    given = {"membership": ada.memberships["AERO"], "points": 7, "reason": "x"}
    async with at.client("operator") as socket:
        await socket.subscribe(MEMBERSHIP, {"id": ada.memberships["AERO"]}, "s")
        await asyncio.sleep(0.2)
        monkeypatch.setattr(SqliteLane, "commit", slowly)
        await socket.subscribe(adjust, {"i": {**given, "idempotencyKey": key()}}, "m")
        await asyncio.sleep(0.2)
        leaving = asyncio.create_task(at.stage.app.state.drain.leave())
        await asyncio.sleep(0.2)
        await socket.subscribe(HELLO, id="late")
        refused = await socket.message()
        assert (refused["type"], refused["id"]) == ("error", "late")
        assert refused["payload"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
        going_on.set()
        answer = await socket.next("m")
        assert answer["pointsAdjust"] == {"transaction": {"points": 7}, "errors": []}
        assert await socket.message() == {"type": "complete", "id": "m"}
        assert await socket.closed() == 1001
        await asyncio.wait_for(leaving, 5)


async def test_a_flood_waits(at: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends too fast is read slowly, and is answered all the same."""
    monkeypatch.setattr(messages, "MAX_MESSAGES", 20)
    async with at.client("aero") as socket:
        began = asyncio.get_running_loop().time()
        for _ in range(50):
            await socket.send("ping")
        for _ in range(50):
            assert await socket.message() == {"type": "pong"}
        assert 1.5 < asyncio.get_running_loop().time() - began < 6


async def test_nothing_is_left(at: Live) -> None:
    """When a client goes, however it goes, so does all that was done for it."""
    ada = await at.stage.enrol("AERO")
    watched = {"id": ada.memberships["AERO"]}
    async with at.client("aero") as socket:  # so that what runs for all followers runs
        await socket.subscribe(MEMBERSHIP, watched)
        await asyncio.sleep(0.2)
        before = len(asyncio.all_tasks())
        for how in ("close", "abort", "complete"):
            async with at.client("aero") as other:
                for id in range(5):
                    await other.subscribe(MEMBERSHIP, watched, str(id))
                await asyncio.sleep(0.2)
                assert await at.open(SUBSCRIPTION) == 6
                if how == "abort":
                    other.connection.transport.abort()
                elif how == "complete":
                    for id in range(5):
                        await other.send("complete", id=str(id))
                    await asyncio.sleep(0.1)
                    assert await at.open(SUBSCRIPTION) == 1
            assert await settled(before) <= before, how
