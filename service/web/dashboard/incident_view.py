"""What the dashboard's pages show: everything about one incident, read at one moment. It never writes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from service.actions.audience import count_audience
from service.actions.carrying_out import closing_comment, with_alert
from service.actions.house import House
from service.actions.next_steps import NextStep, next_steps
from service.actions.policies import policy_for, with_approvals_that_count
from service.errors import NotFound
from service.model import Delivery, Incident, Monitor, TimelineEntry, Update, UpdateStatus, fold_name
from service.store import deliveries, incidents, narrative, progress
from service.store.audience import Reach
from service.store.employee_stamp import Stamp, employee_stamp
from service.store.narrative import ReceivedAlert
from service.store.progress import FanOutProgress
from service.workflow import Policy, Reason

ALERTS_SHOWN: Final = 50
RAW_SHOWN: Final = 4 * 1024
"""Bytes of each alert's raw body on the incident's page; the inbox shows it whole."""

_MARKS_OF_DIRECTION: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL_PICTURES: Final = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {
    0x7F: 0x2421
}


@dataclass(frozen=True, slots=True)
class IncidentView:
    """Everything about one incident, as it was at one moment."""

    incident: Incident
    monitor: Monitor | None
    """None: it was opened blank, or config.yaml no longer has it."""
    policy: Policy
    audience: Reach
    """How many subscribers the next text about it would reach."""
    updates: Sequence[Update]
    progress: Mapping[int, FanOutProgress]
    """By update."""
    now: datetime
    timeline: Sequence[TimelineEntry]
    received: Sequence[ReceivedAlert]
    """The first few, oldest first."""
    alert_names: Mapping[str | None, str]
    """What its alerts were called, by their entity ids and by what stands in for these."""
    mails: Sequence[Delivery]
    """To employees."""
    closing_text: str
    """What subscribers would read if it were closed now without a comment."""
    stamp: Stamp
    """How new all this is."""

    @property
    def is_blank(self) -> bool:
        """Whether it was opened by hand without a monitor, so that no alert is ever joined to it."""
        return not self.incident.monitor_key

    @property
    def can_recover(self) -> bool:
        """Whether a recovery may still reach it: only one that a monitor of config.yaml takes does."""
        return self.monitor is not None

    @property
    def opened_by_hand_at(self) -> datetime | None:
        """When somebody opened it by hand, which counts as an alert without an id that fires since."""
        by_hand = (one.at for one in self.timeline if one.reason == Reason.OPENED_BY_HAND)
        return next(by_hand, None)

    @property
    def is_over(self) -> bool:
        """Whether it would be published as resolved: it has recovered, and its monitor closes by itself."""
        return self.incident.has_recovered and self.policy.auto_close

    @property
    def is_forgotten(self) -> bool:
        """Whether it was removed who heard of it: nobody hears more by mail."""
        first = min(self.progress, default=0)
        return bool(first) and self.progress[first].removed_at is not None

    @property
    def first_status(self) -> UpdateStatus:
        """The status under which it would be published now."""
        return UpdateStatus.RESOLVED if self.is_over else UpdateStatus.INVESTIGATING

    @property
    def first_text(self) -> str:
        """What subscribers would read if it were published now, word for word."""
        message = self.incident.message
        return f"{message}\n\n{self.closing_text}" if self.is_over else message

    @property
    def steps(self) -> tuple[NextStep, ...]:
        """What happens by itself."""
        return next_steps(self.incident, self.policy)

    @property
    def approvals_missing(self) -> int:
        """How many employees still have to say publish."""
        return max(self.policy.approvals - len(self.incident.approved_by), 0)


def read_incident(house: House, incident_id: int, now: datetime) -> IncidentView:
    """Read everything about one incident; raises NotFound."""
    with house.store.reading() as connection:
        incident = incidents.get(connection, incident_id)
        if incident is None:
            raise NotFound(f"There is no incident INC-{incident_id}.")
        return _read(connection, house, with_approvals_that_count(house, incident), now)


def _read(connection: Connection, house: House, incident: Incident, now: datetime) -> IncidentView:
    monitor = house.config.monitor_for(incident.monitor_key)
    return IncidentView(
        incident=incident,
        monitor=monitor,
        policy=policy_for(house, incident),
        audience=count_audience(connection, house, incident),
        updates=narrative.updates_of(connection, [incident.id])[incident.id],
        progress=progress.of_incident(connection, incident.id),
        now=now,
        timeline=narrative.timeline_of(connection, incident.id),
        received=narrative.alerts_of(connection, incident.id, limit=ALERTS_SHOWN),
        alert_names=_names(connection, incident.id),
        mails=deliveries.of_incident_to_employees(connection, incident.id),
        closing_text=closing_comment(house, incident, with_alert(connection, incident), now),
        stamp=employee_stamp(connection),
    )


def _names(connection: Connection, incident_id: int) -> dict[str | None, str]:
    known = narrative.names_of_alerts(connection, incident_id)
    names: dict[str | None, str] = {fold_name(name): name for entity_id, name in known if entity_id is None}
    return names | dict(known)


def raw_text(raw: bytes, most: int) -> str:
    """Show at most so many bytes as text, with what is invisible or reorders a line made visible."""
    text = raw[:most].decode("utf-8", "replace").replace("\r\n", "\n").translate(_CONTROL_PICTURES)
    return _MARKS_OF_DIRECTION.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)
