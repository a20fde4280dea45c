"""The probes: what they ask, how often, and what they tell."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from brands.database import Database
from brands.ledger.commands import Command
from brands.ledger.writer import Lane
from gateway.telemetry import health
from gateway.telemetry.lanes import FORGOTTEN_AFTER_SECONDS, PATIENCE_SECONDS, WatchedLanes
from gateway.telemetry.metrics import Metrics
from tests.gateway.stage import Stage


async def test_a_flood_of_probes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many probes come, alone or at once, the database is asked once a second."""
    asked: list[str] = []
    fetch = Database.fetch

    async def counted(database: Database, sql: str, *values: Any) -> Any:
        asked.append(sql)
        return await fetch(database, sql, *values)

    monkeypatch.setattr(Database, "fetch", counted)
    monkeypatch.setattr(health, "GOOD_FOR_SECONDS", 0.3)
    answers = await asyncio.gather(*(stage.client.get("/readyz") for _ in range(50)))
    for _ in range(5):
        answers.append(await stage.client.get("/readyz"))
    assert {answer.status_code for answer in answers} == {200}
    assert len(asked) == 1
    await asyncio.sleep(0.35)
    await stage.client.get("/readyz")
    assert len(asked) == 2


async def test_it_recovers(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway whose database comes back is ready again."""
    monkeypatch.setattr(health, "GOOD_FOR_SECONDS", 0.0)

    async def broken(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as gone:
        gone.setattr(Database, "fetch", broken)
        assert (await stage.client.get("/readyz")).status_code == 503
    assert (await stage.client.get("/readyz")).status_code == 200


async def test_nothing_is_told_to_strangers(stage: Stage) -> None:
    """A probe tells a word and a reason, and nothing of versions, addresses or figures."""
    assert (await stage.client.get("/livez")).json() == {"status": "live"}
    assert (await stage.client.get("/readyz")).json() == {"status": "ready"}


class Stuck:
    """A lane that does nothing, or fails."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.fails = False

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def commit(self, commands: Sequence[Command]) -> list[Any]:
        """Waits, then fails or does not."""
        await self.go_on.wait()
        if self.fails:
            raise ConnectionResetError
        return []


async def test_books_that_do_not_answer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway is not ready while its books are at one batch for too long, or have just failed,
    and is again once they are heard of or that is long ago."""
    now = [1_000.0]
    monkeypatch.setattr("gateway.telemetry.lanes.time.monotonic", lambda: now[0])
    stuck = Stuck()
    lanes = WatchedLanes(Metrics())
    lane: Lane = lanes(stuck)
    assert lanes.answer()

    batch = asyncio.create_task(lane.commit([]))
    await asyncio.sleep(0)
    now[0] += PATIENCE_SECONDS - 1
    assert lanes.answer()
    now[0] += 2
    assert not lanes.answer()
    stuck.go_on.set()
    await batch
    assert lanes.answer()

    stuck.fails = True
    with pytest.raises(ConnectionResetError):
        await lane.commit([])
    assert not lanes.answer()
    now[0] += FORGOTTEN_AFTER_SECONDS + 1
    assert lanes.answer()

    monkeypatch.setattr(WatchedLanes, "answer", lambda _: False)
    response = await stage.client.get("/readyz")
    assert (response.status_code, response.json()["reason"]) == (503, "the books do not answer")
