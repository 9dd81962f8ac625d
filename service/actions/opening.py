"""Opening an incident by hand, from a monitor's template or blank: it is unpublished until somebody decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service import workflow
from service.actions.carrying_out import carry_out
from service.actions.house import House
from service.actions.texts import opening_variables, render
from service.errors import NotAllowed
from service.model import Alert, AlertState, ComponentState, Employee, Monitor
from service.store import incidents
from service.workflow import Decision

AFFECTED: Final = tuple(
    state
    for state in ComponentState
    if state not in {ComponentState.OPERATIONAL, ComponentState.UNDER_MAINTENANCE}
)
"""What an incident may do to a component."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What an employee says of a new incident."""

    subject: str | None
    """None: what the monitor's template says."""
    message: str | None
    """As the subject."""
    type: str
    components: Mapping[str, ComponentState]
    monitor: Monitor | None = None
    """Whose alerts join it, whose employees are told, and whose audience hears of it; None: nobody's."""
    notify_employees: tuple[str, ...] = ()
    """Ids of those who are told besides."""


@dataclass(frozen=True, slots=True)
class Words:
    """What an incident is called, and what is told of it."""

    subject: str
    message: str


def template_of(house: House, monitor: Monitor, now: datetime, *, incident_id: int | None = None) -> Words:
    """Give what a monitor's template says while no alert does; None: of an incident that has no number yet."""
    alert = Alert(monitor.provider, monitor.alert_names[0], AlertState.FIRING)
    variables = opening_variables(monitor, alert, house.config.site, incident_id=incident_id, started_at=now)
    subject = render(monitor.subject, variables, otherwise=alert.monitor_name).text
    message = render(monitor.message, variables, otherwise=subject).text
    return Words(" ".join(subject.split()), message)


def open_by_hand(house: House, opening: Opening, by: Employee, now: datetime) -> Decision:
    """Open an incident; the others of its monitor are asked about it as by an alert. Raises NotAllowed."""
    if not by.may_publish:
        raise NotAllowed(f"{by.name} may look, but not publish: the role in config.yaml is `{by.role}`")
    monitor = opening.monitor
    key, theirs = (monitor.key, monitor.notify_employees) if monitor else ("", ())
    with house.store.transaction() as connection:
        number = incidents.reserve_id(connection, key, now)
        words = _words_of(house, opening, number, now)
        draft = workflow.Draft(
            id=number,
            monitor_key=key,
            subject=words.subject,
            message=words.message,
            type=opening.type,
            components=opening.components,
            authored_by=by.id,
            notify_employees=tuple(dict.fromkeys((by.id, *opening.notify_employees, *theirs))),
            entity_id=None,
            audience=monitor.audience if monitor else (),
        )
        decision = workflow.open_by_hand(draft, by.id, now)
        carry_out(connection, house, None, decision, now)
        return decision


def _words_of(house: House, opening: Opening, incident_id: int, now: datetime) -> Words:
    """Give what was written, and of what was left out what the monitor's template says of this very incident."""
    if opening.monitor is None or None not in {opening.subject, opening.message}:
        return Words(opening.subject or "", opening.message or "")
    words = template_of(house, opening.monitor, now, incident_id=incident_id)
    return Words(opening.subject or words.subject, opening.message or words.message)
