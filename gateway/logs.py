"""Structured logs: one JSON object a line, on standard error.

No personal data and no secrets: nothing that a client sent is logged but the name it gave to its
operation, and of an unexpected exception the places it passed through, never its message, which may
quote what somebody typed.
"""

import logging
import sys
from traceback import extract_tb
from types import TracebackType
from typing import Any, BinaryIO

import orjson
import structlog
from structlog.typing import FilteringBoundLogger

_LOUD = {"tortoise": logging.WARNING, "asyncio": logging.WARNING}


def configure_logs(to: BinaryIO | None = None, *, level: int = logging.INFO) -> None:
    """Sets up logging for this process: to standard error, where lines are for people if it is a
    terminal, or as JSON to the stream given."""
    for_people = to is None and sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer()
            if for_people
            else structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr)
        if for_people
        else structlog.BytesLoggerFactory(to or sys.stderr.buffer),
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
