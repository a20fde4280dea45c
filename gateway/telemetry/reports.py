"""What is told of every operation once it is over: one line in the log, and the metrics.

The same for HTTP, event streams and WebSockets. Nothing of what the client sent is told but the
name of an operation that fits the schema, and a request id of its own making if that is harmless.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from uuid_utils import uuid7

from brands.callers import Caller
from gateway.graphql.operations import Operation
from gateway.logs import logger
from gateway.telemetry.metrics import NONE, Metrics

LONGEST_NAME = 100
"""How much of an operation's name is told."""

MOST_CODES = 10
"""How many codes of one answer are told."""

_HARMLESS = re.compile(rb"[A-Za-z0-9-]{8,64}")


def request_id_of(given: bytes | None) -> str:
    """The id of a request: what the client or a proxy gave it, if that cannot be anything else
    than an id; else one of our own. It need not be unique: it only helps to find things again."""
    if given is not None and _HARMLESS.fullmatch(given):
        return given.decode("ascii")
    return uuid7().hex


@dataclass(slots=True)
class Noted:
    """What is known of one operation, from its beginning on."""

    request_id: str
    transport: str
    client: str | None = None
    kind: str = NONE
    operation: str | None = None
    type: str = NONE
    events: int | None = None
    """How many events a stream has brought, if it is one."""
    began: int = field(default_factory=time.perf_counter_ns)

    def by(self, caller: Caller) -> None:
        """It is asked for by this caller."""
        self.client = caller.client
        self.kind = caller.kind.value

    def opens(self) -> None:
        """A stream is open from now on: said at once, for it may last."""
        self.events = 0
        logger().info(
            "stream",
            request_id=self.request_id,
            transport=self.transport,
            client=self.client,
            operation=self.operation,
        )

    def brings(self) -> None:
        """The stream brings an event."""
        self.events = (self.events or 0) + 1

    def asks(self, operation: Operation) -> None:
        """It is for this operation."""
        self.type = operation.type.value
        name = operation.node.name
        self.operation = name.value[:LONGEST_NAME] if name else None


class Reports:
    """Tells of operations. One per process."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._in_flight = 0
        metrics.in_flight.set_function(lambda: self._in_flight)

    def begins(self, transport: str, given_id: bytes | None = None) -> Noted:
        """An operation begins; `over` has to follow. `given_id` is the header `X-Request-Id`."""
        self._in_flight += 1
        return Noted(request_id_of(given_id), transport)

    def over(
        self, noted: Noted, status: int, body: Mapping[str, Any], **more: str | int | None
    ) -> None:
        """It is over, with this answer. `status` is 0 where there is none of HTTP's."""
        self._in_flight -= 1
        nanoseconds = time.perf_counter_ns() - noted.began
        codes = _codes(body)
        self._metrics.request(
            noted.transport,
            noted.type,
            codes[0] if codes else None,
            noted.kind,
            status,
            nanoseconds / 1e9,
        )
        cost = (body.get("extensions") or {}).get("cost")
        if noted.events is not None:
            more["events"] = noted.events
        if cost is not None:
            more["cost"] = cost.get("actual", cost.get("requested"))
        logger().info(
            "request",
            request_id=noted.request_id,
            transport=noted.transport,
            client=noted.client,
            type=noted.type,
            operation=noted.operation,
            status=status,
            errors=codes,
            milliseconds=nanoseconds // 10_000 / 100,
            **more,
        )


def _codes(body: Mapping[str, Any]) -> list[str]:
    errors = body.get("errors")
    if not errors:
        return []
    codes = (error.get("extensions", {}).get("code", "") for error in errors)
    return list(dict.fromkeys(codes))[:MOST_CODES]
