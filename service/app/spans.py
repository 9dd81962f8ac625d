"""Spans of what this process does; `exporting_spans` sends them.

A span says what the log and /metrics say: numbers, kinds, names of reasons. No address, no text and no secret is in it;
of a request it has the pattern of its path, since the secrets of webhooks and links stand in paths.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Final

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue
from starlette.types import ASGIApp, Message, Scope, Send
from starlette.types import Receive as ReceiveMessage

from service.actions.notes import Notes, Work
from service.app import wall_clock_ns
from service.app.meters import TOLD_ONE_BY_ONE
from service.app.remembered_spans import Remembered, Tally
from service.app.tracing import Receive, Step, Take
from service.mail.imap import FetchedMail
from service.model import Delivery, DeliveryKind
from service.outbox.attempts import Noted, Outcome
from service.store.inbox_rows import Arrival
from service.web.guards import behind_proxy
from service.workflow import Decision

_LOOKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SERVER_FAULT: Final = 500
_OF_POSTS: Final = "/webhook/{provider}"

_Facts = Mapping[str, AttributeValue]


class Spans:
    """Makes the spans of one process; `tracing.Traces` says what each method is for."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._arrivals = Remembered()
        self._incidents = Remembered()
        self._tallies = {"fan out": Tally(), "call": Tally()}
        self._sending_since = wall_clock_ns()
        """When the mail that is being sent was begun: one is sent after the other."""

    def web(self, web: ASGIApp) -> ASGIApp:
        """Give an application that traces each request but those that only look."""

        async def traced(scope: Scope, receive: ReceiveMessage, send: Send) -> None:
            if scope["type"] != "http" or scope["method"] in _LOOKING:
                await web(scope, receive, send)
                return
            fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            asked = {"http.request.method": scope["method"], "url.scheme": scope["scheme"]}
            sender = propagate.extract(fields)
            with self._span(scope["method"], SpanKind.SERVER, asked, sender) as span:

                async def answer(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        _tell_answer(span, scope, message["status"])
                    await send(message)

                await web(scope, receive, answer)

        return behind_proxy(traced)  # posts too: a span says by which scheme its client came

    def receiving(self, receive: Receive) -> Receive:
        """Give what also notes which arrival came of a request."""

        async def traced(arrival: Arrival) -> int:
            inbox_id = await receive(arrival)
            span = trace.get_current_span()
            span.set_attributes({"replycast.inbox.id": inbox_id, "replycast.provider": arrival.provider})
            self._arrivals.keep(inbox_id, span)
            return inbox_id

        return traced

    def taking(self, take: Take) -> Take:
        """Give what also traces that mails came."""

        def traced(mails: Sequence[FetchedMail]) -> None:
            with self._span("receive mails", SpanKind.CONSUMER, {"replycast.mails": len(mails)}):
                take(mails)

        return traced

    def noting(self, notes: Notes) -> Notes:
        """Give notes that also trace."""

        def decided(decision: Decision) -> None:
            notes.decided(decision)
            self._decided(decision)

        return replace(notes, decided=decided, traced=self._working)

    def attempting(self, noted: Noted) -> Noted:
        """Give what also traces attempts: each mail that somebody waits for, and all others by their step."""

        def traced(delivery: Delivery, outcome: Outcome) -> None:
            noted(delivery, outcome)
            if delivery.kind in TOLD_ONE_BY_ONE:
                self._sent(delivery, outcome)
            else:
                is_call = delivery.kind is DeliveryKind.WEBHOOK_CALL
                self._tallies["call" if is_call else "fan out"].count(delivery, outcome)

        return traced

    def step(self, name: str, step: Step) -> Step:
        """Give a step that also tells when a mail was begun, or what came of the many that it tried."""
        tally = self._tallies.get(name)

        async def sending() -> bool:
            self._sending_since = wall_clock_ns()
            return await step()

        async def trying(tally: Tally) -> bool:
            began = wall_clock_ns()
            try:
                return await step()
            finally:
                for incident_id, counts in tally.take():
                    self._tried(name, incident_id, counts, began)

        return sending if tally is None else lambda: trying(tally)

    def _working(self, work: Work) -> AbstractContextManager[Span]:
        if not work.is_arrival:
            return self._span(
                f"fire {work.of} timer", SpanKind.INTERNAL, {f"replycast.{work.of}.id": work.id}
            )
        about = {"replycast.inbox.id": work.id} | (
            {"replycast.provider": work.provider} if work.provider else {}
        )
        return self._span(f"decide {work.of}", SpanKind.CONSUMER, about, self._arrivals.within(work.id))

    def _decided(self, decision: Decision) -> None:
        incident, span = decision.incident, trace.get_current_span()
        about: _Facts = {
            "replycast.incident.id": incident.id,
            "replycast.phase": incident.phase,
            "replycast.reason": decision.reason,
        }
        span.set_attributes(about)
        span.add_event("decided", about)
        before = self._incidents.get(incident.id)
        if before is not None and before.trace_id != span.get_span_context().trace_id:
            span.add_link(before)
        self._incidents.keep(incident.id, span)

    def _sent(self, delivery: Delivery, outcome: Outcome) -> None:
        about: _Facts = {
            "replycast.delivery.id": delivery.public_id,
            "replycast.delivery.kind": delivery.kind,
            "replycast.delivery.outcome": outcome,
        }
        began, self._sending_since = self._sending_since, wall_clock_ns()
        self._past("send mail", delivery.incident_id, about, began, is_well=outcome is Outcome.SENT)

    def _tried(self, name: str, incident_id: int | None, counts: Counter[Outcome], began: int) -> None:
        about: _Facts = {f"replycast.deliveries.{outcome}": counts[outcome] for outcome in Outcome}
        self._past(name, incident_id, about, began, is_well=not counts[Outcome.FAILED])

    def _past(self, name: str, incident_id: int | None, about: _Facts, began: int, *, is_well: bool) -> None:
        """Trace what has ended just now, as what the last decision about its incident led to."""
        within = self._incidents.within(incident_id)
        more: _Facts = {} if incident_id is None else {"replycast.incident.id": incident_id}
        span = self._tracer.start_span(
            name, within, SpanKind.CLIENT, attributes={**about, **more}, start_time=began
        )
        if not is_well:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    @contextmanager
    def _span(
        self, name: str, kind: SpanKind, about: _Facts, within: Context | None = None
    ) -> Iterator[Span]:
        """Do something within a span; None: as a part of what is going on. Of an error it keeps the kind alone."""
        with self._tracer.start_as_current_span(
            name, within, kind, about, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise


def _tell_answer(span: Span, scope: Scope, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    route = getattr(scope.get("route"), "path", "")
    if not route and "provider" in scope.get("path_params", {}):
        route = _OF_POSTS  # which are not routed, to be faster
    if route:
        span.set_attribute("http.route", route)
        span.update_name(f"{scope['method']} {route}")
    if status >= _SERVER_FAULT:
        span.set_status(Status(StatusCode.ERROR))
