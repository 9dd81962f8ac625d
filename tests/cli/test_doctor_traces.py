"""`replycast doctor` on traces: whether they can be sent, and whether somebody takes them."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from service.cli.collector import examine_traces
from service.cli.doctor import State
from tests.cli.running import run, write_config
from tests.collector import collecting

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@contextmanager
def answering(code: int) -> Iterator[str]:
    """Give the address of what answers every post with a status."""

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(code)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_nothing_is_said_where_none_are_wanted() -> None:
    assert list(examine_traces({})) == []


def test_a_collector_that_takes_them_is_well_and_is_sent_no_span() -> None:
    with collecting() as collector:
        [found] = examine_traces({ENDPOINT: collector.url})
    assert (found.name, found.state) == ("traces", State.OK)
    assert len(collector.requests) == 1
    assert collector.spans == []


@pytest.mark.parametrize(
    ("code", "state"), [(200, State.OK), (401, State.OK), (404, State.WARN), (500, State.WARN)]
)
def test_what_answers_otherwise_is_no_collector(code: int, state: State) -> None:
    with answering(code) as url:
        [found] = examine_traces({ENDPOINT: url})
    assert found.state is state


def test_one_that_does_not_answer_is_named() -> None:
    [found] = examine_traces({ENDPOINT: "http://127.0.0.1:1"})
    assert found.state is State.WARN
    assert "http://127.0.0.1:1/v1/traces does not answer" in found.text


def test_what_cannot_be_sent_is_said_why() -> None:
    [found] = examine_traces({ENDPOINT: "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    assert found.state is State.WARN
    assert "OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`" in found.text


def test_it_stands_among_what_doctor_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, ENDPOINT, "http://127.0.0.1:1")
    printed = run("doctor", "--json", "--config", write_config(tmp_path))
    found = {one["name"]: one["state"] for one in json.loads(printed.stdout)}
    assert found["traces"] == "warn"
