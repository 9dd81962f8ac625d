"""Work that is planned and announced."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.model.publication import UpdateStatus


class MaintenancePhase(StrEnum):
    """Where a maintenance stands: announced, going on, over, or called off."""

    PLANNED = "planned"
    ON = "on"
    DONE = "done"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self in {MaintenancePhase.DONE, MaintenancePhase.CANCELLED}


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Planned and announced work; while it is on, alerts on its components open nothing."""

    id: int
    phase: MaintenancePhase
    due_at: datetime | None
    """When it is reminded of, starts or ends next; its only timer."""
    version: int
    subject: str
    message: str
    """Markdown, as the closing comment is."""
    components: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    planned_at: datetime
    planned_by: str
    """An employee's id, or AUTOMATIC for a window of config.yaml."""
    closing_comment: str = ""
    audience: tuple[str, ...] = ()
    """The groups of subscribers who hear of it; none: everybody."""
    remind_at: datetime | None = None
    """When subscribers are reminded; None: never, or it was done."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    config_key: str | None = None
    """Names a window of config.yaml, so that it is planned once."""

    @property
    def began_at(self) -> datetime:
        """Since when alerts were kept back, or will be: its hour, or the moment at which somebody began it earlier."""
        return min(self.starts_at, self.started_at or self.starts_at)

    def words_of(self, status: UpdateStatus) -> str:
        """Give what the public reads for the status of an update: of one that was called off, so the last one says."""
        is_off = self.phase is MaintenancePhase.CANCELLED and status is UpdateStatus.COMPLETED
        return "cancelled" if is_off else status.value.replace("_", " ")
