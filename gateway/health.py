"""Whether this process lives, and whether it can serve."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse

from brands.coalition import Coalition
from brands.database import is_migrated
from gateway.logs import logger, traces

PATIENCE_SECONDS = 2.0


class Health:
    """The two probes. `coalition` is set while the application is up."""

    def __init__(self) -> None:
        self.coalition: Coalition | None = None
        self._migrated = False

    async def live(self, _: Request) -> JSONResponse:
        """The process answers; it should be restarted when it does not."""
        return JSONResponse({"status": "live"})

    async def ready(self, _: Request) -> JSONResponse:
        """The database answers and has the newest schema; no requests should be sent otherwise."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                reason = await self._what_is_missing()
        except Exception as error:
            logger().warning("not ready", error=traces(error))
            reason = "the database cannot be reached"
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": reason}, status_code=503)

    async def _what_is_missing(self) -> str | None:
        if self.coalition is None:
            return "the gateway is starting or stopping"
        await self.coalition.database.fetch("SELECT 1")
        # Migrations are never taken back, so having seen them once is enough.
        self._migrated = self._migrated or await is_migrated(self.coalition.database)
        return None if self._migrated else "migrations are missing"
