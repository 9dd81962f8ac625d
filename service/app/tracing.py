"""Whether traces are wanted, as OpenTelemetry's environment variables say, and the ports by which work is traced.

Nothing of OpenTelemetry is imported here: `spans` and `exporting_spans` do that, and only where traces are wanted and
can be sent are they imported.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, Protocol

import structlog
from starlette.types import ASGIApp

from service.actions.notes import Notes
from service.mail.imap import FetchedMail
from service.outbox.attempts import Noted
from service.store.inbox_rows import Arrival

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN: Final = "http/protobuf"

Receive = Callable[[Arrival], Awaitable[int]]
Take = Callable[[Sequence[FetchedMail]], None]
Step = Callable[[], Awaitable[bool]]

_log = structlog.get_logger()


class Traces(Protocol):
    """What wraps the work of a process in spans; each gives what does the same work."""

    def web(self, web: ASGIApp) -> ASGIApp:
        """Trace requests that may change something."""

    def receiving(self, receive: Receive) -> Receive:
        """Tell the span of a request which arrival came of it."""

    def taking(self, take: Take) -> Take:
        """Trace what is done with mails of the mailbox as they come."""

    def noting(self, notes: Notes) -> Notes:
        """Trace what is worked off, and tell in it what was decided."""

    def attempting(self, noted: Noted) -> Noted:
        """Trace attempts to send."""

    def step(self, name: str, step: Step) -> Step:
        """Tell when a step of the loop of this name begins and ends."""


class Untraced:
    """Where no traces are wanted: everything is left as it is."""

    def web(self, web: ASGIApp) -> ASGIApp:
        """Leave it as it is, as all of these do."""
        return web

    def receiving(self, receive: Receive) -> Receive:
        """Leave it."""
        return receive

    def taking(self, take: Take) -> Take:
        """Leave it."""
        return take

    def noting(self, notes: Notes) -> Notes:
        """Leave them."""
        return notes

    def attempting(self, noted: Noted) -> Noted:
        """Leave it."""
        return noted

    def step(self, name: str, step: Step) -> Step:
        """Leave it."""
        del name
        return step


def are_wanted(environ: Mapping[str, str]) -> bool:
    """Tell whether the environment asks for traces: it names where they go, or `otlp` in OTEL_TRACES_EXPORTER."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = _exporters(environ)
    return exporters != ["none"] and bool(exporters or any(environ.get(name) for name in _ENDPOINTS))


def why_impossible(environ: Mapping[str, str]) -> str:
    """Say why traces that are wanted cannot be sent; "" where they can."""
    exporters = _exporters(environ)
    if exporters and "otlp" not in exporters:
        return f"OTEL_TRACES_EXPORTER is `{', '.join(exporters)}`, and only `otlp` can be sent"
    for name in _PROTOCOLS:
        if protocol := environ.get(name, "").strip():
            if protocol != _SPOKEN:
                return f"{name} is `{protocol}`, and only `{_SPOKEN}` is spoken, at a collector's port 4318"
            break
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        return "OpenTelemetry is not installed: install `replycast[otel]`"
    return ""


def endpoint_of(environ: Mapping[str, str]) -> str:
    """Give where traces go, as OpenTelemetry's own rules have it."""
    own, common = (environ.get(name, "").strip() for name in _ENDPOINTS)
    return own or f"{(common or 'http://localhost:4318').rstrip('/')}/v1/traces"


@contextmanager
def tracing(environ: Mapping[str, str]) -> Iterator[Traces]:
    """Trace during the block, where the environment asks for it; at the end what is left gets three seconds to go.

    What cannot be sent is no reason not to serve: it is said in the log.
    """
    if not are_wanted(environ):
        yield Untraced()
    elif why_not := why_impossible(environ):
        _log.warning("traces are not sent", reason=why_not)
        yield Untraced()
    else:
        exporter: Any = import_module("service.app.exporting_spans")
        with exporter.exporting() as traces:
            _log.info("traces are sent", to=endpoint_of(environ))
            yield traces


def _exporters(environ: Mapping[str, str]) -> list[str]:
    named = environ.get("OTEL_TRACES_EXPORTER", "").lower().split(",")
    return [one for text in named if (one := text.strip())]
