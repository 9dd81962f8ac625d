"""A collector of traces for tests: takes OTLP over HTTP on 127.0.0.1, and decodes what it is sent."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(slots=True)
class Collector:
    """What was sent to it."""

    url: str
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    fields: list[dict[str, str]] = field(default_factory=list)
    """The header fields of each."""

    @property
    def spans(self) -> list[Span]:
        """All spans, in the order in which they began."""
        found = [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        return sorted(found, key=lambda span: span.start_time_unix_nano)

    def named(self, name: str) -> list[Span]:
        """Give the spans of a name."""
        return [span for span in self.spans if span.name == name]

    @property
    def resource(self) -> dict[str, Any]:
        """What the first sender said of itself."""
        return facts(self.requests[0].resource_spans[0].resource)


def facts(of: Any) -> dict[str, Any]:  # noqa: ANN401  a span, an event, a link or a resource
    """Give the attributes of something as they are."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in of.attributes}


@contextmanager
def collecting(*, answers_after: threading.Event | None = None) -> Iterator[Collector]:
    """Give a collector that runs during the block, and answers at once or once something has happened."""

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            is_right = (self.path, self.headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
            if is_right:
                collector.requests.append(ExportTraceServiceRequest.FromString(body))
                collector.fields.append({name.lower(): value for name, value in self.headers.items()})
            if answers_after is not None:
                answers_after.wait()
            self.send_response(200 if is_right else 400)
            self.send_header("content-type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
