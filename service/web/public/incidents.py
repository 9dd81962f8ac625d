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
from service.workflow.components import worst


@dataclass(frozen=True, slots=True)
class ShownUpdate:
    """An update as the public reads it; an author "" is not shown."""

    status: UpdateStatus
    body: str
    posted_at: datetime
    author: str
    corrects_at: datetime | None = None
    """When the update was posted that it puts right."""


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

    @property
    def post_mortems(self) -> tuple[ShownUpdate, ...]:
        """What was told of why it happened, the newest first, corrections included."""
        return tuple(one for one in self.updates if one.status is UpdateStatus.POSTMORTEM)


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
        author=author(house, incident.authored_by),
        started_at=incident.started_at,
        published_at=incident.published_at or incident.started_at,
        ended_at=incident.ended_at,
        updates=shown_updates(house, updates),
    )


def shown_updates(house: House, updates: Sequence[Update]) -> tuple[ShownUpdate, ...]:
    """Give updates as the public reads them, the newest first."""
    posted_at = {one.id: one.posted_at for one in updates}
    return tuple(
        ShownUpdate(
            one.status,
            one.body,
            one.posted_at,
            author(house, one.posted_by),
            posted_at.get(one.corrects_id or 0),
        )
        for one in reversed(updates)
    )


def author(house: House, by: str) -> str:
    """Give the name that the public may read of whoever did something, or ""."""
    # a rule has no name, and whoever left the company's config.yaml is named no longer
    return "" if house.config.site.hide_authors else house.names.get(by, "")
