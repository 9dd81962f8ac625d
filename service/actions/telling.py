"""Saying in sentences what came of an order, and how an incident stands. It changes nothing."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from service.actions.audience import counted_last
from service.actions.house import House
from service.actions.policies import policy_for
from service.model import AUTOMATIC, Incident, Phase
from service.store.audience import Reach
from service.workflow import Decision, Reason

_POSTED: Final = "The update of {tag} is posted, and those who heard of it are being told."
_SAID: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.PUBLISHED_AS_RESOLVED: "{tag} had recovered, so it is published as resolved, in one update.",
        Reason.DISCARDED: "{tag} is discarded; nothing was sent to subscribers.",
        Reason.CLOSED: "{tag} is closed, and those who heard of it are being told.",
        Reason.UPDATE_POSTED: _POSTED,
        Reason.CORRECTION_POSTED: (
            "{tag} is closed, so this is posted as a correction, under Resolved, and those who heard of it "
            "are being told."
        ),
        Reason.UPDATE_CORRECTED: _POSTED,
        Reason.POSTMORTEM_POSTED: "The post-mortem of {tag} is posted on the status page.",
    }
)
"""What came of orders that need no figures to be told."""


def explain(house: House, decision: Decision, reach: Reach | None = None) -> str:
    """Say in one sentence what came of an order, and if it was refused, what had happened before.

    `reach` is who hears of what was published; None: as this process counted it when it carried the decision out.
    """
    if decision.reason.is_refusal:
        return _refused(house, decision)
    incident = decision.incident
    match decision.reason:
        case Reason.PUBLISHED:
            return f"{incident.tag} is published: {_told(counted_last(house, incident) if reach is None else reach)}."
        case Reason.APPROVED:
            missing = _approvals(house, incident) - len(incident.approved_by)
            return (
                f"Your approval of {incident.tag} is noted; {missing} more is needed before it is published."
            )
        case Reason.EDITED:
            return (
                f"{incident.tag} has a new version, which is being mailed; publish it by answering that mail."
            )
        case Reason.HELD:
            until = _local(house, incident.held_until or incident.due_at)
            return f"{incident.tag} is held until {until}; nothing happens by itself before."
        case other:
            said = _SAID.get(other, f"{{tag}}: {other.replace('_', ' ')}.")
            return said.format(tag=incident.tag)


def _told(reach: Reach | None) -> str:
    """Say who is told of what was published just now; None: it is not known how many."""
    if reach is None:
        return "it is on the status page, and those who subscribed to it are being told"
    if not reach:
        return "it is on the status page; nobody has subscribed to it, so no mail is sent"
    return (
        f"it is on the status page, and {reach.subscribers} {'is' if reach.total == 1 else 'are'} being told"
    )


def _refused(house: House, decision: Decision) -> str:
    incident, at = decision.incident, _clock_time(house, decision.incident)
    match decision.reason:
        case Reason.REFUSED_TEXT_CHANGED:
            return (
                f"{incident.tag} was changed since, or that mail did not show its text: "
                "read the newest mail that does, and answer that one."
            )
        case Reason.REFUSED_TEXT_THE_SAME:
            return f"{incident.tag} says just that already; nothing was changed."
        case Reason.REFUSED_APPROVED_BEFORE:
            missing = _approvals(house, incident) - len(incident.approved_by)
            return f"You approved {incident.tag} before; {missing} more from somebody else is needed."
        case Reason.REFUSED_ALREADY_PUBLISHED:
            by = _by(house, incident.published_by)
            return f"{incident.tag} was already published {by} at {at}."
        case Reason.REFUSED_NOT_PUBLISHED:
            return f"{incident.tag} is not published yet: publish it first."
        case Reason.REFUSED_STILL_OPEN:
            return f"{incident.tag} is still going on: close it first, then post its post-mortem."
        case Reason.REFUSED_CLOSED:
            return f"{incident.tag} was published and is closed since {at}; nothing was sent now."
        case _ if incident.ended_by == AUTOMATIC and incident.has_recovered:
            return f"{incident.tag} recovered at {at} before it was published; nothing was sent."
        case _:
            by = _by(house, incident.ended_by)
            return f"{incident.tag} was discarded {by} at {at}; nothing was sent."


def closing_of(house: House, incident: Incident) -> str:
    """Say who closed a closed incident, and when."""
    by = _by(house, incident.ended_by)
    return f"{incident.tag} was closed {by} at {_clock_time(house, incident)}"


def _by(house: House, who: str | None) -> str:
    return "automatically" if who == AUTOMATIC else f"by {house.name_of(who or '')}"


def describe(house: House, incident: Incident, recipients: Reach) -> tuple[str, ...]:
    """Say how an incident stands, in sentences."""
    since = _local(house, incident.started_at)
    firing, alerts = sum(alert.recovered_at is None for alert in incident.alerts), len(incident.alerts)
    if not firing:
        begun = f"{incident.tag} began at {since} and has recovered."
    elif alerts == 1:
        begun = f"{incident.tag} began at {since}, and its alert still fires."
    else:
        fire = "fires" if firing == 1 else "fire"
        begun = f"{incident.tag} began at {since}; {firing} of its {alerts} alerts still {fire}."
    readers = recipients.subscribers or "no subscriber"
    match incident.phase:
        case Phase.WAITING:
            stands = f"It waits until {_local(house, incident.due_at)}, and nobody outside knows of it."
        case Phase.UNPUBLISHED:
            stands = f"It is not published; {readers} would hear of it."
        case Phase.PUBLISHED:
            stands = f"It was published at {_local(house, incident.published_at)}; {readers} heard of it."
        case Phase.RECOVERED:
            stands = "It is published and has recovered, but is not closed."
        case Phase.CLOSED:
            stands = f"It was published, and closed at {_local(house, incident.ended_at)}."
        case Phase.DISCARDED:
            stands = (
                f"It was discarded at {_local(house, incident.ended_at)}, and nobody outside heard of it."
            )
    return begun, stands


def _approvals(house: House, incident: Incident) -> int:
    return policy_for(house, incident).approvals


def _clock_time(house: House, incident: Incident) -> str:
    at = incident.ended_at if incident.phase in {Phase.CLOSED, Phase.DISCARDED} else incident.published_at
    return _local(house, at)


def _local(house: House, at: datetime | None) -> str:
    return at.astimezone(house.config.site.timezone).strftime("%H:%M %Z") if at else "an unknown time"
