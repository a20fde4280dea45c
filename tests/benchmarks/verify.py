"""Verifying loyalty numbers: whether the three kinds of no-match can be told apart by the time they
take, and how many rows a second there are.

`python -m tests.benchmarks.verify` runs on SQLite and PostgreSQL, through the whole application.
The kinds are asked in a random order by one agency, whose delays are ended again and again. For
each pair of kinds the Mann-Whitney rank-sum test (with
the normal approximation, and corrected for ties) and the Kolmogorov-Smirnov test are printed. Of
three pairs and two tests on two databases one p-value in twenty is below 0.05 by chance.
"""

import argparse
import asyncio
import gc
import logging
import random
import statistics
import tempfile
import time
from bisect import bisect_right
from collections.abc import Sequence
from itertools import combinations, count
from math import erfc, exp, sqrt
from pathlib import Path
from typing import NamedTuple

import structlog

from brands.agencies import find_agency
from brands.buckets import Rate
from brands.callers import Caller, CallerKind
from brands.coalition import found
from brands.database import migrate
from brands.enrolment import Enrolled, Enrolment, enroll_many
from brands.members import Profile
from brands.memberships import close_membership
from tests.gateway.stage import OPERATOR, Json, Stage, open_stage
from tests.postgres import running_server

VERIFY = """mutation V($rows: [LoyaltyNumberRowInput!]!) {
    loyaltyNumbersVerify(input: {rows: $rows}) { results { status } errors { code } }
}"""
KINDS = ("unknown number", "wrong name", "closed membership")
AT_ONCE = 2_000


class Town(NamedTuple):
    """Numbers of members who are open and of those who are closed; all are called alike."""

    opened: list[str]
    closed: list[str]


