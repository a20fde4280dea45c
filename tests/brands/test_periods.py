"""Calendar periods: exact at local midnight, and one after another without gap or overlap."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from brands.clock import from_micros, to_micros
from brands.moving.periods import Span, period_of
from brands.rules import Period

MOMENT = timedelta(microseconds=1)

MONTHS = [
    # a zone, a month, the instants of its midnights
    ("UTC", "2026-11", "2026-11-01T00:00", "2026-12-01T00:00"),
    ("Europe/Paris", "2026-03", "2026-02-28T23:00", "2026-03-31T22:00"),
    ("Europe/Paris", "2026-10", "2026-09-30T22:00", "2026-10-31T23:00"),
    ("Europe/London", "2024-03", "2024-03-01T00:00", "2024-03-31T23:00"),
    ("America/New_York", "2026-03", "2026-03-01T05:00", "2026-04-01T04:00"),
    ("America/New_York", "2026-11", "2026-11-01T04:00", "2026-12-01T05:00"),
    ("Asia/Kolkata", "2026-05", "2026-04-30T18:30", "2026-05-31T18:30"),
    ("Asia/Kathmandu", "2026-05", "2026-04-30T18:15", "2026-05-31T18:15"),
    ("Australia/Lord_Howe", "2026-04", "2026-03-31T13:00", "2026-04-30T13:30"),
    # February, of leap years and others
    ("Asia/Tokyo", "2024-02", "2024-01-31T15:00", "2024-02-29T15:00"),
    ("Asia/Tokyo", "2026-02", "2026-01-31T15:00", "2026-02-28T15:00"),
    ("UTC", "2000-02", "2000-02-01T00:00", "2000-03-01T00:00"),
    ("UTC", "2100-02", "2100-02-01T00:00", "2100-03-01T00:00"),
    # the clock goes forward at midnight, some day of the month: in Cairo, Havana and Beirut
    ("Africa/Cairo", "2023-04", "2023-03-31T22:00", "2023-04-30T21:00"),
    ("Africa/Cairo", "2026-10", "2026-09-30T21:00", "2026-10-31T22:00"),
    ("America/Havana", "2026-03", "2026-03-01T05:00", "2026-04-01T04:00"),
    ("Asia/Beirut", "2024-03", "2024-02-29T22:00", "2024-03-31T21:00"),
    # the very first midnight of the month is skipped: it begins at 01:00
    ("America/Havana", "2012-04", "2012-04-01T05:00", "2012-05-01T04:00"),
    ("Asia/Amman", "2011-04", "2011-03-31T22:00", "2011-04-30T21:00"),
    ("Asia/Damascus", "2011-04", "2011-03-31T22:00", "2011-04-30T21:00"),
    # the first midnight comes twice: the month begins with the first of the two
    ("America/Havana", "2015-11", "2015-11-01T04:00", "2015-12-01T05:00"),
    # a minute past midnight the clock goes back into October, and November goes on
    ("America/St_Johns", "2009-11", "2009-11-01T02:30", "2009-12-01T03:30"),
    # a day is missing: Samoa went from the 29th to the 31st
    ("Pacific/Apia", "2011-12", "2011-12-01T10:00", "2011-12-31T10:00"),
    ("Pacific/Apia", "2012-01", "2011-12-31T10:00", "2012-01-31T10:00"),
    # and the last of the year: Kiribati went from the 30th to the 1st
    ("Pacific/Kiritimati", "1994-12", "1994-12-01T10:00", "1994-12-31T10:00"),
]


def instant(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("time_zone", "name", "begins", "ends"), MONTHS)
def test_a_month_turns_at_local_midnight(time_zone: str, name: str, begins: str, ends: str) -> None:
    """A month holds its first instant and its last, and neither neighbour."""
    span = Span(name, instant(begins), instant(ends))
    assert period_of(Period.MONTH, span.begins, time_zone) == span
    assert period_of(Period.MONTH, span.ends - MOMENT, time_zone) == span
    assert period_of(Period.MONTH, span.begins - MOMENT, time_zone).ends == span.begins
    assert period_of(Period.MONTH, span.ends, time_zone).begins == span.ends


@pytest.mark.parametrize(
    ("time_zone", "name", "begins", "ends"),
    [
        ("UTC", "2024", "2024-01-01T00:00", "2025-01-01T00:00"),
        ("America/New_York", "2026", "2026-01-01T05:00", "2027-01-01T05:00"),
        ("Australia/Sydney", "2026", "2025-12-31T13:00", "2026-12-31T13:00"),
        ("Pacific/Apia", "2011", "2011-01-01T10:00", "2011-12-31T10:00"),
        ("Pacific/Apia", "2012", "2011-12-31T10:00", "2012-12-31T10:00"),
        ("Pacific/Kiritimati", "1995", "1994-12-31T10:00", "1995-12-31T10:00"),
    ],
)
def test_a_year_turns_at_local_midnight(time_zone: str, name: str, begins: str, ends: str) -> None:
    """A year holds its first instant and its last, and neither neighbour."""
    span = Span(name, instant(begins), instant(ends))
    assert period_of(Period.YEAR, span.begins, time_zone) == span
    assert period_of(Period.YEAR, span.ends - MOMENT, time_zone) == span
    assert period_of(Period.YEAR, span.begins - MOMENT, time_zone).ends == span.begins
    assert period_of(Period.YEAR, span.ends, time_zone).begins == span.ends


def test_an_instant_may_be_of_any_offset() -> None:
    """The period is that of the instant, however the instant is written."""
    at = instant("2026-10-31T23:30").astimezone(ZoneInfo("Asia/Tokyo"))
    assert period_of(Period.MONTH, at, "Europe/Paris").name == "2026-11"
    assert period_of(Period.MONTH, at, "UTC").name == "2026-10"


instants = st.integers(
    to_micros(instant("1900-01-01T00:00")), to_micros(instant("2100-01-01T00:00"))
).map(from_micros) | st.builds(
    lambda year, month, minutes: datetime(year, month, 1, tzinfo=UTC) + timedelta(minutes=minutes),
    st.integers(1900, 2099),
    st.integers(1, 12),
    st.integers(-1_000, 1_000),
)
"""Instants of two centuries, half of them near the turn of a month."""

zones = st.sampled_from(sorted(available_timezones()))


@given(instants, zones, st.sampled_from(Period))
@example(instant("2009-11-01T02:31"), "America/St_Johns", Period.MONTH)
@example(instant("2009-11-01T02:29"), "America/St_Johns", Period.MONTH)
@example(instant("2012-04-01T05:00"), "America/Havana", Period.MONTH)
def test_periods_tile_time(at: datetime, time_zone: str, period: Period) -> None:
    """Every instant is in one period, which ends where the next begins and has its own name."""
    span = period_of(period, at, time_zone)
    assert span.begins <= at < span.ends
    assert period_of(period, span.begins, time_zone) == span
    assert period_of(period, span.ends - MOMENT, time_zone) == span
    before = period_of(period, span.begins - MOMENT, time_zone)
    after = period_of(period, span.ends, time_zone)
    assert (before.ends, after.begins) == (span.begins, span.ends)
    assert before.name < span.name < after.name


@given(instants, zones, st.sampled_from(Period))
def test_a_period_begins_when_the_clock_on_the_wall_says_so(
    at: datetime, time_zone: str, period: Period
) -> None:
    """Before it begins the wall has not shown its first midnight for a day; when it begins, the
    wall shows that or later."""
    span = period_of(period, at, time_zone)
    begun = wall(span.begins, time_zone)
    first = datetime.fromisoformat(f"{span.name}-01-01"[:10])
    assert begun >= first
    assert all(
        wall(span.begins - timedelta(minutes=minutes) - MOMENT, time_zone) < first
        for minutes in range(0, 1_440, 15)
    )


def wall(at: datetime, time_zone: str) -> datetime:
    """What a clock on the wall shows at an instant."""
    return at.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None)
