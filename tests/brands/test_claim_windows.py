"""The window for claims: calendar months, to the end of the last day where the program is."""

from datetime import UTC, date, datetime

import pytest

from brands.travel.claim_windows import closes_at, last_day


@pytest.mark.parametrize(
    ("travelled_on", "months", "last"),
    [
        ("2026-11-23", 0, "2026-11-23"),
        ("2026-11-23", 1, "2026-12-23"),
        ("2026-11-30", 1, "2026-12-30"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2028-02-29", 48, "2032-02-29"),
        ("2027-02-28", 12, "2028-02-28"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-03-31", 3, "2026-06-30"),
        ("2026-12-01", 12, "2027-12-01"),
        ("1896-02-29", 48, "1900-02-28"),
        ("1996-02-29", 48, "2000-02-29"),
    ],
)
def test_months_are_counted_as_people_count_them(travelled_on: str, months: int, last: str) -> None:
    """The day stays the same; where the month is too short for it, it is the month's last."""
    assert last_day(date.fromisoformat(travelled_on), months) == date.fromisoformat(last)


@pytest.mark.parametrize(
    ("zone", "closed_at"),
    [
        ("UTC", datetime(2027, 3, 1, tzinfo=UTC)),
        ("Europe/Lisbon", datetime(2027, 3, 1, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 3, 1, 5, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2027, 2, 28, 10, tzinfo=UTC)),
        ("Asia/Kolkata", datetime(2027, 2, 28, 18, 30, tzinfo=UTC)),
    ],
)
def test_the_last_day_is_the_programs(zone: str, closed_at: datetime) -> None:
    """It is a whole day, of the program's time zone."""
    assert closes_at(date(2026, 8, 31), 6, zone) == closed_at


def test_a_day_whose_midnight_is_skipped() -> None:
    """Where a day begins at one in the morning, the day before ends then."""
    assert closes_at(date(2018, 10, 3), 1, "America/Sao_Paulo") == datetime(
        2018, 11, 4, 3, tzinfo=UTC
    )
