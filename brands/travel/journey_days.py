"""When the day of a journey begins: told at the airport or the property, whose zone nobody says."""

from datetime import UTC, datetime, time, timedelta

from brands.itineraries import Facts

_EARLIEST = timedelta(hours=14)
"""By so much a day begins earlier, where it begins first, than in UTC."""


def midnight(facts: Facts) -> datetime:
    """When the day on which it counts begins in UTC."""
    return datetime.combine(facts.travelled_on, time(tzinfo=UTC))


def has_begun(facts: Facts, at: datetime) -> bool:
    """Whether the day on which it counts has begun somewhere."""
    return at >= midnight(facts) - _EARLIEST
