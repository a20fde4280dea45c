"""Serving: the socket, the demo if it is wanted, and uvicorn."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from gateway import console
from gateway.app import create_app
from gateway.demo import coalition as demo
from gateway.demo.issuer import DemoIssuer, issuer_key
from gateway.demo.keys import keys_file
from gateway.drain import Drain
from gateway.logs import configure_logs
from gateway.running import Failure, check_prepared
from gateway.settings import Settings, read_settings
from gateway.subscriptions.messages import MAX_MESSAGE
from gateway.telemetry.tracing import tracing_of
from gateway.wire.connections import BoundedHttp
from gateway.wire.patience import WebSocketConnection

GRACE_SECONDS = 20
"""How long requests under way are given to finish once the gateway is told to stop."""

KEEP_ALIVE_SECONDS = 65
"""How long a connection may be idle. Longer than the proxy's patience, so that it is the proxy that
closes: what it sent on a connection that we close at that moment would be lost."""

SETTLE_SECONDS = 0.1
"""How long requests that have reached this machine, but not yet this process, are given to do so
before idle connections are closed."""

PING_SECONDS = 20.0
"""How often a WebSocket is pinged, and how long for a pong is waited."""

_BACKLOG = 2_048
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


async def serve(*, with_demo: bool, host: str | None, port: int | None) -> None:
    """Serves until told to stop. Raises `Failure`, and whatever opening the database raises."""
    settings, tracing = read_settings(), tracing_of(os.environ)
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
            issuer = DemoIssuer(url, issuer_key(settings.database), prepared.logins)
        else:
            await check_prepared(settings.database)
            lines, credential = (f"The gateway serves {url}/graphql",), None
            issuer = None
        configure_logs()
        app = create_app(settings, demo_credential=credential, demo_issuer=issuer, tracing=tracing)
        server = _Server(
            _config(app, settings), app.state.drain, lambda: console.say("\n".join(lines))
        )
        await server.serve(sockets=[listener])
        if not server.started:
            raise Failure("the gateway could not start; the log says why")


def _config(app: Starlette, settings: Settings) -> uvicorn.Config:
    """What uvicorn is told. It has a limit of connections too, which is not set: it would count the
    proxy's idle ones, and turn away the probes with the rest. Clients are limited one by one."""
    return uvicorn.Config(
        app,
        http=BoundedHttp,
        ws=WebSocketConnection,
        ws_max_size=MAX_MESSAGE,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,  # a few bytes may not become many
        lifespan="on",
        backlog=_BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.proxies,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


class _Server(uvicorn.Server):
    """Says so as soon as it can be reached, and leaves without losing a request."""

    def __init__(self, config: uvicorn.Config, drain: Drain, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain
        self._announce = announce

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Told to stop it drains; told again, it ends at once."""
        if self.should_exit:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drains, stops listening, and then ends as uvicorn does."""
        await self._drain.leave()
        for server in self.servers:
            server.close()
        await asyncio.sleep(SETTLE_SECONDS)
        await super().shutdown(sockets)

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
