"""One outage as we handle it, and the steps of its life."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from service.model.components import ComponentState

DEFAULT_TYPE: Final = "service_unavailable"
KNOWN_TYPES: Final = (DEFAULT_TYPE, "performance", "informational")
"""The vendor's; what an incident is besides is a word of the company's own."""


class Phase(StrEnum):
    """Where an incident stands in our workflow; the public never reads it."""

    WAITING = "waiting"
    UNPUBLISHED = "unpublished"
    PUBLISHED = "published"
    RECOVERED = "recovered"
    CLOSED = "closed"
    DISCARDED = "discarded"

    @property
    def is_open(self) -> bool:
        """Whether alerts may still join."""
        return self not in {Phase.CLOSED, Phase.DISCARDED}

    @property
    def is_public(self) -> bool:
        """Whether the incident was published, and so may be seen outside."""
        return self in {Phase.PUBLISHED, Phase.RECOVERED, Phase.CLOSED}


@dataclass(frozen=True, slots=True)
class JoinedAlert:
    """What an incident remembers of one alert: alerts of the same entity id are the same."""

    entity_id: str | None
    """The provider's, or what stands in for it (`KnownAs.key`)."""
    fired_at: datetime
    recovered_at: datetime | None = None
    times_fired: int = 1
    name: str = ""
    """Its name as names are compared; "": not known, as of what was opened by hand."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One outage as we handle it. `version` counts its changes; `due_at` is its only timer."""

    id: int
    """Also its number in `[INC-12]`."""
    monitor_key: str
    phase: Phase
    due_at: datetime | None
    version: int
    subject: str
    message: str
    type: str
    components: Mapping[str, ComponentState]
    started_at: datetime
    alerts: tuple[JoinedAlert, ...] = ()
    authored_by: str = ""
    notify_employees: tuple[str, ...] = ()
    """Ids of those who are told: the monitor's when it was opened, and those the ladder brought in since."""
    audience: tuple[str, ...] = ()
    """The groups of subscribers who hear of it, as the monitor had them when it was opened; none: everybody."""
    text_version: int = 1
    """Counts the versions of subject, message, type and components; an order about an older one is refused."""
    approved_by: tuple[str, ...] = ()
    """Ids of those who said publish about this version."""
    rung: int = 0
    """The next rung of the ladder."""
    ladder_from: datetime | None = None
    """When the ladder's time began; a hold moves it on."""
    reminded_at: datetime | None = None
    """When the employees were last asked."""
    held_until: datetime | None = None
    notified_at: datetime | None = None
    """When the employees were told; None while it waits."""
    published_at: datetime | None = None
    published_by: str | None = None
    """An employee's id, or AUTOMATIC."""
    ended_at: datetime | None = None
    """When it was closed or discarded."""
    ended_by: str | None = None

    def fires(self, entity_id: str | None) -> bool:
        """Whether an alert of this entity id fires in it; None: one without an id."""
        return any(one.entity_id == entity_id and one.recovered_at is None for one in self.alerts)

    @property
    def has_recovered(self) -> bool:
        """Whether every alert of it has recovered."""
        return all(alert.recovered_at is not None for alert in self.alerts)

    @property
    def tag(self) -> str:
        """The name by which people and mails call it."""
        return f"INC-{self.id}"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One step in an incident's life; append-only."""

    at: datetime
    from_phase: Phase | None
    to_phase: Phase
    reason: str
    by: str
    note: str = ""
