"""The composition root: what the process is made of, and when it comes and goes."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from brands.coalition import Coalition, open_coalition
from gateway.auth import Gate
from gateway.endpoint import GraphQLEndpoint
from gateway.explorer import STATIC, Explorer
from gateway.headers import SecurityHeaders
from gateway.health import Health
from gateway.operations import Operations
from gateway.settings import Settings
from gateway.worker import Worker
from schema.root import SCHEMA


def create_app(settings: Settings, *, demo_credential: str | None = None) -> Starlette:
    """The gateway as an ASGI application.

    While it is up it holds the coalition open, as `app.state.coalition`, and works in the
    background unless the settings say otherwise. With a `demo_credential` GraphiQL comes with it
    filled in: anybody who can reach the page can use it.
    """
    gate = Gate(settings)
    operations = Operations(SCHEMA._schema, settings)
    health = Health()

    def serve(coalition: Coalition | None) -> None:
        gate.coalition = operations.coalition = health.coalition = coalition

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        coalition = await open_coalition(settings.database, lanes=settings.lanes)
        try:
            app.state.coalition = coalition
            tasks = {"keys": gate.keys.keep_writing(coalition)}
            if settings.worker:
                tasks["worker"] = Worker(coalition).run()
            async with _in_background(tasks):
                serve(coalition)
                yield
        finally:
            serve(None)
            await coalition.close()

    routes: list[BaseRoute] = [
        Route("/graphql", GraphQLEndpoint(operations, gate, settings)),
        Route("/livez", health.live),
        Route("/readyz", health.ready),
    ]
    if settings.graphiql:
        routes.append(Route("/", Explorer(demo_credential)))
        routes.append(Mount("/static", StaticFiles(directory=STATIC)))
    return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(SecurityHeaders)])


@asynccontextmanager
async def _in_background(work: Mapping[str, Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Has the work done within the block, and ends it with the block."""
    tasks = [asyncio.create_task(each, name=name) for name, each in work.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
