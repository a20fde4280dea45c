"""The worker as a process of its own: its signals, its metrics, its end."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from gateway.logs import configure_logs, logger
from gateway.running import Failure, opened
from gateway.settings import Settings, read_settings
from gateway.telemetry.lanes import WatchedLanes
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.tracing import tracing_of
from gateway.worker import Worker


async def work() -> None:
    """Works until told to stop, finishes the duty that it is at, and lets the books finish. Told
    again, it ends at once."""
    settings, tracing = read_settings(), tracing_of(os.environ)
    metrics = Metrics()
    lanes = WatchedLanes(metrics, tracing.batch if tracing else None)
    async with opened(settings, watched=lanes) as coalition:
        configure_logs()
        metrics.look_at(coalition)
        with _served(metrics, settings):
            told = _told_to_stop()
            async with Worker(coalition, metrics).at_work():
                logger().info("worker is up")
                await told.wait()
    if tracing is not None:
        await tracing.close()


def _told_to_stop() -> asyncio.Event:
    """Set by the first signal to stop; the second ends the process."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def stop() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        told.set()

    for number in numbers:
        loop.add_signal_handler(number, stop)
    return told


@contextmanager
def _served(metrics: Metrics, settings: Settings) -> Iterator[None]:
    """Serves the metrics within the block, if there is a port for them: on it there is nothing
    else, so that it is open to whoever can reach it."""
    if settings.worker_port is None:
        yield
        return
    try:
        server, thread = start_http_server(
            settings.worker_port, settings.host, registry=metrics.registry
        )
    except OSError as error:
        raise Failure(f"cannot listen on port {settings.worker_port}: {error.strerror}") from error
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
