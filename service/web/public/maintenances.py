"""What the public may read of maintenances: what is done to which components, when, and what was told of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from service.actions.house import House
from service.model import Maintenance, MaintenancePhase, Update, UpdateStatus
from service.store import narrative
from service.web.public.incidents import ShownUpdate, author, shown_updates

_STATUS = {
    MaintenancePhase.PLANNED: UpdateStatus.SCHEDULED,
    MaintenancePhase.ON: UpdateStatus.IN_PROGRESS,
    MaintenancePhase.DONE: UpdateStatus.COMPLETED,
}
CALLED_OFF = "cancelled"


@dataclass(frozen=True, slots=True)
class ShownMaintenance:
    """A maintenance as the public reads it, its updates newest first."""

    id: int
    subject: str
    message: str
    components: tuple[str, ...]
    status: str
    starts_at: datetime
    ends_at: datetime
    is_on: bool
    is_over: bool
    author: str
    planned_at: datetime
    updates: tuple[ShownUpdate, ...]

    @property
    def updated_at(self) -> datetime:
        """When the public was last told something."""
        return self.updates[0].posted_at if self.updates else self.planned_at


def shown_maintenances(
    connection: Connection, house: House, found: Sequence[Maintenance]
) -> tuple[ShownMaintenance, ...]:
    """Add the updates, and take away what is not for the public."""
    updates = narrative.updates_of_maintenances(connection, [one.id for one in found]) if found else {}
    return tuple(_shown(house, one, updates[one.id]) for one in found)


def _shown(house: House, one: Maintenance, updates: Sequence[Update]) -> ShownMaintenance:
    return ShownMaintenance(
        id=one.id,
        subject=one.subject,
        message=one.message,
        components=one.components,
        status=_STATUS.get(one.phase, CALLED_OFF),
        # what really happened, where it already has
        starts_at=one.started_at or one.starts_at,
        ends_at=one.ended_at if one.ended_at is not None and one.started_at is not None else one.ends_at,
        is_on=one.phase is MaintenancePhase.ON,
        is_over=one.phase.is_over,
        author=author(house, one.planned_by),
        planned_at=one.planned_at,
        updates=shown_updates(house, updates),
    )