def rank_sum(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Mann-Whitney: z, and the probability of one as far from 0 if both are of one kind."""
    tagged = sorted([(value, True) for value in a] + [(value, False) for value in b])
    ranks, ties, start = 0.0, 0, 0
    while start < len(tagged):
        stop = start
        while stop < len(tagged) and tagged[stop][0] == tagged[start][0]:
            stop += 1
        ranks += sum(first for _, first in tagged[start:stop]) * (start + stop + 1) / 2
        ties += (stop - start) ** 3 - (stop - start)
        start = stop
    m, n, total = len(a), len(b), len(tagged)
    mean = m * (total + 1) / 2
    variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)))
    z = (ranks - mean) / sqrt(variance)
    return z, erfc(abs(z) / sqrt(2))


def farthest_apart(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Kolmogorov-Smirnov: the greatest distance of the two distributions, and the probability of
    one as great."""
    a, b = sorted(a), sorted(b)
    distance = max(
        abs(bisect_right(a, value) / len(a) - bisect_right(b, value) / len(b)) for value in a + b
    )
    scaled = distance * sqrt(len(a) * len(b) / (len(a) + len(b)))
    if scaled < 0.2:
        return distance, 1.0
    terms = (2 * (-1) ** (k - 1) * exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return distance, min(max(sum(terms), 0.0), 1.0)


async def settle(stage: Stage, members: int, closed: int) -> Town:
    """Fills AERO with members, of whom so many are closed."""
    profile = Profile("Ada", "Lovelace", None)
    people: list[Enrolled] = []
    for start in range(0, members, AT_ONCE):
        asked = [
            Enrolment(None, profile, (("AERO", None),), f"settle-{n}")
            for n in range(start, min(start + AT_ONCE, members))
        ]
        made = await enroll_many(stage.coalition, OPERATOR, asked)
        people += [each for each in made if isinstance(each, Enrolled)]
    random.Random(1).shuffle(people)
    for each in people[:closed]:
        await close_membership(stage.coalition, OPERATOR, each.memberships[0].id)
    numbers = [each.memberships[0].number for each in people]
    return Town(numbers[closed:], numbers[:closed])


_names = count()


def row(kind: str, town: Town, place: int) -> Json:
    """What does not match, for this reason, and was never asked before."""
    given = {"brand": "AERO", "surname": "Lovelace", "givenName": "Ada"}
    if kind == "wrong name":
        return given | {"number": town.opened[place], "surname": f"Loveless{_letters()}"}
    if kind == "closed membership":
        return given | {"number": town.closed[place]}
    return given | {"number": _unknown(town.opened[-1 - place])}


def _unknown(number: str) -> str:
    """The next good number after one; nobody's, as a rule."""
    digits = f"{int(number[4:-1]) + 1:0{len(number) - 5}d}"
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return f"AERO{digits}{-total % 10}"


def _letters() -> str:
    return "".join("abcdefghij"[int(digit)] for digit in str(next(_names)))


async def send(stage: Stage, rows: list[Json]) -> tuple[float, list[str]]:
    """How many microseconds the answer took, and the statuses."""
    began = time.perf_counter_ns()
    response = await stage.post({"query": VERIFY, "variables": {"rows": rows}}, "agency")
    took = (time.perf_counter_ns() - began) / 1_000
    payload = response.json()["data"]["loyaltyNumbersVerify"]
    assert payload["errors"] == [], payload
    return took, [each["status"] for each in payload["results"]]


async def forget(stage: Stage) -> None:
    """Ends the agency's delays, so that all that it sends is answered."""
    agency = await find_agency(stage.coalition, OPERATOR, "SKYTRIP")
    assert agency is not None
    caller = Caller(CallerKind.AGENCY, "", agency_id=agency.id)
    await stage.coalition.database.fetch(
        "UPDATE lookup_meters SET empty_at = 1, shut_until = 1, version = version + 1"
        " WHERE key = $1",
        stage.coalition.guard.asker_key(caller),
    )


async def compare(stage: Stage, town: Town, samples: int) -> None:
    """Prints the times of the three kinds, and whether they differ."""
    order = [(kind, place) for kind in KINDS for place in range(samples)]
    random.Random(2).shuffle(order)
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for n, (kind, place) in enumerate(order):
        if n % 15 == 0:
            await forget(stage)
        took, statuses = await send(stage, [row(kind, town, place)])
        assert statuses == ["NO_MATCH"], (kind, statuses)
        times[kind].append(took)
    for kind, taken in times.items():
        cuts = statistics.quantiles(taken, n=100)
        print(
            f"  {kind:20} p10 {cuts[9]:8,.0f}  p50 {cuts[49]:8,.0f}  p90 {cuts[89]:8,.0f}"
            f"  mean {statistics.fmean(taken):8,.0f} µs"
        )
    for one, other in combinations(KINDS, 2):
        z, p = rank_sum(times[one], times[other])
        distance, q = farthest_apart(times[one], times[other])
        print(
            f"  {one} / {other}: rank-sum z {z:+.2f}, p {p:.3f};"
            f" Kolmogorov-Smirnov D {distance:.4f}, p {q:.3f}"
        )


async def hurry(stage: Stage, town: Town, size: int, seconds: float, callers: int) -> None:
    """Prints how many rows a second are verified in batches of a size, of which one row in ten
    does not match, and none was asked before."""
    for table in ("lookup_meters", "lookups_seen"):
        await stage.coalition.database.fetch(f"DELETE FROM {table}")
    done, end = 0, time.perf_counter() + seconds
    places = iter(range(len(town.opened) // size))

    async def call() -> None:
        nonlocal done
        for place in places:
            await send(stage, [_good(town, place * size + n) for n in range(size)])
            done += size
            if time.perf_counter() > end:
                return

    began = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    rate = done / (time.perf_counter() - began)
    print(f"  batches of {size:3}, {callers:2} callers: {rate:10,.0f} rows a second")


def _good(town: Town, place: int) -> Json:
    surname = f"Loveless{_letters()}" if place % 10 == 9 else "Lovelace"
    number = town.opened[place]
    return {"brand": "AERO", "number": number, "surname": surname, "givenName": "A"}


async def run(url: str, given: argparse.Namespace) -> None:
    """Both measurements on one database."""
    await migrate(url)
    await found(url, name="Benchmark")
    plenty = Rate(10**9, 10**9)
    async with open_stage(url, rate_agency=plenty) as stage:
        town = await settle(stage, given.members, given.samples)
        gc.collect()
        gc.freeze()
        for size in (1, 100):
            for callers in (1, 8):
                await hurry(stage, town, size, given.seconds, callers)
        await compare(stage, town, given.samples)


def main() -> None:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=3_000)
    parser.add_argument("--members", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as directory:
        print("SQLite")
        asyncio.run(run(f"sqlite:///{Path(directory) / 'verify.db'}", given))
    with running_server(fsync=True) as server:
        print("PostgreSQL")
        asyncio.run(run(server.databases.fresh_database(), given))


if __name__ == "__main__":
    main()
