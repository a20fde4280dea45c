"""Structured logs: one JSON object a line, on standard error.

No personal data and no secrets: nothing that a client sent is logged but the name it gave to its
operation, and of an unexpected exception the places it passed through, never its message, which may
quote what somebody typed.
"""

import logging
import sys
from traceback import extract_tb
from types import TracebackType
from typing import Any

import orjson
import structlog
from structlog.typing import FilteringBoundLogger

_LOUD = {"tortoise": logging.WARNING, "asyncio": logging.WARNING}


def configure_logs(*, level: int = logging.INFO) -> None:
    """Sets up logging for this process; at a terminal lines are for people, else JSON."""
    terminal = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if terminal
        else structlog.processors.JSONRenderer(serializer=orjson.dumps)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr)
        if terminal
        else structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=False,
    )
    for name, loudness in _LOUD.items():
        logging.getLogger(name).setLevel(loudness)


def logger() -> FilteringBoundLogger:
    """A logger of the process's own events."""
    log: FilteringBoundLogger = structlog.get_logger()
    return log


def traces(error: BaseException) -> list[dict[str, Any]]:
    """An exception and what caused it: their classes and the places they passed through."""
    chain: list[dict[str, Any]] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        name = f"{type(current).__module__}.{type(current).__qualname__}"
        chain.append({"class": name, "at": _places(current.__traceback__)})
        current = current.__cause__ or current.__context__
    return chain


def _places(traceback: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(traceback)]
