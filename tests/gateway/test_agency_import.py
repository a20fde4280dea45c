"""`coalition agency`: what becomes of each row of a file, and the report."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from brands.agencies import AgencyStatus, find_agency, set_status
from brands.callers import Caller
from brands.coalition import Coalition, open_coalition
from brands.rejections import BookingChanged
from brands.travel.attaching import attach
from brands.travel.booking_pages import BookingWindow, bookings_of_agency
from brands.travel.bookings import Booking
from brands.verification import RowStatus
from gateway.commands.keys import KEEPER
from gateway.files import agency_import
from gateway.files.agency_import import Fate, Import, Report, TooManyMisses
from gateway.files.bookings_file import read_batch
from gateway.settings import read_settings
from tests.brands.booked import LAST_WEEK, Scene, scene
from tests.brands.stage import OPERATOR, everything
from tests.gateway.test_cli import Command, coalition, failed

__all__ = ["coalition"]

TODAY = date(2026, 11, 23)
HEADER = (
    "carrier,program,number,surname,given_name,record_locator,flight_carrier,flight,origin,date\n"
)


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Coalition]:
    """A coalition, on each database in turn."""
    made = await open_coalition(url)
    try:
        yield made
    finally:
        await made.close()


async def load(
    opened: Coalition, path: Path, text: str, *, verify_only: bool = False, **more: Any
) -> list[Report]:
    """What becomes of the rows of a file of this text, as SKY."""
    file = path / "batch"
    file.write_text(text)
    found = await find_agency(opened, KEEPER, "SKY")
    assert found is not None
    reports: list[Report] = []
    work = Import(opened, found, verify_only=verify_only, **more)
    await work.load(read_batch(file, on=TODAY), reports.append)
    return reports


async def bookings(opened: Coalition, who: Caller) -> tuple[Booking, ...]:
    """An agency's bookings."""
    assert who.agency_id is not None
    page = await bookings_of_agency(opened, OPERATOR, who.agency_id, BookingWindow(100))
    return page.bookings


def row(it: Scene, locator: str = "AB12CD", flight: int | str = 117, **more: str) -> str:
    """A line of CSV: Ada's."""
    said = {
        "carrier": "AE",
        "program": "",
        "number": it.ada.named["AERO"].number,
        "surname": "LOVELACE",
        "given_name": "BEA MS",
        "record_locator": locator,
        "flight_carrier": "AE",
        "flight": str(flight),
        "origin": "LIS",
        "date": LAST_WEEK.isoformat(),
    } | more
    return ",".join(said.values()) + "\n"


def fates(reports: list[Report]) -> list[Fate]:
    """What became of each."""
    return [each.fate for each in reports]


async def test_rows_are_verified_and_attached(opened: Coalition, tmp_path: Path) -> None:
    """What matches is attached; lines of one booking become one; the rest is told by line."""
    it = await scene(opened)
    text = HEADER + "".join(
        (
            row(it),
            row(it, flight=118),
            row(it, surname="BYRON"),
            row(it, carrier="", program="hotel", number=it.ada.named["HOTEL"].number),
            row(it, carrier="ZZ"),
            row(it, date="tomorrow"),
            row(it, origin=""),
            row(it, locator=""),
        )
    )
    reports = await load(opened, tmp_path, text)
    assert [each.line for each in reports] == list(range(2, 10))
    assert [(each.status, each.fate, each.why) for each in reports] == [
        (RowStatus.MATCH, Fate.ATTACHED, ""),
        (RowStatus.MATCH, Fate.ATTACHED, ""),
        (RowStatus.NO_MATCH, Fate.NOT_ATTACHED, ""),
        (RowStatus.MATCH, Fate.ATTACHED, ""),
        (None, Fate.BAD, "no brand of the coalition is called ZZ"),
        (None, Fate.BAD, '"tomorrow" is not a date like 2026-12-31'),
        (RowStatus.MATCH, Fate.BAD, "the flight has no origin"),
        (RowStatus.MATCH, Fate.VERIFIED, "no booking to attach it to"),
    ]
    number = it.ada.named["AERO"].number
    assert reports[0].understood == f"AE {number} LOVELACE/BEA MS AB12CD AE117 {LAST_WEEK} LIS"
    (booking,) = await bookings(opened, it.sky)
    assert [each.facts.identity.split("/")[2] for each in booking.segments] == ["117", "118"]
    assert all(each.is_linked for each in booking.segments)


