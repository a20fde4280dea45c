"""The worker: what falls due by itself is done, and no failure stops it."""

import asyncio
from datetime import timedelta

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
from gateway.worker import Worker
from tests.gateway.stage import OPERATOR, Person, Stage, key, uuid_of

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
    work = asyncio.create_task(Worker(stage.coalition, pause=0.01).run())
    await asyncio.wait_for(thrice.wait(), 10)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await balance(stage, ada) == {"posted": 0, "held": 0}


async def test_two_workers(stage: Stage) -> None:
    """Two workers at once do what is due once."""
    ada = await stage.enrol("AERO")
    await earn_for_a_moment(stage, ada, 100)
    await asyncio.gather(*(Worker(stage.coalition).round() for _ in range(2)))
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
