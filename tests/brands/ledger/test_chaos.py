"""Chaos: many processes ask the books for random things while their connections are cut at random.

Nothing that was acknowledged may be lost, nothing may be there twice, and what was refused must
have left nothing.
"""

import asyncio
import json
import os
import random
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.brands.ledger.books import Books, make, some_books
from tests.brands.ledger.chaos import Plan
from tests.postgres import Databases

SEED = int(os.environ.get("COALITION_TEST_SEED", "20261122"))
PATIENCE_SECONDS = 240


async def test_nothing_is_lost_or_doubled_in_chaos(postgres: Databases, tmp_path: Path) -> None:
    """20,000 operations of 8 processes, their backends killed at random: the audit passes, each
    acknowledged operation is there once, each refusal left nothing."""
    books = some_books(postgres.fresh_database(), 4, members=40)
    await make(books)
    plans = planned(books, tmp_path, processes=8, operations=2_500, in_flight=128)
    async with at_work(plans) as processes:
        killed = await killing_backends(books.url, processes)
    assert killed >= 5
    await check(books, journals(tmp_path), operations=20_000)
    postgres.drop_database(books.url)


async def test_two_processes_share_one_sqlite_file(tmp_path: Path) -> None:
    """Two writers of one SQLite file take turns; the same laws hold."""
    books = some_books(f"sqlite:///{tmp_path}/books.db", 2, members=8)
    await make(books)
    plans = planned(books, tmp_path, processes=2, operations=500, in_flight=8)
    async with at_work(plans) as processes:
        assert await all_ended(processes) == [0, 0]
    await check(books, journals(tmp_path), operations=1_000)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_killed_process_resumes(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A process killed hard, again and again, and started with the same keys does it all once."""
    url = f"sqlite:///{tmp_path}/books.db"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres_database")
    books = some_books(url, 2, members=6)
    await make(books)
    plans = planned(books, tmp_path, processes=1, operations=2_000, in_flight=16)
    chance = random.Random(SEED)
    for _ in range(4):
        async with at_work(plans) as (process,):
            await written(Path(plans[0].journal))
            await asyncio.sleep(chance.random() / 3)
            process.kill()
    async with at_work(plans) as processes:
        assert await all_ended(processes) == [0]
    await check(books, journals(tmp_path), operations=2_000)


def planned(
    books: Books, directory: Path, *, processes: int, operations: int, in_flight: int
) -> list[Plan]:
    """A plan for each process, with keys of its own."""
    return [
        Plan(
            books.url,
            books.count,
            SEED + number,
            operations,
            in_flight,
            str(directory / f"journal-{number}"),
            list(books.brands),
            [list(member.accounts) for member in books.members],
        )
        for number in range(processes)
    ]


@asynccontextmanager
async def at_work(plans: list[Plan]) -> AsyncIterator[list[Process]]:
    """A process at work on each plan; none is left behind."""
    processes = []
    try:
        for plan in plans:
            path = Path(plan.journal.replace("journal", "plan"))
            plan.write(path)
            program = ("-m", "tests.brands.ledger.chaos", str(path))
            processes.append(await asyncio.create_subprocess_exec(sys.executable, *program))
        yield processes
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def all_ended(processes: list[Process]) -> list[int]:
    """The exit codes of processes, once they have ended by themselves."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [await process.wait() for process in processes]


async def written(journal: Path) -> None:
    """Waits until something more is written in a journal."""
    before = length_of(journal)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while length_of(journal) == before:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)


def length_of(journal: Path) -> int:
    """How much is written in a journal."""
    return journal.stat().st_size if journal.exists() else 0


async def killing_backends(url: str, processes: list[Process]) -> int:
    """Cuts a connection of the processes every now and then until they have ended, all of them
    well; how often."""
    chance = random.Random(SEED)
    killed = 0
    connection = await asyncpg.connect(url)
    work = asyncio.create_task(all_ended(processes))
    try:
        while not (await asyncio.wait([work], timeout=0.05 + chance.random() / 2))[0]:
            killed += await connection.fetchval(KILL, chance.choice([1, 1, 1, 2, 5]))
        assert await work == [0] * len(processes)
    finally:
        work.cancel()
        await connection.close()
    return killed


KILL = """
SELECT count(pg_terminate_backend(pid)) FROM (
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT $1
) chosen
"""


def journals(directory: Path) -> list[dict[str, Any]]:
    """What the processes wrote down. The last line of a killed one may be torn."""
    lines = [text for path in directory.glob("journal-*") for text in path.read_text().splitlines()]
    return [json.loads(text) for text in lines if text.endswith("}")]


async def check(books: Books, answers: list[dict[str, Any]], *, operations: int) -> None:
    """The laws, and that books and journals tell the same story."""
    assert len(answers) >= operations
    assert await books.broken_laws() == []
    keys = {
        (row["key"]): (str(row["command_id"]), row["rejection"] and json.loads(row["rejection"]))
        for row in await books.fetch("SELECT * FROM idempotency_keys WHERE client = 'tests'")
    }
    posted = {str(row["id"]) for row in await books.fetch("SELECT id FROM transactions")}
    holds = {str(row["id"]): row for row in await books.fetch("SELECT * FROM holds")}
    ended_by = [str(row["ended_by"]) for row in holds.values() if row["ended_by"]]
    assert len(ended_by) == len(set(ended_by))
    done = {*posted, *holds, *ended_by}
    verdicts = {"accepted": 0, "refused": 0, "replayed": 0}
    for answer in answers:
        if answer["key"] is None:
            # Expiry of lots: nothing to do is no refusal. An arrival is there if it was told so.
            told = answer["asked"] == "Post" and answer["rejection"] is None
            assert answer["id"] in posted or not told
            continue
        id, rejection = keys[answer["key"]]
        assert answer["id"] == id
        assert answer["rejection"] == (rejection and rejection["rejection"])
        assert (id in done) == (rejection is None)
        assert answer["command"] == id or (answer["replayed"] and answer["command"] not in done)
        verdicts["refused" if rejection else "accepted"] += 1
        verdicts["replayed"] += answer["replayed"]
    assert min(verdicts.values()) > operations // 50
    kinds = {row["kind"] for row in await books.fetch("SELECT DISTINCT kind FROM transactions")}
    assert kinds >= {"TRANSFER_OUT", "TRANSFER_IN", "CONVERSION", "REVERSAL", "EXPIRY"}
    everything = {id for id, rejection in keys.values() if rejection is None}
    others = {str(row["id"]) for row in await books.fetch(UNASKED)}
    assert posted == {id for id in everything if id in posted} | others


UNASKED = """
SELECT id FROM transactions WHERE client = 'coalition' OR kind = 'TRANSFER_IN'
UNION SELECT r.id FROM transactions r
JOIN transactions o ON o.book = r.book AND o.id = r.reverses WHERE o.kind = 'TRANSFER_IN'
"""
"""Revaluations, expiry and arrivals, which need no key; and the other halves of transfers."""
