"""What a simulation is given and what it shows: posts and answers on a virtual clock, steps and mails. Values only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from service.config.form import DEFAULT_PROVIDER
from service.model import Alert, AlertState, ComponentState, DeliveryKind, Incident, Phase, UpdateStatus
from service.providers.post import RawPost

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class GivenPost:
    """A webhook's post, so long after the simulation begins."""

    after: timedelta
    post: RawPost
    provider: str = DEFAULT_PROVIDER


def named_post(
    after: timedelta,
    monitor_name: str,
    state: str,
    *,
    entity_id: str | None = None,
    provider: str = DEFAULT_PROVIDER,
) -> GivenPost:
    """Make the post that the vendor's recommended payload would be for a name and a state."""
    fields = {"monitorName": monitor_name, "state": state} | ({"entityId": entity_id} if entity_id else {})
    return GivenPost(after, RawPost(json.dumps(fields).encode(), _JSON, is_plain=True), provider)


class Cause(StrEnum):
    """What set a step off."""

    POST = "post"
    TIMER = "timer"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Match:
    """An alert of a post, and the monitor that it means."""

    alert: Alert
    state: AlertState
    """As the monitor takes it."""
    monitor_key: str | None
    """None: no monitor is meant."""


@dataclass(frozen=True, slots=True)
class SimulatedMail:
    """A mail as it would read; its links and its token belong to no real incident and lead nowhere."""

    kind: DeliveryKind
    to: str
    subject: str
    text: str
    html: str = ""
    fault: str = ""
    """Why it could not be composed; it is empty then."""
    incident_id: int | None = None


@dataclass(frozen=True, slots=True)
class PageEntry:
    """What the status page would say of an incident."""

    subject: str
    is_current: bool
    status: UpdateStatus
    text: str
    """Of the last update; Markdown."""
    components: Mapping[str, ComponentState]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that would happen, and all that would come of it at once."""

    after: timedelta
    at: datetime
    cause: Cause
    given: str
    """What happened, for a person: `Email Server: CRITICAL`."""
    reason: str
    """The decision's reason, or why none was made."""
    explanation: str = ""
    matches: tuple[Match, ...] = ()
    complaint: str = ""
    """Why the post cannot be read."""
    lost: str = ""
    """What is wrong with some of its alerts, which cannot be read."""
    incidents: tuple[Incident, ...] = ()
    """Those that changed, as they are after it."""
    mails: tuple[SimulatedMail, ...] = ()
    page: tuple[PageEntry, ...] = ()
    """The published incidents, newest first."""
    page_html: str = ""
    """Where one was asked for, and something is public."""

    @property
    def phases(self) -> Mapping[str, Phase]:
        """The phases of the incidents that changed, by tag."""
        return {incident.tag: incident.phase for incident in self.incidents}


@dataclass(frozen=True, slots=True)
class Simulation:
    """What would happen, step by step."""

    started_at: datetime
    until: timedelta
    steps: tuple[Step, ...] = field(default=())
    is_cut: bool = False
    """Whether it was stopped because it went on too long."""

    @property
    def mails(self) -> tuple[SimulatedMail, ...]:
        """Every mail in the order in which they would be sent."""
        return tuple(mail for step in self.steps for mail in step.mails)

    def first_mail(self, *kinds: DeliveryKind) -> SimulatedMail | None:
        """Give the first mail of some kinds."""
        return next((mail for mail in self.mails if mail.kind in kinds), None)
