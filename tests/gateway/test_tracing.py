"""Traces: spans of operations, statements and batches, if they are asked for and not otherwise."""

import asyncio
import io
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from brands.callers import CallerKind
from brands.credentials import NewKey
from brands.database import Transaction
from gateway.app import create_app
from gateway.settings import BadSetting, Settings
from gateway.telemetry.tracing import FLUSH_SECONDS, Tracing, is_wanted, tracing_of
from gateway.wire.headers import Headers
from tests.gateway.process import served
from tests.gateway.stage import PEPPER, Stage, open_bare, open_stage

SECRET = "Zebedee-Quux"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def exported() -> InMemorySpanExporter:
    """Where spans end up."""
    return InMemorySpanExporter()


@pytest.fixture
async def traced(url: str, exported: InMemorySpanExporter) -> AsyncIterator[Stage]:
    """A gateway with brands whose spans end up there."""
    async with open_stage(url):
        pass
    async with traced_stage(url, exported) as stage:
        yield stage


@asynccontextmanager
async def traced_stage(url: str, exported: InMemorySpanExporter) -> AsyncIterator[Stage]:
    """A gateway whose spans end up there."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exported))
    settings = Settings(database=url, pepper=PEPPER, worker=False)
    app = create_app(settings, tracing=Tracing(provider))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        stage = Stage(app, client)
        stage.tokens["operator"] = await stage.token(
            NewKey(CallerKind.OPERATOR, "stage", scopes=frozenset({"pii"}))
        )
        exported.clear()
        yield stage


def named(exported: InMemorySpanExporter, name: str) -> Sequence[ReadableSpan]:
    """The spans of this name, in the order of their ends."""
    return [span for span in exported.get_finished_spans() if span.name == name]


async def test_an_operation_and_below_it(traced: Stage, exported: InMemorySpanExporter) -> None:
    """An operation has a span of its type, and its statements have spans below it."""
    headers = {"x-request-id": "a" * 8}
    query = 'query Wallet { member(by: {coalitionNumber: "1"}) { id } }'
    await traced.post({"query": query}, headers=headers)
    (span,) = named(exported, "query")
    assert span.kind is SpanKind.SERVER
    assert span.attributes == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Wallet",
        "coalition.request_id": "a" * 8,
        "coalition.caller": "OPERATOR",
    }
    below = [
        each
        for each in named(exported, "SELECT")
        if each.parent is not None and each.parent.span_id == span.context.span_id
    ]
    assert below
    assert all("$" in str(each.attributes["db.query.text"]) for each in below if each.attributes)


async def test_a_posting(traced: Stage, exported: InMemorySpanExporter) -> None:
    """A batch of the books has a span that says how many commands shared it."""
    ada = await traced.enrol("AERO")
    await traced.give(ada.memberships["AERO"], 5)
    assert len(named(exported, "mutation")) == 2
    (batch,) = named(exported, "ledger batch")
    assert batch.attributes == {"coalition.commands": 1}


async def test_spans_quote_nothing(
    traced: Stage, exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No span has a document, a variable, a value or the message of an exception."""
    by = f'{{ member(by: {{externalId: "{SECRET}"}}) {{ id }} }}'
    await traced.ask(by)
    await traced.ask("query Q($c: String!) { brand(code: $c) { id } }", {"c": SECRET})
    await traced.ask(f"{{ {SECRET} }}", {"x": SECRET})
    given = {
        "profile": {"givenName": SECRET, "familyName": SECRET},
        "externalId": SECRET,
        "brands": ["AERO"],
        "idempotencyKey": SECRET,
    }
    await traced.do("memberEnroll", given)

    fetch = Transaction._fetch

    async def broken(transaction: Transaction, sql: str, values: Sequence[Any]) -> Any:
        if " members " in sql:
            raise RuntimeError(SECRET)
        return await fetch(transaction, sql, values)

    monkeypatch.setattr(Transaction, "_fetch", broken)
    await traced.ask(by)
    spans = exported.get_finished_spans()
    assert len(spans) > 5
    failed = [span.name for span in spans if "RuntimeError" in str(span.attributes)]
    assert failed == ["SELECT"]
    assert dict(spans[-1].attributes or {})["error.type"] == "INTERNAL_SERVER_ERROR"
    assert SECRET not in "".join(span.to_json() for span in spans)


