"""Loading files of bookings, for tests: as the agency of the scene."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from brands.agencies import find_agency
from brands.callers import Caller
from brands.coalition import Coalition, open_coalition
from brands.travel.booking_pages import BookingWindow, bookings_of_agency
from brands.travel.bookings import Booking
from gateway.commands.keys import KEEPER
from gateway.files.agency_import import Import
from gateway.files.bookings_file import read_batch
from gateway.files.import_rows import Fate, Report
from tests.brands.booked import LAST_WEEK, Scene
from tests.brands.stage import OPERATOR

TODAY = date(2026, 11, 23)
HEADER = (
    "carrier,program,number,surname,given_name,record_locator,flight_carrier,flight,origin,date,"
    "class,ticket,operating_carrier,operating_flight\n"
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
    opened: Coalition,
    path: Path,
    text: str,
    told: Callable[[Sequence[Report]], None] = lambda _: None,
    **more: Any,
) -> list[Report]:
    """What becomes of the rows of a file of this text, as SKY."""
    file = path / "batch"
    file.write_text(text)
    found = await find_agency(opened, KEEPER, "SKY")
    assert found is not None
    reports: list[Report] = []

    def tell(some: Sequence[Report]) -> None:
        reports.extend(some)
        told(some)

    rows = read_batch(file, on=TODAY, note=lambda _: None)
    await Import(opened, found, **more).load(rows, tell)
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
        "class": "",
        "ticket": "",
        "operating_carrier": "",
        "operating_flight": "",
    } | more
    return ",".join(said.values()) + "\n"


def fates(reports: list[Report]) -> list[Fate]:
    """What became of each."""
    return [each.fate for each in reports]
