"""How long credit that is missing can be claimed: so many calendar months from the day of travel.

The months are counted as people count them: from the 30th of November one month is over with the
30th of December, and from the 31st of August six months with the last of February. The last day is
a whole one, of the program's own time zone. Pure.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def last_day(travelled_on: date, months: int) -> date:
    """The last day on which there can be a claim."""
    year, month = divmod(travelled_on.year * 12 + travelled_on.month - 1 + months, 12)
    days = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(travelled_on.day, days))


def closes_at(travelled_on: date, months: int, time_zone: str) -> datetime:
    """The moment from which on there can be none; `time_zone` is an IANA name."""
    following = last_day(travelled_on, months) + timedelta(days=1)
    # Where that midnight is skipped, this is the skip; of two midnights, the first.
    return datetime.combine(following, time(), ZoneInfo(time_zone)).astimezone(UTC)
