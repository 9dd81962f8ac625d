"""Incidents over the API: what is known of them, and what is ordered about them. `actions.deciding` decides."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from service.actions import deciding, telling
from service.actions.api_tokens import Scope
from service.actions.house import House
from service.actions.policies import with_approvals_that_count
from service.config.spans import parse_span
from service.errors import NotFound
from service.model import Employee, Incident
from service.store import incident_search, incidents, narrative
from service.store.incident_search import Wanted
from service.web.api.forms import (
    CommentBody,
    EditBody,
    HoldBody,
    IncidentsQuery,
    Nothing,
    PostMortemBody,
    PublishBody,
    TextBody,
    UpdateBody,
)
from service.web.api.opening import faults_of_choices
from service.web.api.operations import Call, Operation
from service.web.api.problems import Problem, problem_of, refused_fields
from service.web.api.shown import (
    AlertShown,
    IncidentDecided,
    IncidentPage,
    IncidentShown,
    IncidentWhole,
    StepShown,
    UpdateList,
    UpdateShown,
)
from service.workflow import Decision, Reason

ALERTS_SHOWN = 100

Answer = IncidentDecided | Problem


def list_incidents(call: Call) -> dict[str, Any]:
    """List incidents. A search looks through 2,500 at a time, so that a page may be empty and yet not the last."""
    query = call.asked(IncidentsQuery)
    wanted = Wanted(query.phase, query.q, query.component or "", query.since, query.until)
    with call.house.store.reading() as connection:
        found = incident_search.search(connection, wanted, before_id=query.before, limit=query.limit)
    counting = [with_approvals_that_count(call.house, one) for one in found.rows]
    return {"items": list(map(IncidentShown.model_validate, counting)), "next_before": found.next_before}


def get_incident(call: Call) -> IncidentWhole:
    """Read one, with its alerts, updates and timeline."""
    number = call.ids["id"]
    with call.house.store.reading() as connection:
        found = _found(incidents.get(connection, number), number)
        alerts = narrative.alerts_of(connection, number, limit=ALERTS_SHOWN)
        updates = narrative.updates_of(connection, [number])[number]
        steps = narrative.timeline_of(connection, number)
    return IncidentWhole(
        incident=IncidentShown.model_validate(with_approvals_that_count(call.house, found)),
        alerts=tuple(map(AlertShown.model_validate, alerts)),
        updates=tuple(map(UpdateShown.model_validate, updates)),
        timeline=tuple(map(StepShown.model_validate, steps)),
    )


def list_updates(call: Call) -> UpdateList:
    """Read what was published about one."""
    number = call.ids["id"]
    with call.house.store.reading() as connection:
        _found(incidents.get(connection, number), number)
        updates = narrative.updates_of(connection, [number])[number]
    return UpdateList(items=tuple(map(UpdateShown.model_validate, updates)))


def publish_incident(call: Call) -> Answer:
    """Publish it in the version that was read, or approve it as one of several."""
    version = call.said(PublishBody).text_version
    return _order(
        call,
        lambda house, number, by, now: deciding.publish(house, number, by, now, text_version=version),
    )


def discard_incident(call: Call) -> Answer:
    """Let it go without a word."""
    return _order(call, deciding.discard)


def hold_incident(call: Call) -> Answer:
    """Let nothing happen by itself for a while."""
    span = parse_span(call.said(HoldBody).span)
    return _order(call, lambda house, number, by, now: deciding.hold(house, number, by, span, now))


def edit_incident(call: Call) -> Answer:
    """Give it other words, another type or other components before it is published."""
    said = call.said(EditBody)
    with call.house.store.reading() as connection:
        before = incidents.get(connection, call.ids["id"])
    if faults := list(faults_of_choices(call.house.config, said.type, said.components or (), before)):
        raise refused_fields(faults)

    def edit(house: House, number: int, by: Employee, now: datetime) -> Decision:
        return deciding.edit(
            house,
            number,
            by,
            said.subject,
            said.message,
            now,
            type=said.type,
            components=said.components,
            text_version=said.text_version,
        )

    return _order(call, edit)


def post_update(call: Call) -> Answer:
    """Tell the public more; `resolved` closes it."""
    said = call.said(UpdateBody)
    return _order(
        call,
        lambda house, number, by, now: deciding.post_update(house, number, by, said.status, said.body, now),
        tells=True,
    )


def correct_update(call: Call) -> Answer:
    """Put right what an update said, for exactly those who were sent it."""
    body, update_id = call.said(TextBody).body, call.ids["update"]
    return _order(
        call,
        lambda house, number, by, now: deciding.correct(house, number, update_id, by, body, now),
        tells=True,
    )


def post_postmortem(call: Call) -> Answer:
    """Tell why it happened, once it is closed."""
    said = call.said(PostMortemBody)
    return _order(
        call,
        lambda house, number, by, now: deciding.post_mortem(
            house, number, by, said.body, now, is_sent=said.is_sent
        ),
        tells=True,
    )


def close_incident(call: Call) -> Answer:
    """Declare it over, with a comment or with the monitor's closing comment."""
    comment = call.said(CommentBody).comment
    return _order(
        call, lambda house, number, by, now: deciding.close(house, number, by, comment, now), tells=True
    )


def _order(
    call: Call, order: Callable[[House, int, Employee, datetime], Decision], *, tells: bool = False
) -> Answer:
    number = call.ids["id"]
    decision = order(call.house, number, call.by, call.now)
    if decision.reason.is_refusal:
        return problem_of(409, _why_not(call.house, decision), reason=decision.reason)
    update = None
    if tells:
        with call.house.store.reading() as connection:
            update = narrative.updates_of(connection, [number])[number][-1]
    return IncidentDecided(
        reason=decision.reason,
        said=telling.explain(call.house, decision),
        incident=IncidentShown.model_validate(decision.incident),
        update=UpdateShown.model_validate(update) if update else None,
    )


def _why_not(house: House, decision: Decision) -> str:
    if decision.reason is Reason.REFUSED_TEXT_CHANGED:
        one = decision.incident
        return f"{one.tag} is in version {one.text_version}: read it, and order that one."
    return telling.explain(house, decision)


def _found(incident: Incident | None, number: int) -> Incident:
    if incident is None:
        raise NotFound(f"there is no incident INC-{number}")
    return incident


_READ, _WRITE = Scope.INCIDENTS_READ, Scope.INCIDENTS_WRITE
_ONE = "/incidents/{id}"


def _ordering(path: str, act: Callable[[Call], Answer], summary: str, body: type[Any]) -> Operation:
    return Operation("POST", _ONE + path, _WRITE, act, summary, IncidentDecided, body)


OPERATIONS = (
    Operation(
        "GET", "/incidents", _READ, list_incidents, "List incidents", IncidentPage, query=IncidentsQuery
    ),
    Operation("GET", _ONE, _READ, get_incident, "Read an incident", IncidentWhole),
    Operation("GET", f"{_ONE}/updates", _READ, list_updates, "Read its updates", UpdateList),
    _ordering("/publish", publish_incident, "Publish it, or approve it", PublishBody),
    _ordering("/discard", discard_incident, "Discard it", Nothing),
    _ordering("/hold", hold_incident, "Hold it", HoldBody),
    _ordering("/edit", edit_incident, "Edit it before it is published", EditBody),
    _ordering("/updates", post_update, "Post an update", UpdateBody),
    _ordering("/updates/{update}/correct", correct_update, "Correct an update", TextBody),
    _ordering("/close", close_incident, "Close it", CommentBody),
    _ordering("/postmortem", post_postmortem, "Post a post-mortem", PostMortemBody),
)
