"""Ending a command's work when the process is told to terminate."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TERMINATED = 143
"""The exit status of what was told to terminate, as shells have it."""


class Terminated(Exception):
    """The process was told to terminate."""


@asynccontextmanager
async def terminable() -> AsyncIterator[None]:
    """What is inside is cancelled by SIGTERM, and `Terminated` raised instead."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None, "what can be cancelled is a task"
    is_told = False

    def stop() -> None:
        nonlocal is_told
        is_told = True
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, stop)
    try:
        yield
    except asyncio.CancelledError:
        if not is_told:
            raise
        task.uncancel()
        raise Terminated from None
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
