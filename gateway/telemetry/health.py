"""Whether this process lives, and whether it can serve.

Anybody may ask, so that the answers say little, and asking often does not load the database: what
was found is good for a second.
"""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import JSONResponse

from brands.coalition import Coalition
from brands.database import is_migrated
from gateway.drain import Drain
from gateway.logs import logger, traces
from gateway.telemetry.lanes import WatchedLanes

PATIENCE_SECONDS = 2.0
GOOD_FOR_SECONDS = 1.0

_NEVER = float("-inf")


class Health:
    """The two probes. `coalition` is set while the application is up."""

    def __init__(self, drain: Drain, lanes: WatchedLanes) -> None:
        self.coalition: Coalition | None = None
        self._drain = drain
        self._lanes = lanes
        self._migrated = False
        self._asking = asyncio.Lock()
        self._found: str | None = None
        self._found_at = _NEVER

    async def live(self, _: Request) -> JSONResponse:
        """The process answers; it should be restarted when it does not."""
        return JSONResponse({"status": "live"})

    async def ready(self, _: Request) -> JSONResponse:
        """The database answers and has the newest schema, the books answer, and the process is not
        about to stop; no requests should be sent otherwise."""
        if self._drain.draining:
            reason: str | None = "the gateway is stopping"
        elif self.coalition is None:
            reason = "the gateway is starting or stopping"
        else:
            reason = await self._missing_in_the_database(self.coalition)
            if reason is None and not self._lanes.answer():
                reason = "the books do not answer"
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": reason}, status_code=503)

    async def _missing_in_the_database(self, coalition: Coalition) -> str | None:
        """Asked once, whoever and however many want to know."""
        async with self._asking:
            if time.monotonic() - self._found_at > GOOD_FOR_SECONDS:
                self._found = await self._ask(coalition)
                self._found_at = time.monotonic()
            return self._found

    async def _ask(self, coalition: Coalition) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await coalition.database.fetch("SELECT 1")
                # Migrations are never taken back, so having seen them once is enough.
                self._migrated = self._migrated or await is_migrated(coalition.database)
        except Exception as error:
            logger().warning("not ready", error=traces(error))
            return "the database cannot be reached"
        return None if self._migrated else "migrations are missing"
