"""What stands in spans, how they lead back to each other, and that nothing private is in them."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import httpx2
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.actions.house import House
from service.actions.notes import Notes, Work
from service.app import remembered_spans
from service.app.spans import Spans
from service.model import Delivery, DeliveryKind, Incident, Phase
from service.outbox.attempts import Noted, Outcome, nobody
from service.store.inbox_rows import Arrival, Door
from service.web import webhooks
from service.web.application import build
from service.workflow import Decision, Reason
from tests.rooms import Clock, make_front

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = "s3cr3t-of-the-webhook"


class Kept(InMemorySpanExporter):
    """What was traced."""

    def named(self, name: str) -> list[ReadableSpan]:
        """Give the spans of a name, in the order in which they ended."""
        return [span for span in self.get_finished_spans() if span.name == name]


@pytest.fixture
def kept() -> Kept:
    """Give where spans end up."""
    return Kept()


@pytest.fixture
def spans(kept: Kept) -> Iterator[Spans]:
    """Give what makes them."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    yield Spans(provider.get_tracer("test"))
    provider.shutdown()


def decision(number: int = 1, reason: Reason = Reason.OPENED) -> Decision:
    """Give a decision about an incident."""
    incident = Incident(number, "victorops:Email", Phase.WAITING, NOW, 1, "Email", "We look", "x", {}, NOW)
    return Decision(incident, reason)


def delivery(kind: DeliveryKind, incident_id: int | None = 1) -> Delivery:
    """Give a delivery about an incident."""
    return Delivery(7, "f" * 32, kind, "ana@reader.example", NOW, None, incident_id=incident_id)


def work(spans: Spans, piece: Work, *decisions: Decision) -> None:
    """Work something off, in which something is decided."""
    notes = spans.noting(Notes())
    assert notes.traced is not None
    with notes.traced(piece):
        for one in decisions:
            notes.decided(one)


async def ask(spans: Spans, method: str, path: str, status: int = 202, **fields: str) -> None:
    """Ask an application that stores a post as arrival 12."""

    async def store(_: Arrival) -> int:
        return 12

    receive = spans.receiving(store)

    async def answer(request: Request) -> Response:
        if status == 0:
            raise ValueError(f"{SECRET} of ana@reader.example")
        await receive(Arrival(Door.WEBHOOK, NOW, b"{}", "victorops"))
        return Response("", status)

    routes = [Route("/webhook/{provider}/{secret}", answer, methods=[method])]
    transport = httpx2.ASGITransport(app=spans.web(Starlette(routes=routes)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://status.example") as client:
        with suppress(ValueError):
            await client.request(method, path, headers=fields)


async def test_a_post_has_a_span_that_names_its_route_and_never_its_path(spans: Spans, kept: Kept) -> None:
    await ask(spans, "POST", f"/webhook/victorops/{SECRET}?secret={SECRET}")
    [span] = kept.get_finished_spans()
    assert span.name == "POST /webhook/{provider}/{secret}"
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "url.scheme": "http",
        "http.route": "/webhook/{provider}/{secret}",
        "http.response.status_code": 202,
        "replycast.inbox.id": 12,
        "replycast.provider": "victorops",
    }
    assert SECRET not in span.to_json()


async def test_a_span_tells_by_which_scheme_the_client_of_a_proxy_came(
    spans: Spans, kept: Kept, house: House, clock: Clock
) -> None:
    web = spans.web(build(make_front(house, clock), webhooks.routes))
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=web), base_url="http://status.example"
    ) as proxy:
        said = {"x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7"}
        await proxy.post("/webhook/victorops", content=b"{}", headers=said)
    [span] = kept.get_finished_spans()
    assert (span.attributes or {})["url.scheme"] == "https"


async def test_the_shorter_way_that_posts_go_names_its_pattern_too(
    spans: Spans, kept: Kept, house: House, clock: Clock
) -> None:
    web = spans.web(build(make_front(house, clock), webhooks.routes))
    transport = httpx2.ASGITransport(app=web)
    async with httpx2.AsyncClient(transport=transport, base_url="http://status.example") as client:
        answer = await client.post(f"/webhook/victorops/{SECRET}", content=b"{}")
    [span] = kept.get_finished_spans()
    assert span.name == "POST /webhook/{provider}"
    assert (span.attributes or {})["http.response.status_code"] == answer.status_code
    assert SECRET not in span.to_json()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_whoever_only_looks_is_not_traced(spans: Spans, kept: Kept, method: str) -> None:
    await ask(spans, method, "/webhook/victorops/x")
    assert kept.get_finished_spans() == ()


