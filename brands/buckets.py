"""Leaky buckets: how much a client may ask of us, over all processes.

A bucket holds at most so many points and gets so many back each second. All that is kept of one is
when it will be full again: what is missing until then is what was spent. Reckoned in whole
microseconds, rounded so that nobody ever spends more than the maximum and what was restored since.

Processes share buckets through PostgreSQL, in leases: a process takes some points out, by one
statement that the database carries out as one, and spends them on its own.
"""

from dataclasses import dataclass

from brands.clock import Micros
from brands.coalition import Coalition
from brands.database import Database

SECOND: Micros = 1_000_000
FORGOTTEN_AFTER: Micros = 3_600 * SECOND
"""How long a bucket that is full is kept: one that is not there is full as well."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What a client may spend: so many points at once, and so many more each second."""

    maximum: int
    restore: int

    def time(self, points: int) -> Micros:
        """How long it takes until so many points are restored, rounded up."""
        return -(-points * SECOND // self.restore)

    def available(self, full_in: Micros) -> int:
        """The points in a bucket that will be full in so long, rounded down."""
        missing = -(-max(full_in, 0) * self.restore // SECOND)
        return max(self.maximum - missing, 0)


@dataclass(slots=True)
class Bucket:
    """One bucket, at the clock of whoever has it."""

    rate: Rate
    full_at: Micros = 0

    def take(self, points: int, now: Micros) -> bool:
        """Takes the points out, all or none; whether they were there."""
        full_at = max(self.full_at, now) + self.rate.time(points)
        if full_at > now + self.rate.time(self.rate.maximum):
            return False
        self.full_at = full_at
        return True

    def give(self, points: int) -> None:
        """Puts back what was not needed."""
        self.full_at -= points * SECOND // self.rate.restore

    def available(self, now: Micros) -> int:
        """The points in it."""
        return self.rate.available(self.full_at - now)

    def wait(self, points: int, now: Micros) -> Micros:
        """How long until so many points are in it, if nobody takes any."""
        late = max(self.full_at, now) + self.rate.time(points)
        return max(late - now - self.rate.time(self.rate.maximum), 0)


@dataclass(frozen=True, slots=True)
class Lease:
    """What a process was given out of a shared bucket, and in how long that will be full again."""

    points: int
    full_in: Micros


# The clock is the database's. A bucket is never fuller than full nor emptier than empty, so that a
# clock that was set back locks nobody out for longer than it takes to fill.
_LEASE = """
INSERT INTO buckets AS b (name, at, full_at, granted)
SELECT $1, at, at + $3::bigint, $2::bigint
FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS at) AS clock
ON CONFLICT (name) DO UPDATE SET (at, full_at, granted) = (
    SELECT excluded.at,
        CASE WHEN room >= $3::bigint THEN base + $3::bigint
             WHEN room >= $5::bigint THEN base + $5::bigint
             ELSE base END,
        CASE WHEN room >= $3::bigint THEN $2::bigint
             WHEN room >= $5::bigint THEN $4::bigint
             ELSE 0 END
    FROM (
        SELECT base, excluded.at + $6::bigint - base AS room
        FROM (
            SELECT least(greatest(b.full_at, excluded.at), excluded.at + $6::bigint) AS base
        ) AS held
    ) AS bucket
)
RETURNING at, full_at, granted
"""


async def lease(database: Database, name: str, rate: Rate, *, want: int, need: int) -> Lease:
    """Takes as many points as are wanted out of a shared bucket; or, if they are not there, as
    many as are needed; or none. PostgreSQL only."""
    assert 0 < need <= want <= rate.maximum
    (row,) = await database.fetch(
        _LEASE,
        name,
        want,
        rate.time(want),
        need,
        rate.time(need),
        rate.time(rate.maximum),
    )
    return Lease(row["granted"], max(row["full_at"] - row["at"], 0))


# A hundredth of the table at a time: every bucket has its turn, and no index has to be kept up.
_FORGET = """
DELETE FROM buckets WHERE name IN (
    SELECT name FROM buckets TABLESAMPLE SYSTEM (1)
    WHERE full_at < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - $1::bigint
) AND full_at < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - $1::bigint
RETURNING name
"""


async def forget_full_buckets(coalition: Coalition) -> int:
    """Lets go of shared buckets that have been full for an hour, of some at each call; of how
    many."""
    if coalition.database.is_sqlite:
        return 0
    return len(await coalition.database.fetch(_FORGET, FORGOTTEN_AFTER))
