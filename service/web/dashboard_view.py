"""What the dashboard's pages show: everything about one incident read at once, and the words for it.

It reads and never writes; the words are for employees, the public never reads them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from service.actions.carrying_out import RESOLVED_TEXT, count_audience
from service.actions.house import House
from service.actions.texts import closing_variables, render
from service.errors import NotFound
from service.model import Delivery, DeliveryKind, Incident, Monitor, Phase, TimelineEntry, Update
from service.store import deliveries, incidents, narrative
from service.store.deliveries import Progress
from service.store.narrative import ReceivedAlert
from service.workflow import Reason

ALERTS_SHOWN: Final = 50
RAW_SHOWN: Final = 4 * 1024
"""Bytes of each alert's raw body on the incident's page; the inbox shows it whole."""

PHASE_WORDS: Final[Mapping[Phase, str]] = {
    Phase.WAITING: "in its wait time",
    Phase.UNPUBLISHED: "needs a decision",
    Phase.PUBLISHED: "published",
    Phase.RECOVERED: "published, recovered",
    Phase.CLOSED: "closed",
    Phase.DISCARDED: "discarded",
}
REASON_WORDS: Final[Mapping[Reason, str]] = {
    Reason.OPENED: "An alert fired, and the wait time began",
    Reason.OPENED_AND_ASKED: "An alert fired, and the employees were asked at once",
    Reason.OPENED_AND_PUBLISHED: "An alert fired, and it was published at once, as its monitor wants",
    Reason.ALERT_JOINED: "A further alert joined",
    Reason.ALERT_REPEATED: "An alert repeated itself",
    Reason.ALERT_RECOVERED: "One alert recovered, others still fire",
    Reason.FIRED_AGAIN: "It fired again before it was closed",
    Reason.RECOVERED_WITHIN_WAIT: "It recovered within its wait time; nobody was told",
    Reason.RECOVERED_UNPUBLISHED: "It recovered before anybody published it; nothing was sent to subscribers",
    Reason.RECOVERED_IN_GRACE: "It recovered, and closes soon unless it fires again",
    Reason.RECOVERED_LEFT_OPEN: "It recovered, and somebody has to close it",
    Reason.WAIT_ELAPSED: "The wait time passed without recovery, and the employees were asked",
    Reason.AUTO_PUBLISHED: "The wait time passed without recovery, and it was published, as its monitor wants",
    Reason.AUTO_CLOSED: "It recovered, and was closed, as its monitor wants",
    Reason.GRACE_ELAPSED: "It stayed recovered, and was closed",
    Reason.PUBLISHED: "It was published",
    Reason.DISCARDED: "It was discarded; nothing was sent to subscribers",
    Reason.UPDATE_POSTED: "An update was posted",
    Reason.CORRECTION_POSTED: "A correction was posted",
    Reason.CLOSED: "It was closed",
    Reason.NOTHING_DUE: "Nothing was due",
    Reason.NOTHING_TO_RECOVER: "Nothing was left to recover",
    Reason.ALREADY_ENDED: "It had ended already",
    Reason.REFUSED_ALREADY_PUBLISHED: "Refused: it was published already",
    Reason.REFUSED_NOT_PUBLISHED: "Refused: it was not published",
    Reason.REFUSED_CLOSED: "Refused: it was closed already",
    Reason.REFUSED_DISCARDED: "Refused: it was discarded already",
}
MAIL_WORDS: Final[Mapping[DeliveryKind, str]] = {
    DeliveryKind.APPROVAL: "asked to decide",
    DeliveryKind.PUBLISHED: "told that it is published",
    DeliveryKind.RECOVERED: "told that it recovered and stays open",
    DeliveryKind.CLOSED: "told that it is closed",
    DeliveryKind.DISCARDED: "told that it ended unpublished",
    DeliveryKind.ANSWER: "answered a reply",
}
_STILL_TRUE_IN: Final[Mapping[Reason, frozenset[Phase]]] = {
    Reason.PUBLISHED: frozenset({Phase.PUBLISHED, Phase.RECOVERED}),
    Reason.DISCARDED: frozenset({Phase.DISCARDED}),
    Reason.CLOSED: frozenset({Phase.CLOSED}),
    Reason.UPDATE_POSTED: frozenset({Phase.PUBLISHED, Phase.RECOVERED}),
    Reason.CORRECTION_POSTED: frozenset({Phase.CLOSED}),
    Reason.REFUSED_ALREADY_PUBLISHED: frozenset({Phase.PUBLISHED, Phase.RECOVERED}),
    Reason.REFUSED_NOT_PUBLISHED: frozenset({Phase.WAITING, Phase.UNPUBLISHED}),
    Reason.REFUSED_CLOSED: frozenset({Phase.CLOSED}),
    Reason.REFUSED_DISCARDED: frozenset({Phase.DISCARDED}),
}
_MARKS_OF_DIRECTION: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL_PICTURES: Final = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {
    0x7F: 0x2421
}


@dataclass(frozen=True, slots=True)
class IncidentView:
    """Everything about one incident, as it was at one moment."""

    incident: Incident
    monitor: Monitor | None
    """None: config.yaml no longer has it."""
    audience: int
    """How many subscribers the next text about it would reach."""
    updates: Sequence[Update]
    progress: Mapping[int, Progress]
    """By update; none of those whose mails are not queued yet."""
    queueing: frozenset[int]
    """The updates of which not every subscriber has a delivery yet."""
    timeline: Sequence[TimelineEntry]
    received: Sequence[ReceivedAlert]
    """The first few, oldest first."""
    mails: Sequence[Delivery]
    """To employees."""
    closing_text: str
    """What subscribers would read if it were closed now without a comment."""


def read_incident(house: House, incident_id: int, now: datetime) -> IncidentView:
    """Read everything about one incident; raises NotFound."""
    with house.store.reading() as connection:
        incident = incidents.get(connection, incident_id)
        if incident is None:
            raise NotFound(f"There is no incident INC-{incident_id}.")
        return _read(connection, house, incident, now)


def _read(connection: Connection, house: House, incident: Incident, now: datetime) -> IncidentView:
    monitor = house.config.monitor_for(incident.monitor_key)
    return IncidentView(
        incident=incident,
        monitor=monitor,
        audience=count_audience(connection, incident.id),
        updates=narrative.updates_of(connection, [incident.id])[incident.id],
        progress=deliveries.progress_of_updates(connection, incident.id),
        queueing=narrative.updates_being_queued(connection, incident.id),
        timeline=narrative.timeline_of(connection, incident.id),
        received=narrative.alerts_of(connection, incident.id, limit=ALERTS_SHOWN),
        mails=deliveries.of_incident_to_employees(connection, incident.id),
        closing_text=_closing_text(house, monitor, incident, now),
    )


def _closing_text(house: House, monitor: Monitor | None, incident: Incident, now: datetime) -> str:
    if monitor is None:
        return RESOLVED_TEXT
    variables = closing_variables(monitor, incident, None, house.config.site, now=now)
    return render(monitor.closing_comment, variables, otherwise=RESOLVED_TEXT).text


def reason_words(reason: str) -> str:
    """Say a reason in words; one that an older version wrote is shown as it stands."""
    try:
        return REASON_WORDS[Reason(reason)]
    except ValueError:
        return reason.replace("_", " ")


def reason_still_true(word: str, incident: Incident) -> Reason | None:
    """Read from a page's address what came of an order, unless the incident, as it is now, contradicts it.

    So nobody can be shown by a made-up link that something was published which was not.
    """
    try:
        reason = Reason(word)
    except ValueError:
        return None
    return reason if incident.phase in _STILL_TRUE_IN.get(reason, frozenset()) else None


def span_words(span: timedelta) -> str:
    """Say a span that is still to come, rounded up to minutes."""
    minutes = -(-int(span.total_seconds()) // 60)
    if minutes <= 0:
        return "any moment"
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
    return " ".join([part for part in parts if part][:2])


def raw_text(raw: bytes, most: int) -> str:
    """Show at most so many bytes as text, with what is invisible or reorders a line made visible."""
    text = raw[:most].decode("utf-8", "replace").replace("\r\n", "\n").translate(_CONTROL_PICTURES)
    return _MARKS_OF_DIRECTION.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)
