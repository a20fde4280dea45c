"""The load: so many callers, each asking again as soon as it is answered, for a bounded time."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Operation: TypeAlias = Callable[[], Awaitable[object]]
"""Asks for one thing and returns once it is acknowledged."""

PATIENCE_SECONDS = 60.0
"""How long the last answers may take, beyond the time given, before the run fails."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run came to: acknowledged operations per second; latencies in milliseconds."""

    rate: float
    p50: float
    p99: float

    @classmethod
    def of(cls, latencies: Sequence[float], seconds: float) -> "Figures":
        """The figures of operations that took so many milliseconds each, `seconds` in all."""
        if not latencies:
            return cls(0.0, 0.0, 0.0)
        ordered = sorted(latencies)
        return cls(
            len(ordered) / seconds,
            ordered[len(ordered) // 2],
            ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
        )


def median(runs: Sequence[Figures]) -> Figures:
    """The median run, figure by figure."""
    return Figures(
        statistics.median(run.rate for run in runs),
        statistics.median(run.p50 for run in runs),
        statistics.median(run.p99 for run in runs),
    )


async def drive(operation: Operation, in_flight: int, seconds: float) -> Figures:
    """Keeps `in_flight` operations under way for so long; the first failure ends the run.

    An operation counts once it is answered. Those still under way at the end are waited for, and
    the time they take counts.
    """
    latencies: list[float] = []
    clock = time.perf_counter
    begun = clock()
    end = begun + seconds

    async def caller() -> None:
        while (asked := clock()) < end:
            await operation()
            latencies.append((clock() - asked) * 1e3)

    async with asyncio.timeout(seconds + PATIENCE_SECONDS), asyncio.TaskGroup() as callers:
        for _ in range(in_flight):
            callers.create_task(caller())
    return Figures.of(latencies, clock() - begun)
