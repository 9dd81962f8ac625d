"""What employees order about an incident, whichever way they order it: publish, discard, update, close."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service import workflow
from service.actions.carrying_out import Cause, carry_out
from service.actions.house import BY_PROGRAM, House
from service.actions.policies import policy_for, with_approvals_that_count
from service.errors import NotAllowed, NotFound
from service.model import ComponentState, Employee, Incident, Update, UpdateStatus
from service.store import incidents, narrative
from service.workflow import Decision, Reason


def publish(
    house: House, incident_id: int, by: Employee, now: datetime, *, text_version: int | None = None
) -> Decision:
    """Publish an incident in a version of its text (None: the present one), or approve it as one of several.

    Raises NotAllowed and NotFound, as all of these do. A refusal is a decision too.
    """
    return _order(house, incident_id, by, workflow.Publish(by.id, text_version), now)


def discard(house: House, incident_id: int, by: Employee, now: datetime) -> Decision:
    """Discard an incident that is not published."""
    return _order(house, incident_id, by, workflow.Discard(by.id), now)


def post_update(
    house: House,
    incident_id: int,
    by: Employee,
    status: UpdateStatus,
    body: str,
    now: datetime,
    *,
    seen_open: bool = False,
) -> Decision:
    """Tell the public more, once where the same is said twice in a row; `resolved` closes the incident.

    `seen_open`: whoever wrote it saw the incident going on, so that it is refused if it was closed since.
    """
    with house.store.transaction() as connection:
        posted = narrative.updates_of(connection, [incident_id])[incident_id]
        said_last = (posted[-1].status, posted[-1].body) if posted else None
        event = workflow.PostUpdate(by.id, status, body, said_last, seen_open)
        return order_within(connection, house, incident_id, by, event, now)


def hold(house: House, incident_id: int, by: Employee, span: timedelta, now: datetime) -> Decision:
    """Let nothing happen by itself for a while."""
    return _order(house, incident_id, by, workflow.Hold(by.id, span), now)


def edit(
    house: House,
    incident_id: int,
    by: Employee,
    subject: str | None,
    message: str | None,
    now: datetime,
    *,
    type: str | None = None,  # noqa: A002  the field's word
    components: Mapping[str, ComponentState] | None = None,
    text_version: int | None = None,
) -> Decision:
    """Give an unpublished incident another version (None: as it was); who is concerned gets it by mail."""
    event = workflow.Edit(by.id, subject, message, text_version, type, components)
    return _order(house, incident_id, by, event, now)


def correct(
    house: House, incident_id: int, update_id: int, by: Employee, body: str, now: datetime
) -> Decision:
    """Put right what an update of an incident said, for exactly those who were sent it."""
    _refuse_viewers(by)
    with house.store.transaction() as connection:
        posted = narrative.updates_of(connection, [incident_id])[incident_id]
        if update_id not in {one.id for one in posted}:
            raise NotFound(f"INC-{incident_id} has no such update")
        status = _how_it_stands(posted, update_id)
        event = workflow.Correct(by.id, update_id, status, body, _stands(posted, update_id))
        return order_within(connection, house, incident_id, by, event, now)


def post_mortem(
    house: House, incident_id: int, by: Employee, body: str, now: datetime, *, is_sent: bool = True
) -> Decision:
    """Tell why an incident happened that is closed; `is_sent`: also to those who heard of it, by mail or call."""
    _refuse_viewers(by)
    with house.store.transaction() as connection:
        posted = narrative.updates_of(connection, [incident_id])[incident_id]
        told = [one.id for one in posted if _is_post_mortem(one) and one.corrects_id is None]
        stands = _stands(posted, told[-1]) if told else None
        event = workflow.PostMortem(by.id, body, is_sent, stands)
        return order_within(connection, house, incident_id, by, event, now)


def _stands(posted: Sequence[Update], update_id: int) -> str:
    """Give what the public reads of an update now; all are in the order in which they were posted."""
    return [one.body for one in posted if update_id in {one.id, one.corrects_id}][-1]


def _how_it_stands(posted: Sequence[Update], update_id: int) -> UpdateStatus:
    """Give the status under which an update is corrected: a post-mortem stays one, and else it is the last one."""
    if any(one.id == update_id and _is_post_mortem(one) for one in posted):
        return UpdateStatus.POSTMORTEM
    return [one.status for one in posted if not _is_post_mortem(one)][-1]


def _is_post_mortem(update: Update) -> bool:
    return update.status is UpdateStatus.POSTMORTEM


def close(house: House, incident_id: int, by: Employee, comment: str, now: datetime) -> Decision:
    """Close a published incident with a comment, or with the monitor's closing comment."""
    return _order(house, incident_id, by, workflow.Close(by.id, comment), now)


def _order(house: House, incident_id: int, by: Employee, event: workflow.Event, now: datetime) -> Decision:
    with house.store.transaction() as connection:
        return order_within(connection, house, incident_id, by, event, now)


def order_within(
    connection: Connection,
    house: House,
    incident_id: int,
    by: Employee,
    event: workflow.Event,
    now: datetime,
) -> Decision:
    """Carry an order out within a transaction that does more than this, such as using a token up."""
    incident = incidents.get(connection, incident_id)
    if incident is None:
        raise NotFound(f"there is no incident INC-{incident_id}")
    return order_about(connection, house, incident, by, event, now)


def order_about(
    connection: Connection,
    house: House,
    incident: Incident,
    by: Employee,
    event: workflow.Event,
    now: datetime,
) -> Decision:
    """Carry an order out about an incident that was read in this transaction; raises NotAllowed."""
    _refuse_viewers(by)
    policy, incident = policy_for(house, incident), with_approvals_that_count(house, incident)
    if policy.approvals > 1 and isinstance(event, workflow.Publish) and by.id.startswith(BY_PROGRAM):
        raise NotAllowed(f"{incident.tag} needs {policy.approvals} employees, and a token is none")
    decision = workflow.decide(incident, event, policy, now)
    is_edit = decision.reason is Reason.EDITED
    note = workflow.differences(incident, decision.incident) if is_edit else ""
    carry_out(connection, house, incident, decision, now, Cause(note=note))
    return decision


def _refuse_viewers(by: Employee) -> None:
    if not by.may_publish:
        raise NotAllowed(f"{by.name} may look, but not publish: the role in config.yaml is `{by.role}`")
