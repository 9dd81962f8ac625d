"""What a provider says of a monitor, and the template that a monitor is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from service.model.components import ComponentState


class AlertState(StrEnum):
    """What a provider's message says of its monitor; only the first two have an effect."""

    FIRING = "firing"
    RECOVERED = "recovered"
    ACKNOWLEDGED = "acknowledged"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Alert:
    """One firing or recovering message about a monitor, as a provider sent it."""

    provider: str
    monitor_name: str
    state: AlertState
    entity_id: str | None = None
    """The provider's name of the thing that fired; pairs a recovery with its firing."""
    raw_state: str = ""
    """The state as it stood in the payload, for a person to read."""
    message: str = ""
    sent_at: datetime | None = None
    """When the provider says it happened."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Every property of the payload, flat, for the templates."""
    is_state_known: bool = True
    """False where a state was given, and the alert is INFO only because nobody knows what it means."""


def fold_name(name: str) -> str:
    """Give a name as names are compared: without regard to case and white space."""
    return " ".join(name.casefold().split())


class KnownAs(NamedTuple):
    """By what an alert is told from others of its monitor."""

    entity_id: str | None
    """The provider's."""
    name: str
    """As names are compared (`fold_name`)."""
    is_one_of_several: bool
    """Whether its monitor takes other names too."""

    @property
    def stand_in(self) -> str | None:
        """What stands in for a missing entity id: the name, where it tells anything."""
        return self.name if self.is_one_of_several else None

    @property
    def key(self) -> str | None:
        """By which an incident knows whether it is the same alert again."""
        return self.stand_in if self.entity_id is None else self.entity_id


class LastResort(StrEnum):
    """What becomes of an incident about which nobody decided, at the end of its ladder."""

    PUBLISH = "publish"
    DISCARD = "discard"
    LEAVE = "leave"


class IfRecovered(StrEnum):
    """What becomes of an unpublished incident all of whose alerts recovered."""

    DISCARD = "discard"
    KEEP = "keep"
    PUBLISH_RESOLVED = "publish_resolved"


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder: so long after the employees were asked, tell others or take the last resort."""

    after: timedelta
    notify: tuple[str, ...] = ()
    """Ids of the employees who are asked as well; nobody: those asked before are reminded."""
    then: LastResort | None = None


@dataclass(frozen=True, slots=True)
class Monitor:
    """An entry of config.yaml: the template that turns a provider's alert name into an incident."""

    provider: str
    alert_names: tuple[str, ...]
    """Exact names or glob patterns; `*` alone takes what no other monitor takes."""
    authored_by: str
    """The id of an employee."""
    type: str
    affected_components: Mapping[str, ComponentState]
    subject: str
    """Jinja template over `alert` and `incident`, as are `message` and `closing_comment`."""
    message: str
    notify_employees: tuple[str, ...] = ()
    wait_time: timedelta = timedelta(0)
    combine_alerts: bool = True
    auto_publish: bool = False
    auto_close: bool = True
    closing_comment: str = ""
    recovery_grace: timedelta = timedelta(0)
    """How long a recovered incident stays open, in case it fires again, before auto-close closes it."""
    warning_fires: bool = True
    """Whether the state WARNING counts as firing; else it is recorded without effect."""
    escalate: tuple[Rung, ...] = ()
    """The ladder, in the order of its times."""
    remind_every: timedelta | None = None
    """How often those who were asked are asked again until somebody decides."""
    approvals: int = 1
    """How many employees must say publish."""
    if_recovered_unpublished: IfRecovered = IfRecovered.DISCARD
    audience: tuple[str, ...] = ()
    """The groups of subscribers who hear of it; none named: everybody."""

    @property
    def key(self) -> str:
        """A name that stays the same across restarts: it binds open incidents to their monitor."""
        return f"{self.provider}:{self.alert_names[0]}"
