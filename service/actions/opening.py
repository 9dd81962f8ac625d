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

DEFAULT_TYPE: Final = "service_unavailable"
TYPES: Final = (DEFAULT_TYPE, "performance", "informational")
"""What an incident may be besides what monitors of config.yaml make it."""
AFFECTED: Final = tuple(
    state
    for state in ComponentState
    if state not in {ComponentState.OPERATIONAL, ComponentState.UNDER_MAINTENANCE}
)
"""What an incident may do to a component."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What an employee says of a new incident."""

    subject: str
    message: str
    type: str
    components: Mapping[str, ComponentState]
    monitor: Monitor | None = None
    """Whose alerts join it, whose employees are told, and whose audience hears of it; None: nobody's."""
    notify_employees: tuple[str, ...] = ()
    """Ids of those who are told besides."""


def template_of(house: House, monitor: Monitor, now: datetime) -> Opening:
    """Give what a monitor's template says while no alert does."""
    alert = Alert(monitor.provider, monitor.alert_names[0], AlertState.FIRING)
    variables = opening_variables(monitor, alert, house.config.site, incident_id=0, started_at=now)
    subject = render(monitor.subject, variables, otherwise=alert.monitor_name).text
    message = render(monitor.message, variables, otherwise=subject).text
    return Opening(" ".join(subject.split()), message, monitor.type, monitor.affected_components, monitor)


def open_by_hand(house: House, opening: Opening, by: Employee, now: datetime) -> Decision:
    """Open an incident; the others of its monitor are asked about it as by an alert. Raises NotAllowed."""
    if not by.may_publish:
        raise NotAllowed(f"{by.name} may look, but not publish: the role in config.yaml is `{by.role}`")
    monitor = opening.monitor
    key, theirs = (monitor.key, monitor.notify_employees) if monitor else ("", ())
    with house.store.transaction() as connection:
        draft = workflow.Draft(
            id=incidents.reserve_id(connection, key, now),
            monitor_key=key,
            subject=opening.subject,
            message=opening.message,
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
