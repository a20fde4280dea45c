"""Where spans go: to a collector that speaks OTLP over HTTP, in batches, by OpenTelemetry's SDK.

A bounded queue lies between: when nobody takes the spans the oldest are dropped, and no operation
waits. Everything about it (the address, sampling, the queue's length) is set by the standard
`OTEL_…` variables.
"""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

NAME = "coalition-gateway"
"""What the service is called, unless the environment names it."""


def provider() -> TracerProvider:
    """The provider that the environment asks for."""
    made = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return made


def _resource() -> Resource:
    given = Resource.create()
    if str(given.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return given.merge(Resource({SERVICE_NAME: NAME}))
    return given
