"""Leaving: a gateway that is told to stop under load loses nothing, and takes no time for ever."""

import asyncio
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from brands.coalition import open_coalition
from brands.ledger.audit import audit
from gateway.drain import Drain
from tests.gateway.process import Gateway, served
from tests.gateway.stage import Json, key, open_stage

CLIENTS = 8
UNDER_LOAD_SECONDS = 1.0

ADJUST = """mutation A($i: PointsAdjustInput!) {
  pointsAdjust(input: $i) { transaction { id } replayed errors { code } }
}"""


@dataclass(slots=True)
class Load:
    """What became of the requests of some clients, by idempotency key."""

    membership: str
    token: str
    answered: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)

    async def send(self, client: httpx.AsyncClient, given: str) -> Json:
        """One posting; its payload."""
        variables = {
            "membership": self.membership,
            "points": 1,
            "reason": "load",
            "idempotencyKey": given,
        }
        response = await client.post(
            "/graphql",
            json={"query": ADJUST, "variables": {"i": variables}},
            headers={"authorization": f"Bearer {self.token}"},
        )
        assert response.status_code == 200, response.text
        payload: Json = response.json()["data"]["pointsAdjust"]
        assert payload["errors"] == []
        return payload

    async def run(self, url: str) -> None:
        """One client, on connections that it keeps, until nobody listens any more."""
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            while True:
                given = key()
                try:
                    await self.send(client, given)
                except httpx.ConnectError:
                    return  # refused before anything was sent
                except httpx.TransportError:
                    self.unanswered.append(given)
                    return
                self.answered.append(given)


async def under_load(load: Load, gateway: Gateway) -> None:
    """Tells a gateway to stop while clients send what they can."""
    clients = asyncio.gather(*(load.run(gateway.url) for _ in range(CLIENTS)))
    async with asyncio.timeout(30):  # it may take a while on a busy machine
        while len(load.answered) <= 2 * CLIENTS:  # noqa: ASYNC110 - several clients answer
            await asyncio.sleep(UNDER_LOAD_SECONDS)
    gateway.signal()
    await asyncio.wait_for(clients, 30)
    assert await asyncio.to_thread(gateway.wait) == 0


@pytest.mark.parametrize("drain", ["0", "1"])
async def test_nothing_is_lost(url: str, tmp_path: Path, drain: str) -> None:
    """Told to stop under load, a gateway has posted what it has answered and nothing else."""
    async with open_stage(url) as stage:
        ada = await stage.enrol("AERO")
        load = Load(ada.memberships["AERO"], stage.tokens["operator"])
    with served(url, tmp_path / "first.log", COALITION_DRAIN_SECONDS=drain) as gateway:
        await under_load(load, gateway)
    assert len(load.answered) > CLIENTS

    with served(url, tmp_path / "second.log") as gateway:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=30) as client:
            for given in load.answered[-50:]:
                assert (await load.send(client, given))["replayed"]
            for given in load.unanswered:
                assert not (await load.send(client, given))["replayed"]
    coalition = await open_coalition(url)
    try:
        rows = await coalition.database.fetch(
            "SELECT count(*) AS n FROM transactions WHERE kind = 'ADJUSTMENT'"
        )
        assert rows[0]["n"] == len(load.answered) + len(load.unanswered)
        assert await audit(coalition.database) == []
    finally:
        await coalition.close()


async def test_it_says_so_first(sqlite_url: str, tmp_path: Path) -> None:
    """A gateway that drains is not ready, answers all the same, and closes each connection with its
    answer."""
    with served(sqlite_url, tmp_path / "log", COALITION_DRAIN_SECONDS="2") as gateway:
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            before = await client.get("/readyz")
            assert (before.status_code, "connection" in before.headers) == (200, False)
            gateway.signal()
            await asyncio.sleep(0.5)
            probe = await client.get("/readyz")
            assert probe.status_code == 503
            assert probe.json()["reason"] == "the gateway is stopping"
            assert (await client.get("/livez")).headers["connection"] == "close"
            answer = await client.post("/graphql", json={"query": "{ __typename }"})
            assert answer.status_code == 401
            assert answer.headers["connection"] == "close"
        assert await asyncio.to_thread(gateway.wait) == 0
    assert "draining" in [event["event"] for event in gateway.events()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_twice(sqlite_url: str, tmp_path: Path, number: int) -> None:
    """A gateway that is told to stop a second time ends at once."""
    with served(sqlite_url, tmp_path / "log", COALITION_DRAIN_SECONDS="60") as gateway:
        gateway.signal(number)
        await asyncio.sleep(0.5)
        assert gateway.process.poll() is None
        gateway.signal(number)
        assert await asyncio.to_thread(gateway.wait, 2) == -number


async def test_idle_connections_hold_nothing_up(sqlite_url: str, tmp_path: Path) -> None:
    """A connection that is kept but unused does not keep a gateway from leaving."""
    with served(sqlite_url, tmp_path / "log") as gateway:
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            await client.get("/livez")
            began = time.monotonic()
            gateway.signal()
            assert await asyncio.to_thread(gateway.wait) == 0
            assert time.monotonic() - began < 3


async def test_streams_that_do_not_end() -> None:
    """What cannot be ended, or fails to, does not keep the rest from being done."""
    ended: list[str] = []

    async def broken() -> None:
        raise OSError

    async def fine() -> None:
        ended.append("fine")

    drain = Drain(0)
    drain.ends(broken)
    drain.ends(fine)
    await drain.leave()
    assert (drain.draining, ended) == (True, ["fine"])
