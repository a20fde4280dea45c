"""Metrics: what this process counts and measures, for Prometheus to fetch.

No label comes from a client: not the name of an operation, not a code that this file does not know.
Each application has a registry of its own. `docs/operations.md` has the table of them.
"""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from brands.coalition import Coalition
from gateway.graphql.documents import Documents

NONE = "none"
"""The label of what there is none of: no caller, no operation, no error."""

OTHER = "OTHER"
"""The label of a code that is not one of the known."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_COMMANDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """The metrics of one process. What is merely looked at when they are fetched (the books'
    queue, the pool, the streams) is told by functions."""

    def __init__(self, codes: frozenset[str] = frozenset()) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._codes = codes
        self._requests: dict[tuple[str, str, str, str, int], Counter] = {}
        self._latencies: dict[str, Histogram] = {}
        self._make_requests()
        self._make_books()
        self._make_duties()
        self._make_looked_at()
        for process in (ProcessCollector, PlatformCollector, GCCollector):
            process(registry=self.registry)
        Info("coalition_build", "Which build runs.", registry=self.registry).info(
            {"version": _version(), "python": platform.python_version()}
        )

    def request(
        self, transport: str, type_: str, code: str | None, kind: str, status: int, seconds: float
    ) -> None:
        """An operation is over. `code` is that of its first error."""
        if code is None:
            code = NONE
        elif code not in self._codes:
            code = OTHER
        labels = (transport, type_, code, kind, status)
        counter = self._requests.get(labels)
        if counter is None:
            counter = self._requests[labels] = self._requests_total.labels(*labels)
        counter.inc()
        latency = self._latencies.get(type_)
        if latency is None:
            latency = self._latencies[type_] = self._request_seconds.labels(type_)
        latency.observe(seconds)

    def look_at(self, coalition: Coalition) -> None:
        """Has the books' queue and the connections of a coalition looked at."""
        self._waiting.set_function(lambda: coalition.ledger.waiting)
        connections = coalition.database.connections
        self._connections.labels("idle").set_function(lambda: connections()[1])
        self._connections.labels("busy").set_function(lambda: connections()[0] - connections()[1])

    def look_at_documents(self, documents: Documents) -> None:
        """Has the documents that are remembered looked at."""
        self._documents.set_function(lambda: len(documents))
        self._reads.documents = documents

    def page(self, accept: str | None) -> tuple[bytes, str]:
        """All of them as text, and the media type that it is in."""
        encode, content_type = choose_encoder(accept or "")
        return encode(self.registry), content_type

    def _make_requests(self) -> None:
        self._requests_total = Counter(
            "coalition_requests",
            "Operations that are over, by how they came, their type, the code of their first "
            "error, the kind of caller, and the HTTP status (0 where there is none).",
            ("transport", "type", "code", "caller", "status"),
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "coalition_request_seconds",
            "How long an operation took, from the first byte read to the last one written.",
            ("type",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "coalition_requests_in_flight",
            "Requests to the GraphQL endpoint under way.",
            registry=self.registry,
        )

    def _make_books(self) -> None:
        self.batch_seconds = Histogram(
            "coalition_ledger_batch_seconds",
            "How long a batch of commands took to be judged and committed.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batch_commands = Histogram(
            "coalition_ledger_batch_commands",
            "How many commands shared a batch that was committed.",
            buckets=_COMMANDS,
            registry=self.registry,
        )
        self.batches_failed = Counter(
            "coalition_ledger_batches_failed",
            "Batches that failed as a whole, most of which are tried again.",
            registry=self.registry,
        )
        self._waiting = Gauge(
            "coalition_ledger_commands_waiting",
            "Commands that no lane has taken up yet.",
            registry=self.registry,
        )

    def _make_duties(self) -> None:
        self.duties = Counter(
            "coalition_duties",
            "Rounds of the worker's duties, by how they ended.",
            ("duty", "outcome"),
            registry=self.registry,
        )
        self.duties_done = Counter(
            "coalition_duty_items",
            "What the worker's duties found due and did.",
            ("duty",),
            registry=self.registry,
        )
        self.duty_seconds = Histogram(
            "coalition_duty_seconds",
            "How long a duty took.",
            ("duty",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.duty_succeeded = Gauge(
            "coalition_duty_last_success_timestamp_seconds",
            "When a duty last ended well, in Unix time.",
            ("duty",),
            registry=self.registry,
        )

    def _make_looked_at(self) -> None:
        self._connections = Gauge(
            "coalition_sql_connections",
            "Connections for reading and short transactions; none are counted on SQLite.",
            ("state",),
            registry=self.registry,
        )
        self.streams_open = Gauge(
            "coalition_streams_open",
            "Subscriptions that are open, by how their events travel.",
            ("transport",),
            registry=self.registry,
        )
        self._documents = Gauge(
            "coalition_documents_remembered",
            "Documents that are remembered, parsed and validated.",
            registry=self.registry,
        )
        self._reads = _Reads()
        self.registry.register(self._reads)


class _Reads(Collector):
    """How documents were read: counted where they are, and only told here."""

    def __init__(self) -> None:
        self.documents: Documents | None = None

    def collect(self) -> Iterator[Metric]:
        told = CounterMetricFamily(
            "coalition_document_reads",
            "Documents read, by whether they were remembered or had to be parsed and validated.",
            labels=("outcome",),
        )
        if self.documents is not None:
            told.add_metric(("remembered",), self.documents.found)
            told.add_metric(("parsed",), self.documents.understood)
        yield told


def _version() -> str:
    try:
        return version("coalition-gateway")
    except PackageNotFoundError:  # run from its sources, without having been installed
        return "unknown"
