"""A whole story as a collector of traces sees it: the real service, its own mail servers, OTLP over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.cli.running import PATIENCE, run_process, start, write_config
from tests.collector import Collector, collecting, facts

pytestmark = pytest.mark.xdist_group("processes")


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """Give what was sent while the demo was played: alert, wait time, notification, reply, publication, recovery."""
    with collecting() as found:
        asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": found.url, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=hush"}
        code, out, err = run_process("demo", folder=tmp_path_factory.mktemp("demo"), **asked)
        assert code == 0, out + err
        yield found


def decided(span: Span) -> str:
    """Give why the decision was made that a span tells of."""
    return str(facts(span)["replycast.reason"])


def test_the_service_says_who_it_is_and_shows_its_key(collector: Collector) -> None:
    assert collector.resource["service.name"] == "replycast"
    assert collector.resource["service.version"]
    assert {one["api-key"] for one in collector.fields} == {"hush"}


def test_from_the_post_to_the_decision_to_wait_it_is_one_trace(collector: Collector) -> None:
    post = collector.named("POST /webhook/{provider}")[0]
    decision = collector.named("decide webhook")[0]
    assert post.kind == Span.SPAN_KIND_SERVER
    assert decision.parent_span_id == post.span_id
    assert facts(post)["replycast.inbox.id"] == facts(decision)["replycast.inbox.id"]
    assert (decided(decision), facts(decision)["replycast.phase"]) == ("opened", "waiting")


def test_the_end_of_the_wait_time_leads_to_the_mail_and_back_to_the_alert(collector: Collector) -> None:
    [timer] = collector.named("fire incident timer")
    asked = next(one for one in collector.named("send mail") if one.parent_span_id == timer.span_id)
    assert [link.span_id for link in timer.links] == [collector.named("decide webhook")[0].span_id]
    assert decided(timer) == "wait_elapsed"
    assert facts(asked)["replycast.delivery.kind"] == "approval"
    assert facts(asked)["replycast.delivery.outcome"] == "sent"


def test_from_the_reply_to_the_fan_out_it_is_one_trace(collector: Collector) -> None:
    [fetched] = collector.named("receive mails")
    [decision] = collector.named("decide mail")
    fan_out = collector.named("fan out")[0]
    assert decision.parent_span_id == fetched.span_id
    assert decided(decision) == "published"
    assert [link.span_id for link in decision.links] == [collector.named("fire incident timer")[0].span_id]
    assert fan_out.parent_span_id == decision.span_id
    assert facts(fan_out)["replycast.deliveries.sent"] == 1
    assert fetched.start_time_unix_nano <= fan_out.start_time_unix_nano


def test_no_address_stands_in_any_trace(collector: Collector) -> None:
    told = [one for span in collector.spans for one in (span, *span.events, *span.links)]
    values = [str(value) for one in told for value in facts(one).values()]
    assert len(values) > 50
    assert not [value for value in values if "@" in value]


def test_what_the_log_says_of_a_decision_names_its_span(tmp_path: Path) -> None:
    with collecting() as found:
        where = {"OTEL_EXPORTER_OTLP_ENDPOINT": found.url}
        typed = ("serve", "--config", write_config(tmp_path), "--port", 0)
        with start(*typed, folder=tmp_path, **where) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            body = b'{"monitorName": "Email Server", "state": "CRITICAL"}'
            with urlopen(f"{url}/webhook/victorops", body, timeout=PATIENCE) as answer:  # noqa: S310  it is our own
                assert answer.status == 202
            lines = map(json.loads, process.stderr)
            told = next(line for line in lines if line["event"] == "decided")
            process.terminate()
            rest = list(lines)
    [span] = found.named("decide webhook")
    assert (told["trace_id"], told["span_id"]) == (span.trace_id.hex(), span.span_id.hex())
    assert rest[-1]["event"] == "stopped"
    assert "trace_id" not in rest[-1]
