"""Leaving without losing a request. All that happens at the end of a process happens in this order:

1. It says that it is leaving: it is not ready, and every answer closes its connection, so that
   whoever stands before it turns to the others. What it is sent meanwhile it still answers. This
   lasts as long as the settings say.
2. Event streams end, and subscriptions on WebSockets; nothing new is opened or begun on these. The
   queries and mutations on a WebSocket are answered, then it closes. `STREAMS_SECONDS` at most.
3. It stops listening, and the requests under way are answered (`serving.GRACE_SECONDS` at most).
4. The worker ends after the duty that it is at (`worker.GRACE_SECONDS` at most), and the last use
   of keys is written down.
5. The books answer whatever is waiting and are closed, then the database; the last spans leave.

Steps 1 and 2 are here, 3 in `gateway.serving`, 4 and 5 in `gateway.app`.
"""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.logs import logger, traces

STREAMS_SECONDS = 20.0
"""How long streams are given to end, and what is under way on WebSockets to be answered."""


class Drain:
    """Whether the process is leaving, and the way out."""

    def __init__(self, seconds: float) -> None:
        self.draining = False
        self._seconds = seconds
        self._streams: list[Callable[[], Awaitable[None]]] = []

    def ends(self, streams: Callable[[], Awaitable[None]]) -> None:
        """Has something that lasts (streams) ended on the way out."""
        self._streams.append(streams)

    async def leave(self) -> None:
        """Says that it is leaving, waits until that is known, and ends the streams."""
        logger().info("draining", seconds=self._seconds)
        self.draining = True
        await asyncio.sleep(self._seconds)
        for end in self._streams:
            try:
                async with asyncio.timeout(STREAMS_SECONDS):
                    await end()
            except Exception as error:
                logger().warning("streams did not end", error=traces(error))
