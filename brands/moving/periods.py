"""The calendar months and years that limits count over, of a brand's own time zone.

A period begins when a clock on the wall there first shows its first midnight, or skips it; it lasts
until the next one begins. So periods follow each other without gap or overlap, even where the clock
goes back over the turn of the month. Pure.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from brands.rules import Period


class Span(NamedTuple):
    """One month or year: from `begins` until just before `ends`, both in UTC.

    `name` is as in ISO 8601: 2026-11, or 2026.
    """

    name: str
    begins: datetime
    ends: datetime


def period_of(period: Period, at: datetime, time_zone: str) -> Span:
    """The period that holds an instant; `time_zone` is an IANA name."""
    local = at.astimezone(ZoneInfo(time_zone))
    span = _span(period, local.year, local.month, time_zone)
    if at >= span.ends:  # the clock went back over the turn: the next period has begun already
        turn = span.ends.astimezone(ZoneInfo(time_zone))
        span = _span(period, turn.year, turn.month, time_zone)
    return span


@lru_cache(maxsize=4_096)
def _span(period: Period, year: int, month: int, time_zone: str) -> Span:
    zone = ZoneInfo(time_zone)
    if period is Period.YEAR:
        return Span(f"{year:04}", _beginning(year, 1, zone), _beginning(year + 1, 1, zone))
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    return Span(
        f"{year:04}-{month:02}", _beginning(year, month, zone), _beginning(*following, zone)
    )


def _beginning(year: int, month: int, zone: ZoneInfo) -> datetime:
    # The first of two midnights; of one that is skipped, the skip: no zone has ever jumped over
    # the midnight of a month from an earlier hour.
    return datetime(year, month, 1, tzinfo=zone).astimezone(UTC)
