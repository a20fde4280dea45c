"""Lists and sums over bookings and claims of agencies, where there are many of them.

`python -m tests.benchmarks.travel` fills a coalition on SQLite and on PostgreSQL with so many
bookings and so many claims, written past the services, and prints how many milliseconds and
statements each question takes: the median of a few times. `--explain` prints the plans as well.
"""

import argparse
import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from brands.callers import Caller
from brands.clock import now, now_micros
from brands.coalition import Coalition, found, open_coalition
from brands.database import migrate
from brands.ids import book_of, new_id
from brands.itineraries import facts_to_text
from brands.travel.agency_reports import report_of
from brands.travel.booking_pages import (
    BookingWindow,
    bookings_of_agency,
    bookings_of_brand,
    bookings_of_membership,
)
from brands.travel.claim_lists import ClaimsOf, duplicates_of, page_of_claims
from brands.travel.claiming import claim
from brands.travel.claims import ClaimStatus
from brands.travel.pending import pending_points
from tests.brands.booked import Scene, agency, flight, scene
from tests.brands.claimed import PASS, new_claim
from tests.brands.watched import watched
from tests.postgres import running_server

DAYS = 730
"""What was travelled lies on so many days, that of today the last."""

OF_ONE_NUMBER = 300
OF_ADA = 500
"""So many claims are for one number; so many flights are booked for one member."""

AT_ONCE = 20_000
PAGE = 100

Rows = Mapping[str, list[tuple[Any, ...]]]

COLUMNS = {
    "bookings": "book id agency_id record_locator name created_at",
    "booking_passengers": "book booking_id surname given_name",
    "booking_brands": "book booking_id brand_id created_at",
    "booking_segments": "book id booking_id identity created_at",
    "booking_steps": "book segment_id step booking_id status brand_id number membership_id"
    " supplier_id facts travelled_on client recorded_at reason",
    "booking_links": "book membership_id home booking_id segment_id step created_at",
    "credit_claims": "book id agency_id member_id brand_id number membership_id supplier_id facts"
    " created_at",
    "credit_claim_travellers": "book claim_id surname given_name",
    "credit_claim_evidence": "book claim_id place kind words",
    "credit_claim_steps": "book claim_id step status client recorded_at reason",
}
"""What is written of each table."""


class Town(NamedTuple):
    """The coalition, and who is in it."""

    coalition: Coalition
    it: Scene
    agencies: Sequence[UUID]

    @property
    def small(self) -> Caller:
        """An agency with a hundredth of all business."""
        return self.it.sea


def bookings(town: Town, books: int, number: int) -> Iterator[Rows]:
    """So many bookings of one flight, those of SKY many and those of SEA few; two in three are
    settled."""
    chance, at, today = random.Random(1), now_micros(), now().date()
    aero, ada = town.it.brands["AERO"].id, town.it.ada.at["AERO"]
    for start in range(0, number, AT_ONCE):
        rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COLUMNS}
        for place in range(start, min(start + AT_ONCE, number)):
            book = place % books
            id, segment = new_id(book), new_id(book)
            whose = town.agencies[place % len(town.agencies)]
            hers = ada if place < OF_ADA else None
            day = today - timedelta(days=0 if hers else chance.randrange(DAYS))
            facts = flight(1 + place % 9_000, departs_on=day)
            rows["bookings"].append((book, id, whose, f"L{place}", f"n{place}", at + place))
            rows["booking_passengers"].append((book, id, "LOVELACE", "BEA"))
            rows["booking_brands"].append((book, id, aero, at + place))
            rows["booking_segments"].append((book, segment, id, facts.identity, at + place))
            told = (id, aero, f"N{place}", hers, aero, facts_to_text(facts), day.isoformat())
            for step, status in enumerate(("PENDING", "INELIGIBLE")[: 1 + (place % 3 > 0)]):
                reason = None if step == 0 else "Not this one."
                row = (book, segment, step, told[0], status, *told[1:], "benchmark", at, reason)
                rows["booking_steps"].append(row)
            if hers is not None:
                link = (book_of(ada), ada, book, id, segment, 0, at + place)
                rows["booking_links"].append(link)
        yield rows