async def test_loading_twice_changes_nothing(opened: Coalition, tmp_path: Path) -> None:
    """A file that is loaded again says so of each row, and the books are as they were."""
    it = await scene(opened)
    text = HEADER + row(it) + row(it, flight=118) + row(it, flight=118)
    first = await load(opened, tmp_path, text)
    assert fates(first) == [Fate.ATTACHED, Fate.ATTACHED, Fate.ALREADY_THERE]
    before = await everything(opened), await bookings(opened, it.sky)
    assert fates(await load(opened, tmp_path, text)) == [Fate.ALREADY_THERE] * 3
    assert (await everything(opened), await bookings(opened, it.sky)) == before


async def test_an_import_that_was_cut_off(opened: Coalition, tmp_path: Path) -> None:
    """Started again, it attaches what is missing."""
    it = await scene(opened)
    rows = [row(it, f"LOC{n}", n) for n in range(1, 6)]
    await load(opened, tmp_path, HEADER + "".join(rows[:3]))
    again = await load(opened, tmp_path, HEADER + "".join(rows))
    assert fates(again) == [Fate.ALREADY_THERE] * 3 + [Fate.ATTACHED] * 2


async def test_verifying_only(opened: Coalition, tmp_path: Path) -> None:
    """Nothing is attached where only verifying was asked for."""
    it = await scene(opened)
    text = HEADER + row(it) + row(it, surname="BYRON")
    reports = await load(opened, tmp_path, text, verify_only=True)
    assert fates(reports) == [Fate.VERIFIED, Fate.NOT_ATTACHED]
    assert await bookings(opened, it.sky) == ()


async def test_many_batches(opened: Coalition, tmp_path: Path) -> None:
    """A file of more than a hundred rows is told in its order."""
    it = await scene(opened)
    text = HEADER + "".join(row(it, f"LOC{n}", n) for n in range(1, 251))
    reports = await load(opened, tmp_path, text)
    assert [each.line for each in reports] == list(range(2, 252))
    assert set(fates(reports)) == {Fate.ATTACHED}


async def test_stays_and_remarks(opened: Coalition, tmp_path: Path) -> None:
    """A stay is attached like a flight; a remark names no booking, and is verified."""
    it = await scene(opened)
    number = it.ada.named["HOTEL"].number
    text = (
        "program,number,surname,record_locator,property,chain,check_in,check_out\n"
        f"HOTEL,{number},Lovelace,AB12CD,Lisbon 1,HOTEL,{LAST_WEEK},{LAST_WEEK.replace(day=28)}\n"
    )
    assert fates(await load(opened, tmp_path, text)) == [Fate.ATTACHED]
    remark = f"SSR FQTV AE HK1 AE{it.ada.named['AERO'].number}/GOLD-1LOVELACE/BEA MS\n"
    assert fates(await load(opened, tmp_path, remark)) == [Fate.VERIFIED]


