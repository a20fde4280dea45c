"""The worker: what falls due by itself, done every few seconds.

It runs in the gateway's own process, or alone (`coalition worker`). Any number may run at once.
"""

import asyncio
from collections.abc import Awaitable, Callable

from brands.arriving import complete_transfers
from brands.coalition import Coalition
from brands.upkeep import expire_holds, expire_lots, revalue_pools
from gateway.logs import logger, traces

PAUSE_SECONDS = 5.0
DUTIES: tuple[Callable[[Coalition], Awaitable[int]], ...] = (
    revalue_pools,
    complete_transfers,
    expire_holds,
    expire_lots,
)


class Worker:
    """Goes through its duties, again and again, until it is cancelled."""

    def __init__(self, coalition: Coalition, *, pause: float = PAUSE_SECONDS) -> None:
        self._coalition = coalition
        self._pause = pause

    async def run(self) -> None:
        """Works until cancelled. What goes wrong is logged, and tried again in the next round."""
        while True:
            await self.round()
            await asyncio.sleep(self._pause)

    async def round(self) -> None:
        """Every duty once."""
        for duty in DUTIES:
            try:
                done = await duty(self._coalition)
            except Exception as error:
                logger().error("duty failed", duty=duty.__name__, error=traces(error))
                continue
            if done:
                logger().info("duty done", duty=duty.__name__, count=done)
