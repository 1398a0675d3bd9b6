"""Traces as a collector gets them: of a request, its push and each step, under one trace."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from etter_dagster import tracing
from etter_dagster.assessors.protocol import AssessmentFailed
from etter_dagster.settings import Settings
from etter_dagster_tests.rest import push_body, rest_of

WHY = "make install-dev (or pip install 'etter-dagster[otel]')"
pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason=WHY)
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "b7ad6b7169203331"
ERROR = 2  # of OTLP's status codes


class Collector:
    """What an OTLP collector was sent, over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []

    def spans(self) -> dict[str, Any]:
        """The spans by name; of several with one name the last."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
            ExportTraceServiceRequest,
        )

        tracing.flush()
        found: dict[str, Any] = {}
        for path, body in self.bodies:
            assert path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    found |= {span.name: span for span in scope.spans}
        return found


def attributes(span: Any) -> dict[str, Any]:
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes
    }


def read_environment_again() -> None:
    if tracing._tracer() is not None:
        tracing._provider().shutdown()
    tracing._provider.cache_clear()
    tracing._tracer.cache_clear()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector that the standard variable names."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.bodies.append((self.path, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    read_environment_again()
    yield found
    monkeypatch.undo()
    read_environment_again()
    server.shutdown()
    thread.join()
    server.server_close()


async def test_request_push_and_steps_are_one_trace(
    settings: Settings, collector: Collector
) -> None:
    """The caller's, although the push is worked on later and by another process's walk."""
    async with rest_of(settings) as rest:
        headers = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
        answer = await rest.http.post("/push", json=push_body(), headers=headers)
        await rest.work()
    assert answer.headers["X-Trace-Id"] == TRACE
    spans = collector.spans()
    request = next(span for name, span in spans.items() if name.startswith("POST "))
    push, step = spans["push"], spans["step ai_assessment"]
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE}
    assert request.parent_span_id.hex() == CALLER
    assert push.parent_span_id == request.span_id
    assert step.parent_span_id == push.span_id
    assert "step role_setup" in spans
    workflow_id = answer.json()["workflow_id"]
    assert attributes(push)["etter.workflow_id"] == workflow_id
    assert attributes(push)["etter.role_id"] == answer.json()["role_id"]
    assert attributes(push)["etter.status"] == "ready"
    assert attributes(request)["http.response.status_code"] == 200
    assert attributes(step)["etter.workflow_id"] == workflow_id


async def test_a_failure_is_named_by_its_code_alone(
    settings: Settings, collector: Collector
) -> None:
    """Its text may quote a document; and a name of a role is in no span."""
    async with rest_of(settings) as rest:
        rest.assessor.script = [AssessmentFailed("the text says: hush")]
        await rest.push("Keeper of Secrets")
        await rest.work()
    spans = collector.spans()
    for name in ("push", "step ai_assessment"):
        assert spans[name].status.code == ERROR
        assert attributes(spans[name])["error.type"] == "ASSESSMENT_FAILED"
    sent = b"".join(body for _, body in collector.bodies)
    assert b"hush" not in sent
    assert b"Keeper" not in sent


async def test_an_exception_ends_the_span_and_goes_on(collector: Collector) -> None:
    with pytest.raises(LookupError), tracing.span("broken", {}):
        raise LookupError("hush")
    assert attributes(collector.spans()["broken"]) == {"error.type": "LookupError"}


def test_without_an_endpoint_nothing_is_imported() -> None:
    """Nor where the standard variable switches it off."""
    code = (
        "import sys; from etter_dagster.tracing import span, traceparent\n"
        "with span('x', {'a': 1}) as note: note('b', 2); assert traceparent() is None\n"
        "print([m for m in sys.modules if m.startswith('opentelemetry')])"
    )
    off = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}
    for environment in ({}, off):
        ran = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True
        )
        assert ran.stdout == "[]\n", ran.stderr
