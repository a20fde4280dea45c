"""Instants. In the books time is an integer: microseconds since 1970-01-01T00:00:00Z.

One representation for SQLite and PostgreSQL, compared and indexed as a number. The domain's
dataclasses carry aware `datetime`s; the conversion happens here and nowhere else.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Micros: TypeAlias = int

NEVER: Micros = 2**63 - 1
"""An instant that does not come: the expiry of points that do not expire."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """The present by this machine's clock. What is written is stamped by the database's."""
    return datetime.now(UTC)


def now_micros() -> Micros:
    """The present by this machine's clock, in microseconds."""
    return time.time_ns() // 1_000


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Where there is such a clock, one that goes on while the machine is suspended."""


def steady_micros() -> Micros:
    """Microseconds since some moment: for measuring time. No change of the clock moves it."""
    return time.clock_gettime_ns(_STEADY) // 1_000


def to_micros(instant: datetime) -> Micros:
    """Microseconds since the epoch. The instant must be aware of its offset."""
    assert instant.tzinfo is not None
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: Micros) -> datetime:
    """The UTC instant of so many microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=micros)