async def test_what_the_sender_traces_goes_on_in_ours(spans: Spans, kept: Kept) -> None:
    await ask(spans, "POST", "/webhook/victorops/x", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    [span] = kept.get_finished_spans()
    assert span.context.trace_id == int("a" * 32, 16)
    assert span.parent is not None
    assert span.parent.span_id == int("b" * 16, 16)


@pytest.mark.parametrize(
    ("status", "code"), [(202, StatusCode.UNSET), (404, StatusCode.UNSET), (503, StatusCode.ERROR)]
)
async def test_an_answer_that_is_our_fault_is_an_error(
    spans: Spans, kept: Kept, status: int, code: StatusCode
) -> None:
    await ask(spans, "POST", "/webhook/victorops/x", status)
    assert [span.status.status_code for span in kept.get_finished_spans()] == [code]


async def test_of_an_error_there_is_its_kind_and_not_its_words(spans: Spans, kept: Kept) -> None:
    await ask(spans, "POST", "/webhook/victorops/x", 0)
    [span] = kept.get_finished_spans()
    assert (span.attributes or {})["error.type"] == "ValueError"
    assert span.status.status_code is StatusCode.ERROR
    assert SECRET not in span.to_json()
    assert "@" not in span.to_json()


async def test_what_a_post_leads_to_is_in_its_trace(spans: Spans, kept: Kept) -> None:
    await ask(spans, "POST", "/webhook/victorops/x")
    work(spans, Work("webhook", 12, is_arrival=True, provider="victorops"), decision())
    spans.attempting(nobody)(delivery(DeliveryKind.APPROVAL), Outcome.SENT)
    post, decided, sent = kept.get_finished_spans()
    assert (decided.name, decided.parent) == ("decide webhook", post.context)
    assert (sent.name, sent.parent) == ("send mail", decided.context)
    assert [(event.name, dict(event.attributes or {})) for event in decided.events] == [
        ("decided", {"replycast.incident.id": 1, "replycast.phase": "waiting", "replycast.reason": "opened"})
    ]


def test_a_later_decision_about_an_incident_has_a_link_to_the_one_before(spans: Spans, kept: Kept) -> None:
    work(spans, Work("webhook", 1, is_arrival=True), decision())
    work(spans, Work("incident", 1, is_arrival=False), decision(reason=Reason.WAIT_ELAPSED))
    work(spans, Work("mail", 2, is_arrival=True), decision(2))
    [first], [timer], [other] = map(kept.named, ("decide webhook", "fire incident timer", "decide mail"))
    assert [link.context for link in timer.links] == [first.context]
    assert timer.context.trace_id != first.context.trace_id
    assert not first.links
    assert not other.links


def test_several_decisions_at_once_have_no_links_to_each_other(spans: Spans, kept: Kept) -> None:
    work(spans, Work("mail", 2, is_arrival=True), decision(), decision(reason=Reason.ALERT_JOINED))
    [span] = kept.get_finished_spans()
    assert len(span.events) == 2
    assert not span.links


def test_a_mail_that_was_not_sent_is_an_error_without_its_address(spans: Spans, kept: Kept) -> None:
    told: list[Outcome] = []

    def noted(_: Delivery, outcome: Outcome) -> None:
        told.append(outcome)

    spans.attempting(noted)(delivery(DeliveryKind.LOGIN_LINK, None), Outcome.DEFERRED)
    [span] = kept.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["replycast.delivery.outcome"] == "deferred"
    assert "@" not in span.to_json()
    assert told == [Outcome.DEFERRED]


@pytest.mark.parametrize(
    ("name", "kind"), [("fan out", DeliveryKind.SUBSCRIBER_UPDATE), ("call", DeliveryKind.WEBHOOK_CALL)]
)
async def test_many_deliveries_have_one_span_for_each_incident(
    spans: Spans, kept: Kept, name: str, kind: DeliveryKind
) -> None:
    noted = spans.attempting(nobody)
    outcomes = [(1, Outcome.SENT), (1, Outcome.SENT), (2, Outcome.FAILED), (1, Outcome.DEFERRED)]

    async def send() -> bool:
        for incident_id, outcome in outcomes:
            noted(delivery(kind, incident_id), outcome)
        return True

    work(spans, Work("mail", 5, is_arrival=True), decision(1, Reason.PUBLISHED))
    assert await spans.step(name, send)()
    [decided] = kept.named("decide mail")
    first, second = kept.named(name)
    assert first.parent == decided.context
    assert dict(first.attributes or {}) == {
        "replycast.incident.id": 1,
        "replycast.deliveries.sent": 2,
        "replycast.deliveries.deferred": 1,
        "replycast.deliveries.failed": 0,
    }
    assert (first.status.status_code, second.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)
    assert second.parent is None


async def test_a_step_that_had_nothing_to_do_is_not_traced(spans: Spans, kept: Kept) -> None:
    async def nothing() -> bool:
        return False

    for name in ("send", "fan out", "call"):
        assert not await spans.step(name, nothing)()
    assert kept.get_finished_spans() == ()


async def test_what_was_tried_before_a_step_failed_is_traced(spans: Spans, kept: Kept) -> None:
    noted: Noted = spans.attempting(nobody)

    async def fail() -> bool:
        noted(delivery(DeliveryKind.SUBSCRIBER_UPDATE), Outcome.SENT)
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011  it is our own
        await spans.step("fan out", fail)()
    assert len(kept.named("fan out")) == 1


def test_a_decision_outside_of_any_work_is_not_traced(spans: Spans, kept: Kept) -> None:
    spans.noting(Notes()).decided(decision())
    work(spans, Work("mail", 2, is_arrival=True), decision())
    [span] = kept.get_finished_spans()
    assert not span.links


def test_only_so_many_spans_are_remembered(spans: Spans, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered_spans, "REMEMBERED", 2)
    for number in (1, 2, 3):
        work(spans, Work("webhook", number, is_arrival=True), decision(number))
    noted = spans.attempting(nobody)
    for number in (1, 3):
        noted(delivery(DeliveryKind.CLOSED, number), Outcome.SENT)
    oldest, newest = kept.named("send mail")
    assert oldest.parent is None
    assert newest.parent == kept.named("decide webhook")[-1].context
