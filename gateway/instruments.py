"""What a process is watched with, and how it leaves: metrics, traces, probes, reports, drain."""

from functools import partial

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from brands.coalition import Coalition
from gateway.callers.attempts import Door
from gateway.drain import Drain
from gateway.graphql.documents import Documents
from gateway.settings import Settings
from gateway.subscriptions.streams import EVENT_STREAM, SUBSCRIPTION, WEBSOCKET, Streams
from gateway.telemetry.health import Health
from gateway.telemetry.lanes import WatchedLanes
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.reports import Reports
from gateway.telemetry.tracing import Tracing
from gateway.web.error_page import TOP_LEVEL
from gateway.web.metrics_page import MetricsPage
from gateway.wire.headers import Headers


class Instruments:
    """All of them, one of each per process."""

    def __init__(self, settings: Settings, tracing: Tracing | None) -> None:
        self.metrics = Metrics(frozenset(TOP_LEVEL))
        self.reports = Reports(self.metrics)
        self.drain = Drain(settings.drain_seconds)
        self.lanes = WatchedLanes(self.metrics, tracing.batch if tracing else None)
        self._health = Health(self.drain, self.lanes)
        self._public = settings.public_metrics
        self._tracing = tracing

    def look_at(self, coalition: Coalition | None) -> None:
        """Has them look at a coalition that is open, or at none any more."""
        self._health.coalition = coalition
        if coalition is None:
            self.lanes.forget()
        else:
            self.metrics.look_at(coalition)
            if self._tracing is not None:
                coalition.database.observe(self._tracing.statement)

    def look_at_documents(self, documents: Documents) -> None:
        """Has the documents that are remembered counted."""
        self.metrics.look_at_documents(documents)

    def look_at_streams(self, streams: Streams) -> None:
        """Has the streams counted, and ended when the process is to leave."""
        self.drain.ends(streams.drain)
        for kind in (EVENT_STREAM, WEBSOCKET, SUBSCRIPTION):
            self.metrics.streams_open.labels(kind).set_function(partial(streams.count, kind))

    def routes(self, door: Door) -> list[BaseRoute]:
        """Where they can be looked at."""
        return [
            Route("/livez", self._health.live),
            Route("/readyz", self._health.ready),
            Route("/metrics", MetricsPage(self.metrics, door, public=self._public).show),
        ]

    def middleware(self) -> list[Middleware]:
        """What stands before every route."""
        return [Middleware(Headers, draining=lambda: self.drain.draining)]

    async def close(self) -> None:
        """Sends the last spans."""
        if self._tracing is not None:
            await self._tracing.close()