def claims(town: Town, books: int, number: int) -> Iterator[Rows]:
    """So many claims, all but the first twenty rejected; some of them for one number."""
    chance, at, today = random.Random(2), now_micros(), now().date()
    aero, one = town.it.brands["AERO"].id, town.it.ada.named["AERO"].number
    for start in range(0, number, AT_ONCE):
        rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COLUMNS}
        for place in range(start, min(start + AT_ONCE, number)):
            book = place % books
            id, whose = new_id(book), town.agencies[place % len(town.agencies)]
            is_of_one = place >= number - OF_ONE_NUMBER
            flown = place % (25 if is_of_one else 9_000)
            facts = flight(1 + flown, departs_on=today - timedelta(days=flown % 60))
            named = (whose, None, aero, one if is_of_one else f"N{place}", None, aero)
            made = at - chance.randrange(DAYS * 86_400) * 1_000_000
            rows["credit_claims"].append((book, id, *named, facts_to_text(facts), made))
            rows["credit_claim_travellers"].append((book, id, "LOVELACE", f"BEA {place}"))
            rows["credit_claim_evidence"].append((book, id, 0, PASS.kind.value, PASS.value))
            rows["credit_claim_steps"].append((book, id, 0, "OPEN", "benchmark", at, None))
            if place >= 20:
                step = (book, id, 1, "REJECTED", "benchmark", at, "Not on the list.")
                rows["credit_claim_steps"].append(step)
        yield rows


async def written(coalition: Coalition, url: str, batches: Iterator[Rows]) -> None:
    """Writes rows past the services."""
    path = coalition.database.target.sqlite_path
    if path is not None:
        with sqlite3.connect(path) as connection:
            for rows in batches:
                for table, values in rows.items():
                    names = COLUMNS[table].split()
                    connection.executemany(
                        f"INSERT INTO {table} ({', '.join(names)})"
                        f" VALUES ({', '.join('?' * len(names))})",
                        [[str(v) if isinstance(v, UUID) else v for v in row] for row in values],
                    )
                connection.commit()
        connection.close()
        return
    to = await asyncpg.connect(url)
    for rows in batches:
        for table, values in rows.items():
            names = COLUMNS[table].split()
            await to.copy_records_to_table(table, records=values, columns=names)
    await to.execute("ANALYZE")
    await to.close()


async def filled(url: str, given: argparse.Namespace) -> Town:
    """A coalition with so many bookings and claims."""
    await migrate(url)
    books = 1 if url.startswith("sqlite") else 4
    await found(url, name="Benchmark", books=books)
    coalition = await open_coalition(url)
    it = await scene(coalition)
    others = [(await agency(coalition, f"AG{n}")).agency_id for n in range(8)]
    many = [it.sky.agency_id] * 91
    agencies = [id for id in (*many, *others, it.sea.agency_id) if id is not None]
    town = Town(coalition, it, agencies)
    await written(coalition, url, bookings(town, books, given.bookings))
    await written(coalition, url, claims(town, books, given.claims))
    return town


Question = Callable[[], Awaitable[object]]


