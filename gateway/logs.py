"""Structured logs: one JSON object a line, on standard error.

No personal data and no secrets: nothing that a client sent is logged but the name it gave to its
operation, and of an unexpected exception the places it passed through, never its message, which may
quote what somebody typed. What libraries log goes the same way: of uvicorn and the like the words
without what was put into them, of all others the place alone.
"""

import logging
import sys
from functools import cache
from traceback import extract_tb
from types import TracebackType
from typing import Any, BinaryIO

import orjson
import structlog
from structlog.typing import FilteringBoundLogger

_CONSTANT = ("asyncio", "opentelemetry", "uvicorn", "websockets")
"""Libraries whose messages are constants into which something is put. Of several lines the first is
one: asyncio goes on with what it is about."""

_LONGEST_MESSAGE = 200


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
    _bound.cache_clear()
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    for handler in [each for each in root.handlers if isinstance(each, _Libraries)]:
        root.removeHandler(handler)
    root.addHandler(_Libraries())


def logger() -> FilteringBoundLogger:
    """A logger of the process's own events."""
    return _bound() if structlog.is_configured() else _unbound()


@cache
def _bound() -> FilteringBoundLogger:
    """Bound once: it is used by every request."""
    bound: FilteringBoundLogger = _unbound().bind()
    return bound


def _unbound() -> FilteringBoundLogger:
    log: FilteringBoundLogger = structlog.get_logger()
    return log


class _Libraries(logging.Handler):
    """Takes what libraries log, and tells what is known to quote nothing."""

    def emit(self, record: logging.LogRecord) -> None:
        told: dict[str, Any] = {
            "library": record.name,
            "at": f"{record.pathname}:{record.lineno} {record.funcName}",
        }
        if record.name.startswith(_CONSTANT):
            told["message"] = str(record.msg).partition("\n")[0][:_LONGEST_MESSAGE]
        if record.exc_info and record.exc_info[1] is not None:
            told["error"] = traces(record.exc_info[1])
        logger().log(record.levelno, "library", **told)


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
