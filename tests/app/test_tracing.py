"""Whether traces are wanted is for OpenTelemetry's variables to say; where they are not, nothing is spent on them."""

import subprocess
import sys
import threading
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.app import exporting_spans, tracing
from service.app.meters import Meters
from service.app.spans import Spans
from service.app.tracing import Untraced, are_wanted, endpoint_of, why_impossible
from tests.collector import collecting

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
FOR_TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
HERE = "http://127.0.0.1:4318"


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "status"}, False),
        ({ENDPOINT: ""}, False),
        ({ENDPOINT: HERE}, True),
        ({FOR_TRACES: f"{HERE}/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": " OTLP "}, True),
        ({ENDPOINT: HERE, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({ENDPOINT: HERE, "OTEL_SDK_DISABLED": "true"}, False),
        ({ENDPOINT: HERE, "OTEL_SDK_DISABLED": "false"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": HERE}, False),
    ],
)
def test_they_are_wanted_where_it_is_said_where_they_go(environ: Mapping[str, str], *, wanted: bool) -> None:
    assert are_wanted(environ) is wanted


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, ""),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, ""),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`"),
        (
            {
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            },
            "",
        ),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER is `zipkin`"),
        ({"OTEL_TRACES_EXPORTER": "console,otlp"}, ""),
    ],
)
def test_what_cannot_be_sent_is_named(environ: Mapping[str, str], said: str) -> None:
    found = why_impossible(environ)
    assert found.startswith(said)
    assert bool(found) is bool(said)


@pytest.mark.parametrize(
    ("environ", "endpoint"),
    [
        ({ENDPOINT: f"{HERE}/"}, f"{HERE}/v1/traces"),
        ({ENDPOINT: HERE, FOR_TRACES: "http://127.0.0.1:9/own"}, "http://127.0.0.1:9/own"),
        ({}, "http://localhost:4318/v1/traces"),
    ],
)
def test_they_go_where_opentelemetrys_own_rules_say(environ: Mapping[str, str], endpoint: str) -> None:
    assert endpoint_of(environ) == endpoint


def test_without_the_extra_the_service_says_so_and_traces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> ModuleSpec | None:
        return None if name.startswith("opentelemetry") else ModuleSpec(name, None)

    monkeypatch.setattr(tracing, "find_spec", find_spec)
    with capture_logs() as told, tracing.tracing({ENDPOINT: HERE}) as traces:
        assert isinstance(traces, Untraced)
    assert [one["reason"] for one in told] == ["OpenTelemetry is not installed: install `replycast[otel]`"]


def test_where_they_are_not_wanted_everything_is_left_as_it_is() -> None:
    async def work() -> bool:
        raise NotImplementedError

    meters = Meters()
    notes = meters.notes
    with capture_logs() as told, tracing.tracing({}) as traces:
        assert traces.noting(notes) is notes
        assert notes.traced is None
        assert traces.step("send", work) is work
        assert traces.attempting(meters.attempted) == meters.attempted
    assert told == []


def test_nothing_of_opentelemetry_is_imported_where_they_are_not_wanted() -> None:
    program = (
        "import sys, service.app.running, service.app.tracing as tracing\n"
        "with tracing.tracing({}):\n"
        "    print([name for name in sys.modules if name.startswith(('opentelemetry', 'google.protobuf'))])"
    )
    root = Path(__file__).parents[2]
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert said.stdout == "[]\n"


def test_where_they_are_wanted_what_is_left_goes_out_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        monkeypatch.setenv(ENDPOINT, collector.url)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "status of acme")
        with tracing.tracing({ENDPOINT: collector.url}) as traces:
            assert isinstance(traces, Spans)
            traces.taking(lambda _: None)([])
        assert [span.name for span in collector.spans] == ["receive mails"]
        assert collector.resource["service.name"] == "status of acme"


def test_a_collector_that_does_not_answer_holds_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(exporting_spans, "LAST_WORDS", 0.01)
    with collecting(answers_after=ended) as collector:
        monkeypatch.setenv(ENDPOINT, collector.url)
        with tracing.tracing({ENDPOINT: collector.url}) as traces:
            traces.taking(lambda _: None)([])
        [still_sending] = [one for one in threading.enumerate() if one.name == "last traces"]
        ended.set()
        still_sending.join()
    assert [span.name for span in collector.spans] == ["receive mails"]
