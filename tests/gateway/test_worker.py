"""The worker: what falls due by itself is done, and no failure stops it."""

import asyncio
import socket
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from brands.accruals import credit
from brands.clock import now_micros
from brands.coalition import Coalition
from brands.holds import place
from brands.ids import book_of, new_id
from brands.ledger.chart import AccountKind, TransactionKind
from brands.ledger.commands import Claim, Post, Revalue, fingerprint
from brands.ledger.writer import Ledger
from brands.upkeep import expire_holds, expire_lots, revalue_pools
from gateway.app import create_app
from gateway.settings import Settings
from gateway.telemetry.metrics import Metrics
from gateway.worker import Worker
from tests.gateway.process import started
from tests.gateway.stage import OPERATOR, PEPPER, Person, Stage, key, uuid_of

BALANCE = "query B($id: ID!) { node(id: $id) { ... on Membership { balance { posted held } } } }"


async def balance(stage: Stage, person: Person) -> dict[str, int]:
    """What Ada has at AERO."""
    found: dict[str, int] = (await stage.data(BALANCE, {"id": person.memberships["AERO"]}))["node"][
        "balance"
    ]
    return found


async def earn_for_a_moment(stage: Stage, person: Person, points: int) -> None:
    """Points that expire at once."""
    membership = uuid_of(person.memberships["AERO"])
    (party,) = (await stage.coalition.parties.find([membership])).values()
    rates = stage.coalition.registry.snapshot.valuation(party.brand_id).rates
    now = now_micros()
    post = Post(
        id=new_id(book_of(membership)),
        claim=Claim("tests", key(), fingerprint("tests")),
        kind=TransactionKind.ACCRUAL,
        postings=credit(AccountKind.ISSUED, party, party.brand_id, points, rates),
        points=points,
        event_at=now,
        lots_expire_at=now + 1,
    )
    (await stage.coalition.ledger.submit(post)).accepted()


async def test_lots_expire(stage: Stage) -> None:
    """What is left of expired lots is taken out, once, and what has not expired stays."""
    ada = await stage.enrol("AERO")
    await stage.give(ada.memberships["AERO"], 5)
    await earn_for_a_moment(stage, ada, 100)
    assert await expire_lots(stage.coalition) == 1
    assert await expire_lots(stage.coalition) == 0
    assert await balance(stage, ada) == {"posted": 5, "held": 0}
    assert await stage.audit() == []


async def test_holds_expire(stage: Stage) -> None:
    """A hold whose time is over releases its points, and none before."""
    ada = await stage.enrol("AERO")
    await stage.give(ada.memberships["AERO"], 100)
    membership = uuid_of(ada.memberships["AERO"])
    for seconds in (1, 3_600):
        lasts = timedelta(seconds=seconds)
        await place(stage.coalition, OPERATOR, membership, 30, lasts, key())
    assert await balance(stage, ada) == {"posted": 100, "held": 60}
    await asyncio.sleep(1.1)
    assert await expire_holds(stage.coalition) == 1
    assert await expire_holds(stage.coalition) == 0
    assert await balance(stage, ada) == {"posted": 100, "held": 30}
    assert await stage.audit() == []


