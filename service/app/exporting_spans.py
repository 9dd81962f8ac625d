"""Sends spans by OpenTelemetry's own exporter, as its environment variables say, and lets the log name them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from structlog.typing import EventDict

from service.app.spans import Spans

LAST_WORDS: Final = 3.0
"""Seconds in which what was not sent yet may still go at the end: no collector holds up a restart."""


@contextmanager
def exporting() -> Iterator[Spans]:
    """Send spans during the block, to where and how OpenTelemetry's environment variables say."""
    # what the environment says of the service comes before what we say
    said = OTELResourceDetector().detect().attributes
    ours = version("replycast")
    resource = Resource.create({"service.name": "replycast", "service.version": ours, **said})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        with _told_in_log():
            yield Spans(provider.get_tracer("replycast", ours))
    finally:
        ending = threading.Thread(target=provider.shutdown, name="last traces", daemon=True)
        ending.start()
        ending.join(LAST_WORDS)


@contextmanager
def _told_in_log() -> Iterator[None]:
    """Let each line of the log name the span that it belongs to."""
    # in place, since loggers keep this very list
    processors = structlog.get_config()["processors"]
    processors.insert(0, _name_span)
    try:
        yield
    finally:
        processors.remove(_name_span)


def _name_span(_logger: object, _method: str, said: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        said["trace_id"] = trace.format_trace_id(context.trace_id)
        said["span_id"] = trace.format_span_id(context.span_id)
    return said
