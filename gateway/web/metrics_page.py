"""The page of metrics: for an operator's credential, or for everybody where that is set."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from brands.callers import Caller
from gateway.callers.attempts import Door
from gateway.graphql import masking
from gateway.graphql.requests import Refused
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.reports import request_id_of


class MetricsPage:
    """Serves the metrics of this process to Prometheus, which sends a bearer token if told to."""

    def __init__(self, metrics: Metrics, door: Door, *, public: bool) -> None:
        self._metrics = metrics
        self._door = door
        self._public = public

    async def show(self, request: Request) -> Response:
        """The metrics, in the form that `Accept` asks for."""
        if not self._public:
            try:
                await self._operator(request)
            except Refused as refused:
                return JSONResponse({"errors": [refused.error]}, refused.status, refused.headers)
        page, content_type = self._metrics.page(request.headers.get("accept"))
        return Response(page, headers={"content-type": content_type, "cache-control": "no-store"})

    async def _operator(self, request: Request) -> Caller:
        authorization = request.headers.get("authorization")
        header = None if authorization is None else authorization.encode("latin-1")
        caller = await self._door.admit(request.scope, header, request_id_of(None))
        if caller is None or not caller.is_operator:
            raise Refused(403, "The metrics are the operator's.", masking.FORBIDDEN)
        return caller
