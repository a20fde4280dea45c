"""Serving: the socket, the demo if it is wanted, and uvicorn."""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import uvicorn

from gateway import console, demo
from gateway.app import create_app
from gateway.demo_keys import keys_file
from gateway.logs import configure_logs
from gateway.running import Failure, check_prepared
from gateway.settings import read_settings

GRACE_SECONDS = 20
"""How long requests under way are given to finish once the gateway is told to stop."""

_BACKLOG = 2_048
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


async def serve(*, with_demo: bool, host: str | None, port: int | None) -> None:
    """Serves until told to stop. Raises `Failure`, and whatever opening the database raises."""
    settings = read_settings()
    settings = replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
    )
    # The port first: whoever has to learn that it is taken should not wait for the demo before.
    with _bound(settings.host, settings.port) as listener:
        url = _url(settings.host, listener.getsockname()[1])
        if with_demo:
            prepared = await demo.prepare(settings)
            kept = str(keys_file(settings.database))
            lines = demo.introduction(prepared, url, keys_at=kept)
            credential = prepared.keys.member
        else:
            await check_prepared(settings.database)
            lines, credential = (f"The gateway serves {url}/graphql",), None
        configure_logs()
        app = create_app(settings, demo_credential=credential)
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="on",
            backlog=_BACKLOG,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = _Server(config, lambda: console.say("\n".join(lines)))
        with suppress(KeyboardInterrupt):  # which uvicorn has heeded by then
            await server.serve(sockets=[listener])
        if not server.started:
            raise Failure("the gateway could not start; the log says why")


class _Server(uvicorn.Server):
    """Says so as soon as it can be reached."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._announce()


def _bound(host: str, port: int) -> socket.socket:
    """A socket bound to an address, not listening yet. Raises `Failure` if the address is taken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise Failure(f"cannot listen on {host}: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise Failure(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return listener


def _url(host: str, port: int) -> str:
    reachable = _EVERYWHERE.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
