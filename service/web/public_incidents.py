"""What the public may read of incidents: subject, updates, times, and names where the site shows them.

It takes incidents that the store's public queries gave; phases, alerts and notes never come this far.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from service.actions.house import House
from service.model import ComponentState, Incident, Update, UpdateStatus
from service.store import narrative
from service.web.component_states import worst


@dataclass(frozen=True, slots=True)
class ShownUpdate:
    """An update as the public reads it; an author "" is not shown."""

    status: UpdateStatus
    body: str
    posted_at: datetime
    author: str


@dataclass(frozen=True, slots=True)
class ShownIncident:
    """A published incident as the public reads it, its updates newest first."""

    id: int
    subject: str
    type: str
    components: Mapping[str, ComponentState]
    state: ComponentState
    """The worst of its components'."""
    is_current: bool
    status: UpdateStatus
    author: str
    started_at: datetime
    published_at: datetime
    ended_at: datetime | None
    updates: tuple[ShownUpdate, ...]

    @property
    def updated_at(self) -> datetime:
        """When the public was last told something."""
        return self.updates[0].posted_at if self.updates else self.published_at


def shown(connection: Connection, house: House, incidents: Sequence[Incident]) -> tuple[ShownIncident, ...]:
    """Add the updates to published incidents and take away what is not for the public."""
    updates = narrative.updates_of(connection, [incident.id for incident in incidents])
    return tuple(_incident(house, incident, updates[incident.id]) for incident in incidents)


def _incident(house: House, incident: Incident, updates: Sequence[Update]) -> ShownIncident:
    last = updates[-1].status if updates else UpdateStatus.INVESTIGATING
    return ShownIncident(
        id=incident.id,
        subject=incident.subject,
        type=incident.type,
        components=incident.components,
        state=worst(incident.components.values()),
        is_current=incident.phase.is_open,
        status=last if incident.phase.is_open else UpdateStatus.RESOLVED,
        author=_author(house, incident.authored_by),
        started_at=incident.started_at,
        published_at=incident.published_at or incident.started_at,
        ended_at=incident.ended_at,
        updates=tuple(
            ShownUpdate(one.status, one.body, one.posted_at, _author(house, one.posted_by))
            for one in reversed(updates)
        ),
    )


def _author(house: House, by: str) -> str:
    # a rule has no name, and whoever left the company's config.yaml is named no longer
    return "" if house.config.site.hide_authors else house.names.get(by, "")
