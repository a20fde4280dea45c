"""The lanes of the books, watched: every batch that passes is measured, and it is known whether
any does."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TypeAlias

from brands.ledger.batch import Answer
from brands.ledger.commands import Command
from brands.ledger.writer import Lane
from gateway.telemetry.metrics import Metrics

Around: TypeAlias = Callable[[int], AbstractContextManager[None]]
"""Surrounds the commit of a batch of so many commands."""

PATIENCE_SECONDS = 10.0
"""How long a batch may take before the books count as not answering."""

FORGOTTEN_AFTER_SECONDS = 5.0
"""How long a failed batch speaks against a lane. The next one may well be committed, and there
would never be a next one if nobody were sent here any more."""


@dataclass(slots=True)
class WatchedLanes:
    """Puts a watcher around each lane; see `Ledger.open`."""

    metrics: Metrics
    around: Around | None = None
    _lanes: list["_WatchedLane"] = field(default_factory=list)

    def __call__(self, lane: Lane) -> Lane:
        """The lane, watched."""
        watched = _WatchedLane(lane, self.metrics, self.around or _not_surrounded)
        self._lanes.append(watched)
        return watched

    def answer(self) -> bool:
        """Whether no lane has failed of late, or been at one batch for too long."""
        now = time.monotonic()
        return all(lane.answers(now) for lane in self._lanes)

    def forget(self) -> None:
        """Forgets the lanes, which are closed."""
        self._lanes.clear()


def _not_surrounded(_: int) -> AbstractContextManager[None]:
    return nullcontext()


class _WatchedLane:
    """A lane, and how it fares."""

    def __init__(self, lane: Lane, metrics: Metrics, around: Around) -> None:
        self._lane = lane
        self._metrics = metrics
        self._around = around
        self._at_it_since: float | None = None
        self._failed_at: float | None = None

    def answers(self, now: float) -> bool:
        """Whether it did its work of late, or had none."""
        if self._at_it_since is not None and now - self._at_it_since > PATIENCE_SECONDS:
            return False
        return self._failed_at is None or now - self._failed_at > FORGOTTEN_AFTER_SECONDS

    async def open(self) -> None:
        await self._lane.open()

    async def close(self) -> None:
        await self._lane.close()

    async def commit(self, commands: Sequence[Command]) -> list[Answer]:
        began = self._at_it_since = time.monotonic()
        try:
            with self._around(len(commands)):
                answers = await self._lane.commit(commands)
        except Exception:
            self._failed_at = time.monotonic()
            self._metrics.batches_failed.inc()
            raise
        finally:
            self._at_it_since = None
        self._failed_at = None
        self._metrics.batch_seconds.observe(time.monotonic() - began)
        self._metrics.batch_commands.observe(len(commands))
        return answers
