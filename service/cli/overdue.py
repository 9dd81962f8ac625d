"""What a service that stood still does by itself as soon as it starts, because the time of it has passed meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from service.actions.house import House
from service.actions.next_steps import next_steps
from service.actions.policies import policy_for
from service.model import Maintenance, MaintenancePhase
from service.store import incidents, maintenances

MOST_LISTED: Final = 100
"""Of each kind."""


@dataclass(frozen=True, slots=True)
class AtStart:
    """What becomes of an incident or a maintenance."""

    name: str
    subject: str
    what: str
    may_be_stopped: bool = False
    """Whether it can be discarded or held before: an incident of which no subscriber heard."""


def overdue(house: House, connection: Connection, now: datetime) -> tuple[list[AtStart], str]:
    """Find what is overdue, of each kind the longest first; and say so where there is more than is given."""
    of_incidents = incidents.due_ids(connection, now, limit=MOST_LISTED + 1)
    of_maintenances = maintenances.due_ids(connection, now, limit=MOST_LISTED + 1)
    found = [
        *_incidents(house, connection, of_incidents[:MOST_LISTED]),
        *_maintenances(connection, of_maintenances[:MOST_LISTED], now),
    ]
    is_more = max(len(of_incidents), len(of_maintenances)) > MOST_LISTED
    return found, f"more is overdue than the {MOST_LISTED} that are listed" if is_more else ""


def _incidents(house: House, connection: Connection, ids: tuple[int, ...]) -> Iterator[AtStart]:
    for number in ids:
        incident = incidents.get(connection, number)
        step = next(iter(next_steps(incident, policy_for(house, incident))), None) if incident else None
        if incident is not None and step is not None:
            yield AtStart(incident.tag, incident.subject, step.words, not incident.phase.is_public)


def _maintenances(connection: Connection, ids: tuple[int, ...], now: datetime) -> Iterator[AtStart]:
    for number in ids:
        maintenance = maintenances.get(connection, number)
        if maintenance is not None:
            yield AtStart(f"maintenance {number}", maintenance.subject, _what_becomes(maintenance, now))


def _what_becomes(maintenance: Maintenance, now: datetime) -> str:
    if maintenance.phase is MaintenancePhase.ON:
        return "ends, and subscribers are told"
    if maintenance.starts_at <= now:
        return "begins, and subscribers are told"
    return "subscribers are reminded of it"
