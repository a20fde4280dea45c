"""The worker: what falls due by itself, done every few seconds.

It runs in the gateway's own process, or alone (`coalition worker`). Any number may run at once.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from brands.alarms import forget_lookups
from brands.buckets import forget_full_buckets
from brands.coalition import Coalition
from brands.moving.arriving import complete_transfers
from brands.upkeep import expire_holds, expire_lots, revalue_pools
from gateway.logs import logger, traces
from gateway.telemetry.alarms import report_alarms
from gateway.telemetry.metrics import Metrics

PAUSE_SECONDS = 5.0

GRACE_SECONDS = 20.0
"""How long the duty under way is given to end once the worker is told to stop."""

DUTIES: tuple[Callable[[Coalition], Awaitable[int]], ...] = (
    revalue_pools,
    complete_transfers,
    expire_holds,
    expire_lots,
    forget_full_buckets,
    forget_lookups,
    report_alarms,
)


class Worker:
    """Goes through its duties, again and again, until it is told to stop or cancelled."""

    def __init__(
        self, coalition: Coalition, metrics: Metrics, *, pause: float = PAUSE_SECONDS
    ) -> None:
        self._coalition = coalition
        self._metrics = metrics
        self._pause = pause
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Has it end after the duty that it is at."""
        self._stopped.set()

    async def run(self) -> None:
        """Works until stopped. What goes wrong is logged, and tried again in the next round."""
        while not self._stopped.is_set():
            await self.round()
            try:
                async with asyncio.timeout(self._pause):
                    await self._stopped.wait()
            except TimeoutError:
                pass

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Works within the block; then finishes the duty that it is at, if that is done in time."""
        working = asyncio.create_task(self.run(), name="worker")
        try:
            yield
        finally:
            self.stop()
            await asyncio.wait([working], timeout=GRACE_SECONDS)
            if not working.done():
                logger().warning("a duty was not finished")
                working.cancel()
                await asyncio.wait([working])

    async def round(self) -> None:
        """Every duty once."""
        for duty in DUTIES:
            if not self._stopped.is_set():
                await self._do(duty)

    async def _do(self, duty: Callable[[Coalition], Awaitable[int]]) -> None:
        name, began = duty.__name__, time.monotonic()
        try:
            done = await duty(self._coalition)
        except Exception as error:
            self._metrics.duties.labels(name, "failed").inc()
            logger().error("duty failed", duty=name, error=traces(error))
            return
        seconds = time.monotonic() - began
        self._metrics.duties.labels(name, "done").inc()
        self._metrics.duties_done.labels(name).inc(done)
        self._metrics.duty_seconds.labels(name).observe(seconds)
        self._metrics.duty_succeeded.labels(name).set_to_current_time()
        if done:
            logger().info("duty done", duty=name, count=done, milliseconds=round(seconds * 1e3, 2))
