"""What employees order about an incident, whichever way they order it: publish, discard, update, close."""

from datetime import datetime

from sqlalchemy import Connection

from service import workflow
from service.actions.carrying_out import Cause, carry_out, policy_of
from service.actions.house import House
from service.errors import NotAllowed, NotFound
from service.model import AUTOMATIC, Employee, Incident, Phase, UpdateStatus
from service.store import incidents
from service.workflow import Decision, Reason


def publish(house: House, incident_id: int, by: Employee, now: datetime) -> Decision:
    """Publish an incident; raises NotAllowed and NotFound, as all of these do. A refusal is a decision too."""
    return _order(house, incident_id, by, workflow.Publish(by.id), now)


def discard(house: House, incident_id: int, by: Employee, now: datetime) -> Decision:
    """Discard an incident that is not published."""
    return _order(house, incident_id, by, workflow.Discard(by.id), now)


def post_update(
    house: House, incident_id: int, by: Employee, status: UpdateStatus, body: str, now: datetime
) -> Decision:
    """Tell the public more; `resolved` closes the incident."""
    return _order(house, incident_id, by, workflow.PostUpdate(by.id, status, body), now)


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
    if not by.may_publish:
        raise NotAllowed(f"{by.name} may look, but not publish: the role in config.yaml is `{by.role}`")
    incident = incidents.get(connection, incident_id)
    if incident is None:
        raise NotFound(f"there is no incident INC-{incident_id}")
    policy = policy_of(house.config.monitor_for(incident.monitor_key))
    decision = workflow.decide(incident, event, policy, now)
    carry_out(connection, house, incident, decision, now, Cause())
    return decision


def explain(house: House, decision: Decision) -> str:
    """Say in one sentence what came of an order, and if it was refused, what had happened before."""
    incident, at = decision.incident, _clock_time(house, decision.incident)
    published_by = house.name_of(incident.published_by or "")
    ended_by = house.name_of(incident.ended_by or "")
    match decision.reason:
        case Reason.PUBLISHED:
            return (
                f"{incident.tag} is published: it is on the status page and all subscribers are being told."
            )
        case Reason.DISCARDED:
            return f"{incident.tag} is discarded; nothing was sent to subscribers."
        case Reason.CLOSED:
            return f"{incident.tag} is closed, and those who heard of it are being told."
        case Reason.UPDATE_POSTED | Reason.CORRECTION_POSTED:
            return f"The update of {incident.tag} is posted, and those who heard of it are being told."
        case Reason.REFUSED_ALREADY_PUBLISHED:
            by = "automatically" if incident.published_by == AUTOMATIC else f"by {published_by}"
            return f"{incident.tag} was already published {by} at {at}."
        case Reason.REFUSED_NOT_PUBLISHED:
            return f"{incident.tag} is not published yet: publish it first."
        case Reason.REFUSED_CLOSED:
            return f"{incident.tag} was published and is closed since {at}; nothing was sent now."
        case Reason.REFUSED_DISCARDED if incident.ended_by == AUTOMATIC:
            return f"{incident.tag} recovered at {at} before it was published; nothing was sent."
        case Reason.REFUSED_DISCARDED:
            return f"{incident.tag} was discarded by {ended_by} at {at}; nothing was sent."
        case other:
            return f"{incident.tag}: {other.replace('_', ' ')}."


def _clock_time(house: House, incident: Incident) -> str:
    at = incident.ended_at if incident.phase in {Phase.CLOSED, Phase.DISCARDED} else incident.published_at
    return at.astimezone(house.config.site.timezone).strftime("%H:%M %Z") if at else "an unknown time"
