"""Leaky buckets: nobody spends more than the maximum and what was restored, in one process or in
many."""

import asyncio
import time
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as some

from brands.buckets import FORGOTTEN_AFTER, SECOND, Bucket, Rate, forget_full_buckets, lease
from brands.coalition import Coalition
from brands.database import open_database

RATES = some.builds(Rate, some.integers(1, 1_000_000), some.integers(1, 1_000_000))
STEPS = some.lists(
    some.tuples(
        some.integers(0, 10 * SECOND),
        some.integers(0, 2_000_000),
        some.integers(0, 100),
    ),
    max_size=40,
)
"""How long is waited, how many points are taken, and how many hundredths given back."""


@given(RATES, STEPS)
def test_a_bucket_keeps_to_its_rate(rate: Rate, steps: list[tuple[int, int, int]]) -> None:
    """What a bucket gives out is never more than an exact one would; and within a point of it."""
    bucket, now, exact = Bucket(rate), 0, Fraction(rate.maximum)
    slack = Fraction(0)  # each rounding up to a microsecond costs the client less than that
    for wait, points, hundredths in steps:
        now += wait
        exact = min(exact + Fraction(wait * rate.restore, SECOND), Fraction(rate.maximum))
        assert bucket.available(now) <= exact
        taken = bucket.take(points, now)
        assert not taken or points <= exact
        slack += Fraction(2 * rate.restore, SECOND)
        assert taken or points > exact - slack
        if taken:
            back = points * hundredths // 100
            bucket.give(back)
            exact = min(exact - points + back, Fraction(rate.maximum))


@given(RATES, some.integers(0, 1_000_000), some.integers(1, 1_000_000))
def test_the_wait_is_enough(rate: Rate, spent: int, points: int) -> None:
    """Whoever waits as long as it says is served, and a microsecond earlier is not."""
    points = min(points, rate.maximum)
    bucket = Bucket(rate, full_at=rate.time(min(spent, rate.maximum)))
    wait = bucket.wait(points, 0)
    earlier = Bucket(rate, bucket.full_at)
    assert wait == 0 or not earlier.take(points, wait - 1)
    assert bucket.take(points, wait)


async def test_a_lease_is_all_or_what_is_needed_or_nothing(
    coalition_on_postgres: Coalition,
) -> None:
    """A shared bucket gives what is wanted, what is needed where that is not there, or nothing."""
    database, rate = coalition_on_postgres.database, Rate(100, 1)
    granted = [
        (await lease(database, "one", rate, want=want, need=need)).points
        for want, need in ((60, 10), (60, 10), (60, 10), (60, 40), (20, 1), (60, 1))
    ]
    assert granted == [60, 10, 10, 0, 20, 0]
    assert (await lease(database, "other", rate, want=100, need=1)).points == 100


async def test_a_lease_is_restored_in_time(coalition_on_postgres: Coalition) -> None:
    """What was taken is there again after the time that it takes, and no sooner."""
    database, rate = coalition_on_postgres.database, Rate(100, 200)
    first = await lease(database, "one", rate, want=100, need=100)
    assert (first.points, first.full_in) == (100, SECOND // 2)
    assert (await lease(database, "one", rate, want=100, need=100)).points == 0
    await asyncio.sleep(0.55)
    assert (await lease(database, "one", rate, want=100, need=100)).points == 100


async def test_an_impossible_bucket_mends(coalition_on_postgres: Coalition) -> None:
    """A bucket that a clock running ahead has left is empty at most: it fills like any other."""
    database, rate = coalition_on_postgres.database, Rate(100, 1_000)
    await lease(database, "one", rate, want=1, need=1)
    await database.fetch("UPDATE buckets SET full_at = full_at + 3600000000 RETURNING name")
    assert (await lease(database, "one", rate, want=1, need=1)).points == 0
    await asyncio.sleep(0.15)
    assert (await lease(database, "one", rate, want=100, need=100)).points == 100


async def test_processes_never_overspend(postgres_url: str) -> None:
    """However many processes lean on one bucket at once, they get the maximum and what was
    restored, and no more."""
    rate = Rate(5_000, 1_000)
    databases = [await open_database(postgres_url, pool_size=4) for _ in range(3)]
    began = time.monotonic()

    async def lean(number: int) -> int:
        got = 0
        for turn in range(25):
            want = 50 + (number * 7 + turn * 13) % 150
            taken = await lease(databases[number % 3], "one", rate, want=want, need=want // 2)
            got += taken.points
        return got

    try:
        total = sum(await asyncio.gather(*(lean(number) for number in range(12))))
        elapsed = time.monotonic() - began
    finally:
        for database in databases:
            await database.close()
    assert 4_800 < total <= rate.maximum + rate.restore * elapsed


async def test_full_buckets_are_forgotten(coalition_on_postgres: Coalition) -> None:
    """A bucket that has long been full goes, one that was used of late stays."""
    database = coalition_on_postgres.database
    for name in ("old", "new"):
        await lease(database, name, Rate(10, 1), want=1, need=1)
    await database.fetch(
        "UPDATE buckets SET full_at = full_at - $1 WHERE name = 'old' RETURNING name",
        2 * FORGOTTEN_AFTER,
    )
    for _ in range(2_000):  # a hundredth of the table at a time, by chance
        if await forget_full_buckets(coalition_on_postgres):
            break
    assert [row["name"] for row in await database.fetch("SELECT name FROM buckets")] == ["new"]