async def questions(town: Town) -> Sequence[tuple[str, Question]]:
    """What is asked, and how it is called."""
    coalition, it, today = town.coalition, town.it, now().date()
    aero, ada = it.brands["AERO"].id, it.ada.at["AERO"]
    brand, window = it.brand("AERO"), BookingWindow(PAGE)
    sky, sea = ClaimsOf(agency_id=it.sky.agency_id), ClaimsOf(agency_id=town.small.agency_id)
    concerned = ClaimsOf(brand_id=aero)

    def report(who: Caller, days: int) -> Question:
        first = today - timedelta(days=days - 1)
        return lambda: report_of(coalition, who, None, first, today)

    def listed(who: Caller, whose: ClaimsOf, **more: Any) -> Question:
        return lambda: page_of_claims(coalition, who, whose, PAGE, **more)

    page = await page_of_claims(coalition, brand, concerned, PAGE)
    middle = page[-1].id
    return [
        *(
            (f"report of {days} days, {name} agency", report(who, days))
            for name, who in (("large", it.sky), ("small", town.small))
            for days in (1, 30, 366)
        ),
        ("claims of a brand", listed(brand, concerned)),
        ("claims of a brand, behind a page", listed(brand, concerned, after=middle)),
        *(
            (f"claims of a brand, {status.value}", listed(brand, concerned, status=status))
            for status in ClaimStatus
        ),
        *(
            (f"claims of a {name} agency{', OPEN' * (status is not None)}", asked)
            for name, who, whose in (("large", it.sky, sky), ("small", town.small, sea))
            for status in (None, ClaimStatus.OPEN)
            for asked in (listed(who, whose, status=status),)
        ),
        ("duplicates of a page", lambda: duplicates_of(coalition, brand, [c.id for c in page])),
        (
            "bookings of a large agency",
            lambda: bookings_of_agency(coalition, it.sky, _id(it.sky), window),
        ),
        (
            "bookings of a small agency",
            lambda: bookings_of_agency(coalition, it.sea, _id(it.sea), window),
        ),
        ("bookings of a brand", lambda: bookings_of_brand(coalition, brand, aero, window)),
        (
            "bookings of a member",
            lambda: bookings_of_membership(coalition, it.ada.caller, ada, window),
        ),
        ("pending points of a member", lambda: pending_points(coalition, it.ada.caller, [ada])),
        ("a claim for a number that has many", lambda: _again(coalition, it)),
    ]


def _id(caller: Caller) -> UUID:
    assert caller.agency_id is not None
    return caller.agency_id


async def _again(coalition: Coalition, it: Scene) -> None:
    facts = flight(next(_numbers), departs_on=now().date() - timedelta(days=1))
    await claim(coalition, it.sky, new_claim(it, facts, number=it.ada.named["AERO"].number))


_numbers = iter(range(9_001, 10_000))


async def run(url: str, given: argparse.Namespace) -> None:
    """All questions on one database."""
    began = time.perf_counter()
    town = await filled(url, given)
    print(f"  filled in {time.perf_counter() - began:,.0f} s")
    try:
        for name, asked in await questions(town):
            if given.only in name:
                await ask(town.coalition, name, asked, given)
    finally:
        await town.coalition.close()


async def ask(coalition: Coalition, name: str, asked: Question, given: argparse.Namespace) -> None:
    """Prints what a question takes."""
    with watched() as sent:
        await asked()
    times: list[float] = []
    end = time.perf_counter() + given.seconds
    while len(times) < given.times and (not times or time.perf_counter() < end):
        began = time.perf_counter()
        await asked()
        times.append(1_000 * (time.perf_counter() - began))
    print(f"  {name:40} {statistics.median(times):10,.1f} ms {len(sent):5} statements", flush=True)
    if given.explain:
        for statement in sent:
            print("\n".join(f"      {line}" for line in await statement.plan(coalition.database)))


def main() -> None:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bookings", type=int, default=100_000)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--explain", action="store_true")
    parser.add_argument("--only", default="", help="ask what has this in its name")
    parser.add_argument("--database", choices=("sqlite", "postgresql"))
    given = parser.parse_args()
    if given.database != "postgresql":
        with tempfile.TemporaryDirectory() as directory:
            print("SQLite")
            asyncio.run(run(f"sqlite:///{Path(directory) / 'travel.db'}", given))
    if given.database != "sqlite":
        with running_server(fsync=True) as server:
            print("PostgreSQL")
            asyncio.run(run(server.databases.fresh_database(), given))


if __name__ == "__main__":
    main()