async def test_somebody_else_changes_the_booking(
    opened: Coalition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that met another request is tried again under another key, and found again by it."""
    it = await scene(opened)
    asked: list[str] = []

    async def meeting(coalition: Coalition, caller: Caller, given: Any) -> Any:
        asked.append(given.idempotency_key)
        if given.idempotency_key.endswith("/1"):
            raise BookingChanged
        return await attach(coalition, caller, given)

    monkeypatch.setattr(agency_import, "attach", meeting)
    assert fates(await load(opened, tmp_path, HEADER + row(it))) == [Fate.ATTACHED]
    assert fates(await load(opened, tmp_path, HEADER + row(it))) == [Fate.ALREADY_THERE]
    assert [each[-2:] for each in asked] == ["/1", "/2"] * 2


async def test_too_many_misses(opened: Coalition, tmp_path: Path) -> None:
    """Where too much does not match, an import waits as long as it is told to, asks for less, and
    gives up when it would take long."""
    it = await scene(opened)
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    wrong = "".join(row(it, number=f"{n:08}", surname=f"B{n}") for n in range(40))
    with pytest.raises(TooManyMisses):
        await load(opened, tmp_path, HEADER + wrong, sleep=sleep)
    assert 0 < sum(waited) <= agency_import.PATIENCE


async def test_a_number_that_is_not_answered_for(opened: Coalition, tmp_path: Path) -> None:
    """Where many names were tried with one number, its row is refused, and the others go on."""
    it = await scene(opened)
    await load(opened, tmp_path, HEADER + row(it, flight=1))  # a match pays for a part of a miss
    for attempt in "abcdefg":
        await load(opened, tmp_path, HEADER + row(it, number="12345678", surname=f"B{attempt}"))
    hotel = it.ada.named["HOTEL"].number
    text = HEADER + row(it, number="12345678") + row(it, carrier="", program="HOTEL", number=hotel)
    assert fates(await load(opened, tmp_path, text)) == [Fate.REFUSED, Fate.ATTACHED]


# The command.


@pytest.fixture
def founded(coalition: Command) -> tuple[Command, Scene]:
    """The command, and the scene of bookings."""
    assert coalition("migrate").exit_code == 0

    async def make() -> Scene:
        made = await open_coalition(read_settings().database)
        try:
            return await scene(made)
        finally:
            await made.close()

    return coalition, asyncio.run(make())


def test_the_command(founded: tuple[Command, Scene]) -> None:
    """It prints a line for each row and sums up; its status is 1 if anything is wrong."""
    command, it = founded
    Path("good.csv").write_text(HEADER + row(it))
    Path("bad.csv").write_text(HEADER + row(it) + row(it, surname=""))
    number = it.ada.named["AERO"].number
    done = command("agency", "import", "good.csv", "--agency", "SKY")
    said = f"2\tAE {number} LOVELACE/BEA MS AB12CD AE117 {LAST_WEEK} LIS\tMATCH\tattached\t\n"
    assert (done.exit_code, done.stdout) == (0, said)
    assert "1 rows: 1 attached." in done.stderr
    done = command("agency", "import", "bad.csv", "--agency", "SKY", "--csv")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "line,row,number,result,why",
        said.strip().replace("attached", "already there").replace("\t", ",") + ",",
        "3,,,bad,there is no surname",
    ]
    done = command("agency", "import", "good.csv", "--agency", "SKY", "--verify-only")
    assert (done.exit_code, done.stdout.split("\t")[3]) == (0, "verified")


def test_what_stops_the_command(founded: tuple[Command, Scene]) -> None:
    """An agency that there is not or that is suspended, and a file that cannot be read, are told
    in one line."""
    command, it = founded
    Path("good.csv").write_text(HEADER + row(it))
    Path("odd.xml").write_text("<a><b></a>")
    failed(command("agency", "import", "good.csv", "--agency", "NOWHERE"), "NOWHERE")
    failed(command("agency", "import", "none.csv", "--agency", "SKY"), "none.csv")
    failed(command("agency", "import", "odd.xml", "--agency", "SKY"), "nothing was loaded")

    async def suspend() -> None:
        made = await open_coalition(read_settings().database)
        try:
            await set_status(made, OPERATOR, "SKY", AgencyStatus.SUSPENDED)
        finally:
            await made.close()

    asyncio.run(suspend())
    failed(command("agency", "import", "good.csv", "--agency", "SKY"), "suspended")


def test_the_report(founded: tuple[Command, Scene]) -> None:
    """It has a line for flights, stays and claims of each brand, with what became of them."""
    command, it = founded
    Path("good.csv").write_text(HEADER + row(it) + row(it, flight=118))
    assert command("agency", "import", "good.csv", "--agency", "SKY").exit_code == 0
    period = ("--from", LAST_WEEK.isoformat(), "--to", LAST_WEEK.isoformat())
    done = command("agency", "report", "--agency", "SKY", *period, "--csv")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[:3] == ["brand,of,became,count", "AERO,flights,all,2", "AERO,flights,pending,2"]
    assert "AERO,flights,credited,0" in lines
    assert len(lines) == 1 + 2 * (1 + 6) + 1 + 5
    done = command("agency", "report", "--agency", "SKY", *period)
    assert done.stdout == "AERO\tflights\tall\t2\nAERO\tflights\tpending\t2\n"
    failed(command("agency", "report", "--agency", "NOWHERE", *period), "NOWHERE")
