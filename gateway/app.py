"""The composition root: what the process is made of, and when it comes and goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from brands.coalition import Coalition, open_coalition
from gateway.endpoint import GraphQLEndpoint
from gateway.explorer import STATIC, Explorer
from gateway.headers import SecurityHeaders
from gateway.health import Health
from gateway.settings import Settings
from gateway.worker import Worker
from schema.root import SCHEMA


def create_app(settings: Settings, *, demo_credential: str | None = None) -> Starlette:
    """The gateway as an ASGI application.

    While it is up it holds the coalition open, as `app.state.coalition`, and works in the
    background unless the settings say otherwise. With a `demo_credential` GraphiQL comes with it
    filled in: anybody who can reach the page can use it.
    """
    endpoint = GraphQLEndpoint(SCHEMA._schema, settings)
    health = Health()

    def serve(coalition: Coalition | None) -> None:
        endpoint.coalition = health.coalition = coalition

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        coalition = await open_coalition(settings.database, lanes=settings.lanes)
        try:
            app.state.coalition = coalition
            async with _in_background(Worker(coalition) if settings.worker else None):
                serve(coalition)
                yield
        finally:
            serve(None)
            await coalition.close()

    routes: list[BaseRoute] = [
        Route("/graphql", endpoint),
        Route("/livez", health.live),
        Route("/readyz", health.ready),
    ]
    if settings.graphiql:
        routes.append(Route("/", Explorer(demo_credential)))
        routes.append(Mount("/static", StaticFiles(directory=STATIC)))
    return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(SecurityHeaders)])


@asynccontextmanager
async def _in_background(worker: Worker | None) -> AsyncIterator[None]:
    if worker is None:
        yield
        return
    task = asyncio.create_task(worker.run(), name="worker")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