async def test_strangers_decide_nothing(traced: Stage, exported: InMemorySpanExporter) -> None:
    """What a client says of a trace is not heeded: it does not decide what is traced, nor to which
    trace that belongs."""
    for sampled in ("00", "01"):
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-{sampled}"}
        await traced.post({"query": "{ __typename }"}, headers=headers)
    spans = named(exported, "query")
    assert [span.parent for span in spans] == [None] * 2


async def test_nothing_without_being_asked(sqlite_url: str) -> None:
    """Without the variables that ask for traces nothing is in the way of a request or statement."""
    assert tracing_of({}) is None
    async with open_bare(sqlite_url) as stage:
        assert stage.coalition.database._reader.observer is None
        (middleware,) = stage.app.user_middleware
        assert middleware.cls is Headers  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
    ],
)
def test_when_they_are_wanted(environment: dict[str, str], wanted: bool) -> None:
    """The standard variables say whether there are traces."""
    assert is_wanted(environment) is wanted


@pytest.mark.parametrize(
    "environment",
    [
        {"OTEL_TRACES_EXPORTER": "zipkin"},
        {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    ],
)
def test_ways_out_that_there_are_none_of(environment: dict[str, str]) -> None:
    """A way out that the gateway does not have is refused by the variable's name."""
    with pytest.raises(BadSetting, match=next(iter(environment))[:4]):
        is_wanted(environment)


async def test_nobody_takes_them(sqlite_url: str, tmp_path: Path) -> None:
    """A collector that cannot be reached, or never answers, disturbs no request, and holds up the
    end of the process for a bounded time."""
    async with open_bare(sqlite_url) as stage:
        token = stage.tokens["operator"]
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connects, and says nothing
        collector = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with served(
            sqlite_url,
            tmp_path / "log",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector,
            OTEL_BSP_SCHEDULE_DELAY="50",
        ) as gateway:
            async with httpx.AsyncClient(base_url=gateway.url) as client:
                slowest = 0.0
                for _ in range(100):
                    began = time.monotonic()
                    answer = await client.post(
                        "/graphql",
                        json={"query": '{ brand(code: "X") { id } }'},
                        headers={"authorization": f"Bearer {token}"},
                    )
                    assert answer.status_code == 200
                    slowest = max(slowest, time.monotonic() - began)
            assert slowest < 1
            began = time.monotonic()
            gateway.signal()
            assert await asyncio.to_thread(gateway.wait) == 0
            assert time.monotonic() - began < FLUSH_SECONDS + 3
    assert "Traceback" not in gateway.log()


async def test_they_arrive(sqlite_url: str, tmp_path: Path) -> None:
    """A collector gets the spans of the last operation before the process ends."""
    got = io.BytesIO()

    async def collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        got.write(head + await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with open_bare(sqlite_url) as stage:
        token = stage.tokens["operator"]
    server = await asyncio.start_server(collect, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with served(
            sqlite_url,
            tmp_path / "log",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
            OTEL_BSP_SCHEDULE_DELAY="60000",
        ) as gateway:
            assert urlsplit(gateway.url).port != port
            async with httpx.AsyncClient(base_url=gateway.url) as client:
                await client.post(
                    "/graphql",
                    json={"query": "query Last { __typename }"},
                    headers={"authorization": f"Bearer {token}"},
                )
            assert got.getvalue() == b""
            gateway.signal()
            assert await asyncio.to_thread(gateway.wait) == 0
    text = got.getvalue()
    assert b"/v1/traces" in text
    for told in (b"coalition-gateway", b"graphql.operation.name", b"Last"):
        assert told in text
