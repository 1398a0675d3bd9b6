"""OpenTelemetry traces, where the standard `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector.

Needs the extra `otel`. Without an endpoint nothing is imported, and a span is nothing. Texts of
errors never get into a span: they may quote what somebody sent.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
Value = str | int | None
Note = Callable[[str, Value], None]
log = logging.getLogger(__name__)


@contextmanager
def span(
    name: str,
    attributes: Mapping[str, Value],
    *,
    kind: str = "internal",
    parent: str | None = None,
) -> Iterator[Note]:
    """A span around the block; gives what adds an attribute to it.

    Args:
        name: Few different ones: ids are attributes.
        attributes: Those that are None are left out.
        kind: `server`, `consumer` or `internal`.
        parent: The W3C `traceparent` to go on from; else the span around this one.
    """
    tracer = _tracer()
    if tracer is None:
        yield _nothing
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode

    with tracer.start_as_current_span(
        name,
        context=_context_of(parent),
        kind=SpanKind[kind.upper()],
        record_exception=False,
        set_status_on_exception=False,
    ) as current:

        def note(key: str, value: Value) -> None:
            if value is not None:
                current.set_attribute(key, value)
            if key == "error.type" and value is not None:
                current.set_status(Status(StatusCode.ERROR))

        for key, value in attributes.items():
            note(key, value)
        try:
            yield note
        except BaseException as error:
            note("error.type", type(error).__name__)
            raise


def traceparent() -> str | None:
    """The W3C `traceparent` of the present span, to go on from elsewhere; None if there is none."""
    if _tracer() is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def trace_id() -> str | None:
    """The present trace, for logs; None if there is none."""
    present = traceparent()
    return present.split("-")[1] if present else None


def flush() -> None:
    """Sends what has ended; a process that ends does so by itself."""
    if _tracer() is not None:
        _provider().force_flush()


def _nothing(_key: str, _value: Value) -> None:
    pass


def _context_of(parent: str | None) -> Any:
    if parent is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent})


@functools.cache
def _tracer() -> Any:
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if off or not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    try:
        return _provider().get_tracer("etter_dagster")
    except ImportError:
        log.warning("%s is set, but traces need `pip install etter-dagster[otel]`", ENDPOINTS[1])
        return None


@functools.cache
def _provider() -> Any:
    """Our own, not the process's: the router may be mounted in somebody else's app."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = OTELResourceDetector().detect()  # OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES
    provider = TracerProvider(resource=Resource({"service.name": "etter"}).merge(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
