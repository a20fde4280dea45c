"""Throttling: every operation is paid for out of its client's bucket, before it is executed.

On an embedded database a bucket is in the memory of the one process there is. On PostgreSQL it is
the processes' together: each takes a twentieth of it at a time and spends that on its own, so that
most requests cost no statement at all. What was taken and not spent lapses after the time in which
the whole bucket fills, for by then it would be there again. So all processes together never spend
more than the maximum and what was restored; a client may be told to wait while other processes
have some of its points in hand.

A database that does not answer neither opens the gates nor closes them: each process then goes by
a bucket of its own, a tenth of the size, and asks again after a second.
"""

import asyncio
import time
from typing import TypeAlias

from brands.buckets import SECOND, Bucket, Rate, lease
from brands.callers import Caller, CallerKind
from brands.clock import Micros
from brands.database import Database
from gateway.graphql.latest import Latest
from gateway.graphql.masking import THROTTLED
from gateway.graphql.requests import Refused
from gateway.logs import logger, traces
from gateway.settings import Settings

SHARE = 20
"""A lease is the maximum divided by this, or what one operation needs."""

SHARE_ALONE = 10
"""While the database does not answer, a process goes by the rate divided by this."""

PATIENCE_SECONDS = 1.0
"""How long the database may take over a lease, and how long it is left in peace after that."""

MAX_CLIENTS = 10_000
"""Of how many clients a process remembers what they have left; the longest silent are forgotten,
and with them, at most, a lease."""


def clock() -> Micros:
    """A clock that is never set back; its zero means nothing."""
    return time.monotonic_ns() // 1_000


class Throttled(Exception):
    """There is not enough in the bucket: `wait` says for how long."""

    def __init__(self, wait: Micros) -> None:
        super().__init__("throttled")
        self.wait = wait


class Private:
    """A client's bucket in the memory of the one process."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._bucket = Bucket(rate)

    async def spend(self, points: int) -> None:
        """Takes the points out. Raises `Throttled`."""
        now = clock()
        if not self._bucket.take(points, now):
            raise Throttled(self._bucket.wait(points, now))

    def refund(self, points: int) -> None:
        """Puts back what was not needed."""
        self._bucket.give(points)

    def available(self) -> int:
        """What is left."""
        return self._bucket.available(clock())


class Shared:
    """A client's bucket in the database, and what this process has taken out of it."""

    def __init__(self, rate: Rate, name: str, database: Database) -> None:
        self.rate = rate
        self._name = name
        self._database = database
        self._turn = asyncio.Lock()
        self._in_hand = 0
        self._lapses_at = 0
        self._full_at = 0
        """When the bucket itself will be full, as it looked when it was last asked."""
        self._alone = Bucket(
            Rate(rate.maximum // SHARE_ALONE or 1, rate.restore // SHARE_ALONE or 1)
        )
        self._alone_until = 0

    async def spend(self, points: int) -> None:
        """Takes the points out. Raises `Throttled`."""
        if not self._at_hand(points):
            async with self._turn:
                if not self._at_hand(points):
                    await self._fetch(points)

    def refund(self, points: int) -> None:
        """Puts back what was not needed: into what this process has in hand."""
        self._in_hand = min(self._in_hand + points, self.rate.maximum)

    def available(self) -> int:
        """What is left, as far as this process knows."""
        now = clock()
        in_hand = self._in_hand if now < self._lapses_at else 0
        return min(self.rate.maximum, in_hand + self.rate.available(self._full_at - now))

    def _at_hand(self, points: int) -> bool:
        now = clock()
        if now >= self._lapses_at:
            self._in_hand = 0
        if self._in_hand < points:
            return False
        self._in_hand -= points
        return True

    async def _fetch(self, points: int) -> None:
        """Spends what is in hand, and the rest of a new lease."""
        need = points - self._in_hand
        now = clock()
        if now < self._alone_until:
            self._spend_alone(points, now)
            return
        if wait := self._wait(need, now):  # known already: whoever has to wait asks in vain
            raise Throttled(wait)
        want = max(need, self.rate.maximum // SHARE)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                got = await lease(self._database, self._name, self.rate, want=want, need=need)
        except Exception as error:
            logger().warning("buckets out of reach", error=traces(error))
            now = clock()
            self._alone_until = now + int(PATIENCE_SECONDS * SECOND)
            self._spend_alone(points, now)
            return
        now = clock()
        self._full_at = now + got.full_in
        if not got.points:
            raise Throttled(max(self._wait(need, now), 1))
        self._in_hand += got.points - points
        self._lapses_at = now + self.rate.time(self.rate.maximum)

    def _wait(self, need: int, now: Micros) -> Micros:
        return Bucket(self.rate, self._full_at).wait(need, now)

    def _spend_alone(self, points: int, now: Micros) -> None:
        if not self._alone.take(points, now):
            raise Throttled(self._alone.wait(points, now))


ClientBucket: TypeAlias = Private | Shared


class Throttle:
    """The buckets of all clients, as one process sees them."""

    def __init__(self, settings: Settings) -> None:
        self.rates = {
            CallerKind.OPERATOR: settings.rate_operator,
            CallerKind.BRAND: settings.rate_brand,
            CallerKind.AGENCY: settings.rate_agency,
            CallerKind.MEMBER: settings.rate_member,
        }
        self._buckets: Latest[str, ClientBucket] = Latest(MAX_CLIENTS)

    def bucket(self, caller: Caller, database: Database) -> ClientBucket:
        """The bucket of a caller."""
        name = caller.client
        found = self._buckets.get(name)
        if found is not None:
            return found
        rate = self.rates[caller.kind]
        made = Private(rate) if database.is_sqlite else Shared(rate, name, database)
        return self._buckets.put(name, made)


async def pay(bucket: ClientBucket, points: int) -> None:
    """Takes the points out of a bucket. Raises `Refused` with 429."""
    try:
        await bucket.spend(points)
    except Throttled as throttled:
        raise refusal(points, throttled.wait, figures(bucket)) from None


def figures(bucket: ClientBucket) -> dict[str, int]:
    """What clients are told of their bucket."""
    return told(bucket.rate, bucket.available())


def told(rate: Rate, available: int) -> dict[str, int]:
    """The same of any bucket."""
    return {"maximum": rate.maximum, "available": available, "restoreRate": rate.restore}


def put_off(reason: str, wait: Micros) -> Refused:
    """The answer to whoever has to wait, in whole seconds."""
    seconds = max(-(-wait // SECOND), 1)
    message = f"{reason} Try again in {seconds} s."
    return Refused(429, message, THROTTLED, {"retry-after": str(seconds)})


def refusal(points: int, wait: Micros, throttle: dict[str, int]) -> Refused:
    """The same, with the figures of the bucket that it waits for."""
    refused = put_off(f"This costs {points}, and less is left at present.", wait)
    refused.error["extensions"]["cost"] = {"requested": points, "throttle": throttle}
    return refused
