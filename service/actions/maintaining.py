"""What is done about planned work: plan, start, end, extend, move, tell more, call off; and its timer.

One transaction each, with the update that tells of it, the states of its components, and, at its end, the alerts
that it kept back and that still fire.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from service.actions.alerts import take_alert
from service.actions.house import House
from service.actions.recording_states import record_maintenance
from service.actions.suppressing import alerts_left, noted_during
from service.errors import NotAllowed, NotFound
from service.mail.rendering import local_time
from service.model import Employee, Maintenance, MaintenancePhase
from service.store import maintenances, narrative
from service.store.suppression import NotedAlert
from service.workflow.maintenance import (
    CancelMaintenance,
    EndNow,
    Extend,
    MaintenanceDecision,
    MaintenanceEvent,
    MaintenanceReason,
    Plan,
    Planned,
    PostUpdate,
    Reschedule,
    StartNow,
    TimerElapsed,
    Wording,
    decide_maintenance,
    draft_of,
)

COMPLETED_TEXT = "This maintenance is completed."
"""What subscribers read where a maintenance has no closing comment."""


def plan(house: House, wanted: Plan, by: Employee, now: datetime) -> MaintenanceDecision:
    """Announce a maintenance.

    Where the same one is ahead or on already, nobody is told again, and the decision names that one.
    Raises NotAllowed, as all of these do, and NotFound for a component that there is not.
    """
    who = _who(by)
    known = {one.name for one in house.config.components}
    for name in wanted.components:
        if name not in known:
            raise NotFound(f"there is no component `{name}`: name one of config.yaml")
    with house.store.transaction() as connection:
        planned = Planned(who, beside=maintenances.not_over(connection))
        return announce(connection, house, draft_of(wanted, by=who, now=now), planned, now)


def announce(
    connection: Connection, house: House, draft: Maintenance, event: Planned, now: datetime
) -> MaintenanceDecision:
    """Announce a maintenance within a transaction that does more than this."""
    decision = decide_maintenance(draft, event, now)
    if decision.reason.is_refusal:
        return decision
    stored = maintenances.add(connection, decision.maintenance)
    record_maintenance(connection, None, stored, now)
    numbered = MaintenanceDecision(stored, decision.reason, decision.updates, decision.by)
    _tell(connection, house, numbered, now)
    return numbered


def cancel(
    house: House, maintenance_id: int, by: Employee, now: datetime, *, comment: str = ""
) -> MaintenanceDecision:
    """Call it off before it begins. Raises NotFound, as all of the following do. A refusal is a decision too."""
    return _order(house, maintenance_id, CancelMaintenance(_who(by), comment), now)


def start_now(house: House, maintenance_id: int, by: Employee, now: datetime) -> MaintenanceDecision:
    """Begin before its time."""
    return _order(house, maintenance_id, StartNow(_who(by)), now)


def end_now(
    house: House, maintenance_id: int, by: Employee, comment: str, now: datetime
) -> MaintenanceDecision:
    """End it, with a comment or with its own closing comment."""
    return _order(house, maintenance_id, EndNow(_who(by), comment), now)


def extend(
    house: House, maintenance_id: int, by: Employee, ends_at: datetime, now: datetime
) -> MaintenanceDecision:
    """Let one that is on end at another time."""
    return _order(house, maintenance_id, Extend(_who(by), ends_at), now)


def reschedule(
    house: House, maintenance_id: int, by: Employee, wanted: Plan, now: datetime
) -> MaintenanceDecision:
    """Plan one anew that has not begun."""
    return _order(house, maintenance_id, Reschedule(_who(by), wanted), now)


def post_update(
    house: House, maintenance_id: int, by: Employee, body: str, now: datetime
) -> MaintenanceDecision:
    """Tell more about it, once where the same is said twice in a row."""
    who = _who(by)
    with house.store.transaction() as connection:
        maintenance = _found(connection, maintenance_id)
        posted = narrative.updates_of_maintenances(connection, [maintenance_id])[maintenance_id]
        said_last = (posted[-1].status, posted[-1].body) if posted else None
        decision = decide_maintenance(maintenance, PostUpdate(who, body, said_last), now)
        carry_out_maintenance(connection, house, maintenance, decision, now)
        return decision


def fire_maintenance_timer(house: House, maintenance_id: int, now: datetime) -> MaintenanceReason:
    """Let a maintenance's timer have its effect if it is due: remind, start or end it."""
    return _order(house, maintenance_id, TimerElapsed(), now).reason


