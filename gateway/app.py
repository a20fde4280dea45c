"""The composition root: what the process is made of, and when it comes and goes."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from brands.coalition import Coalition, open_coalition
from gateway.callers.attempts import Door
from gateway.callers.auth import Gate
from gateway.callers.issuer_keys import PublishedKeys
from gateway.callers.member_tokens import MemberTokens, Trusted
from gateway.callers.tokens import TokenEndpoint
from gateway.demo.issuer import DemoIssuer
from gateway.instruments import Instruments
from gateway.settings import Settings
from gateway.subscriptions.event_stream import EventStreams
from gateway.subscriptions.streams import Streams
from gateway.subscriptions.websocket import WebSockets
from gateway.telemetry.tracing import Tracing, operations_of
from gateway.web.endpoint import GraphQLEndpoint
from gateway.web.explorer import STATIC, Explorer
from gateway.worker import Worker
from schema.root import SCHEMA

STATEMENT_SECONDS = 60.0
"""How long the database may take over one statement, whoever waits for it. Operations are given up
earlier; this is for what goes on in the background."""


def create_app(
    settings: Settings,
    *,
    demo_credential: str | None = None,
    demo_issuer: DemoIssuer | None = None,
    tracing: Tracing | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Starlette:
    """The gateway as an ASGI application.

    While it is up it holds the coalition open, as `app.state.coalition`, and works in the
    background unless the settings say otherwise. With a `demo_credential` GraphiQL comes with it
    filled in: anybody who can reach the page can use it. A `demo_issuer` is trusted, and reached
    here. The keys of other issuers are fetched by `transport`, or else from the web.
    """
    trusted = [Trusted(each, PublishedKeys(each, transport)) for each in settings.issuers]
    if demo_issuer is not None:
        trusted.append(demo_issuer.trusted)
    members = MemberTokens(trusted)
    gate = Gate(settings, members)
    door = Door(gate, settings.rate_anonymous)
    operations = operations_of(tracing)(SCHEMA._schema, settings)
    instruments = Instruments(settings, tracing)
    streams = Streams(settings.max_streams)
    instruments.look_at_streams(streams)
    instruments.look_at_documents(operations.documents)
    events = EventStreams(operations, gate, streams, settings.timeout)

    def serve(coalition: Coalition | None) -> None:
        gate.coalition = operations.coalition = coalition
        instruments.look_at(coalition)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as opened:
            opened.push_async_callback(instruments.close)
            opened.push_async_callback(members.close)
            coalition = await open_coalition(
                settings.database,
                lanes=settings.lanes,
                watched=instruments.lanes,
                patience=STATEMENT_SECONDS,
            )
            opened.push_async_callback(coalition.close)
            opened.callback(serve, None)
            await opened.enter_async_context(_in_background(gate.keys.keep_writing(coalition)))
            if settings.worker:
                worker = Worker(coalition, instruments.metrics)
                await opened.enter_async_context(worker.at_work())
            app.state.coalition = coalition
            serve(coalition)
            yield

    routes: list[BaseRoute] = [
        Route("/graphql", GraphQLEndpoint(operations, door, settings, instruments.reports, events)),
        WebSocketRoute(
            "/graphql",
            WebSockets(operations, gate, door, streams, instruments.reports, settings.timeout),
        ),
        Route("/oauth/token", TokenEndpoint(door, settings).answer, methods=["POST"]),
        *(demo_issuer.routes() if demo_issuer is not None else ()),
        *instruments.routes(door),
    ]
    if settings.graphiql:
        routes.append(Route("/", Explorer(demo_credential)))
        routes.append(Mount("/static", StaticFiles(directory=STATIC)))
    app = Starlette(routes=routes, lifespan=lifespan, middleware=instruments.middleware())
    app.router.redirect_slashes = False  # to wherever the client says that we are
    app.state.drain = instruments.drain
    return app


@asynccontextmanager
async def _in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Has the work done within the block, and ends it with the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
