"""Traces by OpenTelemetry: a span for each operation, SQL statement and batch of the books.

Only where the standard `OTEL_…` variables ask for them; otherwise none of this is in the way. Spans
carry neither documents nor variables nor values, and of an exception its class alone.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from threading import Thread
from typing import Protocol

from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
)

from brands.database import TRANSACTION
from gateway.graphql import masking
from gateway.graphql.operations import Body, NotRun, Operation, Operations
from gateway.graphql.requests import Refused
from gateway.settings import BadSetting
from gateway.telemetry.reports import LONGEST_NAME

FLUSH_SECONDS = 3.0
"""How long the last spans are given to leave when the process stops."""

LONGEST_STATEMENT = 2_000
"""How much of a statement is told. Values are no part of it."""

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
_UNOBSERVED: AbstractContextManager[None] = nullcontext()


class Provider(Protocol):
    """Where spans go: OpenTelemetry's SDK, which the API knows without its end."""

    def get_tracer(self, instrumenting_module_name: str) -> Tracer: ...
    def shutdown(self) -> None: ...


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces. Raises `BadSetting` for a way out there is none
    of."""
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter not in ("", "otlp", "none"):
        raise BadSetting("OTEL_TRACES_EXPORTER is otlp or none.")
    disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    asked_for = exporter == "otlp" or any(environment.get(name) for name in _ENDPOINTS)
    if disabled or exporter == "none" or not asked_for:
        return False
    for name in _PROTOCOLS:
        if environment.get(name, "http/protobuf") != "http/protobuf":
            raise BadSetting(f"{name} is http/protobuf.")
    return True


def tracing_of(environment: Mapping[str, str]) -> "Tracing | None":
    """Traces, if the environment asks for them."""
    if not is_wanted(environment):
        return None
    # The SDK takes a quarter of a second and 15 MB, which only those pay who want it.
    return Tracing(import_module("gateway.telemetry.trace_export").provider())


class Tracing:
    """Makes the spans of one process."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.tracer = provider.get_tracer("coalition")

    def statement(self, sql: str) -> AbstractContextManager[None]:
        """Surrounds a statement of an operation that is traced; see `Database.observe`."""
        return self._statement(sql) if get_current_span().is_recording() else _UNOBSERVED

    @contextmanager
    def _statement(self, sql: str) -> Iterator[None]:
        name = "transaction" if sql == TRANSACTION else sql.split(None, 1)[0].upper()
        with self.span(name, SpanKind.CLIENT) as span:
            span.set_attribute("db.operation.name", name)
            if sql != TRANSACTION:
                span.set_attribute("db.query.text", sql[:LONGEST_STATEMENT])
            yield

    @contextmanager
    def batch(self, commands: int) -> Iterator[None]:
        """Surrounds a batch of the books; see `WatchedLanes`."""
        with self.span("ledger batch", SpanKind.CLIENT) as span:
            span.set_attribute("coalition.commands", commands)
            yield

    @contextmanager
    def span(self, name: str, kind: SpanKind) -> Iterator[Span]:
        """A span of what the block does. Of what it raises only the class is told: a message may
        quote what somebody typed."""
        with self.tracer.start_as_current_span(
            name, kind=kind, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except NotRun as reason:
                _fails(span, reason.body)
                raise
            except Refused as refused:
                _fails(span, {"errors": [refused.error]})
                raise
            except asyncio.CancelledError:  # too late, or nobody waits for it any more
                span.set_attribute("error.type", "cancelled")
                raise
            except Exception as error:
                span.set_attribute("error.type", type(error).__qualname__)
                span.set_status(Status(StatusCode.ERROR))
                raise

    async def close(self) -> None:
        """Sends what is left, if somebody is there to take it. Takes `FLUSH_SECONDS` at most."""
        leaving = Thread(target=self._provider.shutdown, daemon=True)
        leaving.start()
        await asyncio.to_thread(leaving.join, FLUSH_SECONDS)


def operations_of(tracing: Tracing | None) -> type[Operations]:
    """The operations of a process: each with a span around its execution, if there are traces."""
    if tracing is None:
        return Operations
    span_of = tracing.span

    class TracedOperations(Operations):
        async def execute(self, operation: Operation) -> Body:
            with span_of(operation.type.value, SpanKind.SERVER) as span:
                _describe(span, operation)
                body = await super().execute(operation)
                _fails(span, body)
                return body

    return TracedOperations


def _fails(span: Span, body: Body) -> None:
    if errors := body.get("errors"):
        code = errors[0]["extensions"]["code"]
        span.set_attribute("error.type", code)
        if masking.is_our_fault(code):
            span.set_status(Status(StatusCode.ERROR))


def _describe(span: Span, operation: Operation) -> None:
    span.set_attribute("graphql.operation.type", operation.type.value)
    if operation.node.name is not None:
        span.set_attribute("graphql.operation.name", operation.node.name.value[:LONGEST_NAME])
    span.set_attribute("coalition.request_id", operation.request_id)
    if operation.caller is not None:
        span.set_attribute("coalition.caller", operation.caller.kind.value)