def plan_of(maintenance: Maintenance) -> Plan:
    """Give what a maintenance announces, to be planned anew with some of it changed."""
    return Plan(
        subject=maintenance.subject,
        message=maintenance.message,
        components=maintenance.components,
        starts_at=maintenance.starts_at,
        ends_at=maintenance.ends_at,
        remind_at=maintenance.remind_at,
        closing_comment=maintenance.closing_comment,
        audience=maintenance.audience,
    )


def carry_out_maintenance(
    connection: Connection,
    house: House,
    before: Maintenance,
    decision: MaintenanceDecision,
    now: datetime,
    noted: Sequence[NotedAlert] = (),
) -> None:
    """Make a decision so. Raises IncidentChangedMeanwhile, and then nothing of it has happened.

    `noted` are the first of the alerts since the maintenance began, where they were read before this transaction.
    """
    after = decision.maintenance
    if after is before:
        return
    maintenances.save(connection, before, after)
    record_maintenance(connection, before, after, now)
    _tell(connection, house, decision, now)
    if after.phase is MaintenancePhase.DONE and not before.phase.is_over:
        for inbox_id, alert in alerts_left(connection, house, after, noted):
            take_alert(connection, house, inbox_id, alert, now)


def _order(house: House, maintenance_id: int, event: MaintenanceEvent, now: datetime) -> MaintenanceDecision:
    noted = _noted_ahead(house, maintenance_id, event, now)
    with house.store.transaction() as connection:
        maintenance = _found(connection, maintenance_id)
        decision = decide_maintenance(maintenance, event, now)
        carry_out_maintenance(connection, house, maintenance, decision, now, noted)
        return decision


def _noted_ahead(
    house: House, maintenance_id: int, event: MaintenanceEvent, now: datetime
) -> tuple[NotedAlert, ...]:
    """Read the alerts that matter where it ends by this, before the transaction, so that nobody waits for that."""
    with house.store.reading() as connection:
        maintenance = _found(connection, maintenance_id)
        after = decide_maintenance(maintenance, event, now).maintenance
        is_ending = after.phase is MaintenancePhase.DONE and not maintenance.phase.is_over
        return noted_during(connection, after) if is_ending else ()


def _found(connection: Connection, maintenance_id: int) -> Maintenance:
    maintenance = maintenances.get(connection, maintenance_id)
    if maintenance is None:
        raise NotFound(f"there is no maintenance {maintenance_id}")
    return maintenance


def _who(by: Employee) -> str:
    if not by.may_publish:
        raise NotAllowed(f"{by.name} may look, but not publish: the role in config.yaml is `{by.role}`")
    return by.id


def _tell(connection: Connection, house: House, decision: MaintenanceDecision, now: datetime) -> None:
    maintenance = decision.maintenance
    for said in decision.updates:
        body = _text(house, said.body, maintenance) if isinstance(said.body, Wording) else said.body
        narrative.add_update(
            connection,
            maintenance_id=maintenance.id,
            status=said.status,
            body=body,
            now=now,
            by=decision.by,
        )


def _text(house: House, wording: Wording, maintenance: Maintenance) -> str:
    zone = house.config.site.timezone
    starts = local_time(maintenance.starts_at.isoformat(), zone)
    ends = local_time(maintenance.ends_at.isoformat(), zone)
    match wording:
        case Wording.MESSAGE:
            return maintenance.message
        case Wording.REMINDER:
            return f"A reminder: this maintenance begins on {starts}.\n\n{maintenance.message}"
        case Wording.BEGUN:
            return "This maintenance has begun."
        case Wording.CLOSING_COMMENT:
            return maintenance.closing_comment.strip() or COMPLETED_TEXT
        case Wording.CALLED_OFF:
            return "This maintenance is called off: it does not take place."
        case Wording.MOVED:
            return f"This maintenance was moved: it begins on {starts} and ends on {ends}.\n\n{maintenance.message}"
        case Wording.EXTENDED:
            return f"The end was moved: this maintenance is planned until {ends} now."