async def test_pools_are_revalued(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that is not at the value in force is brought to it, though nobody posts."""
    ada = await stage.enrol("AERO")
    await stage.give(ada.memberships["AERO"], 100)
    submit_many = Ledger.submit_many

    async def nothing(*_: object) -> list[object]:
        return []

    monkeypatch.setattr(Ledger, "submit_many", nothing)
    published = {"brand": "AERO", "redemptionRate": "0.02"}
    assert (await stage.do("valuationPublish", published))["errors"] == []
    monkeypatch.setattr(Ledger, "submit_many", submit_many)

    assert await revalue_pools(stage.coalition) == stage.coalition.books
    assert await revalue_pools(stage.coalition) == 0
    rows = await stage.coalition.database.fetch(
        "SELECT sum(balance) AS money, min(rate) AS rate FROM accounts WHERE kind = 'POOL'"
        " AND owner_id = $1",
        stage.coalition.registry.snapshot.brand("AERO").id,
    )
    assert (rows[0]["money"], rows[0]["rate"]) == (100 * 20_000, 20_000)


async def test_a_failure_stops_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A duty that fails is tried again in the next round, and the other duties are done."""
    ada = await stage.enrol("AERO")
    await earn_for_a_moment(stage, ada, 100)
    calls: list[Coalition] = []
    thrice = asyncio.Event()

    async def broken(coalition: Coalition) -> int:
        calls.append(coalition)
        if len(calls) == 3:
            thrice.set()
        raise OSError

    monkeypatch.setattr("gateway.worker.DUTIES", (broken, expire_lots))
    work = asyncio.create_task(Worker(stage.coalition, Metrics(), pause=0.01).run())
    await asyncio.wait_for(thrice.wait(), 10)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await balance(stage, ada) == {"posted": 0, "held": 0}


async def test_two_workers(stage: Stage) -> None:
    """Two workers at once do what is due once."""
    ada = await stage.enrol("AERO")
    await earn_for_a_moment(stage, ada, 100)
    await asyncio.gather(*(Worker(stage.coalition, Metrics()).round() for _ in range(2)))
    assert await balance(stage, ada) == {"posted": 0, "held": 0}
    rows = await stage.coalition.database.fetch(
        "SELECT count(*) AS n FROM transactions WHERE kind = 'EXPIRY'"
    )
    assert rows[0]["n"] == 1
    assert await stage.audit() == []


async def test_revaluing_again_does_nothing(stage: Stage) -> None:
    """A revaluation that is not due posts nothing."""
    before = await stage.books()
    brand = stage.coalition.registry.snapshot.brand("AERO").id
    await stage.coalition.ledger.submit(Revalue(new_id(0), brand))
    assert await stage.books() == before


async def test_a_worker_of_its_own(sqlite_url: str, tmp_path: Path) -> None:
    """A worker that is a process of its own shows its metrics where it is told to, and ends with
    status 0 when told to stop."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with started(sqlite_url, tmp_path / "log", "worker", COALITION_WORKER_PORT=str(port)) as worker:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            page = ""
            for _ in range(100):
                with suppress(httpx.ConnectError):  # it is not up yet
                    page = (await client.get("/metrics")).text
                if 'coalition_duties_total{duty="expire_lots",outcome="done"} 1.0' in page:
                    break
                await asyncio.sleep(0.1)
            assert "coalition_duty_last_success_timestamp_seconds" in page
        worker.terminate()
        assert await asyncio.to_thread(worker.wait, 10) == 0


async def test_a_gateway_finishes_the_duty(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker within a gateway that stops finishes the duty that it is at, while the books are
    still open; but not for ever."""
    begun, done, takes = asyncio.Event(), list[str](), [0.0]

    async def long(coalition: Coalition) -> int:
        begun.set()
        await asyncio.sleep(takes[0])
        await coalition.database.fetch("SELECT 1")
        done.append("long")
        return 0

    monkeypatch.setattr("gateway.worker.DUTIES", (long,))
    monkeypatch.setattr("gateway.worker.GRACE_SECONDS", 1)
    for takes[0] in (0.3, 30):
        begun.clear()
        app = create_app(Settings(database=sqlite_url, pepper=PEPPER))
        async with asyncio.timeout(5), app.router.lifespan_context(app):
            await begun.wait()
    assert done == ["long"]


async def test_stopping_finishes_the_duty(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is stopped finishes the duty that it is at, and begins no other."""
    begun, done = asyncio.Event(), list[str]()

    async def long(_: Coalition) -> int:
        begun.set()
        await asyncio.sleep(0.1)
        done.append("long")
        return 0

    async def next_one(_: Coalition) -> int:
        done.append("next")
        return 0

    monkeypatch.setattr("gateway.worker.DUTIES", (long, next_one))
    worker = Worker(stage.coalition, Metrics())
    work = asyncio.create_task(worker.run())
    await begun.wait()
    worker.stop()
    await asyncio.wait_for(work, 5)
    assert done == ["long"]
