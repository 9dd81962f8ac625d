"""Which open incident an alert belongs to, and which maintenance keeps it from any. Pure; it changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.model import Incident, Maintenance, MaintenancePhase


def incident_for_firing(
    known_as: str | None, open_incidents: Sequence[Incident], *, combine: bool
) -> Incident | None:
    """Choose among a monitor's open incidents the one that a firing alert joins; None: a new one is opened.

    With *combine alerts* off each firing alert opens an incident of its own, save the repetition of an alert
    that says by its entity id that it is the same one and still fires.
    """
    newest_first = sorted(open_incidents, key=lambda incident: incident.id, reverse=True)
    if known_as is not None:
        for incident in newest_first:
            if incident.fires(known_as):
                return incident
    return newest_first[0] if combine and newest_first else None


def incidents_for_recovery(
    known_as: Sequence[str | None], open_incidents: Sequence[Incident]
) -> tuple[tuple[Incident, ...], frozenset[str | None] | None]:
    """Choose among a monitor's open incidents those that a recovery concerns, and which of their alerts.

    `known_as` says by what the alert may be known, the surest first: where the first of them fires, that alone is
    meant. An admin may have added the entity id to one of the two webhooks only, and an incident that never closes is
    the worse fault. Known by nothing, it means all (the second value is None).
    """
    if all(one is None for one in known_as):
        return tuple(incident for incident in open_incidents if not incident.has_recovered), None
    for wanted in known_as:
        found = tuple(incident for incident in open_incidents if incident.fires(wanted))
        if found:
            return found, frozenset({wanted})
    return (), frozenset(known_as)


def maintenance_over(
    components: Iterable[str], maintenances: Sequence[Maintenance], at: datetime
) -> Maintenance | None:
    """Find the maintenance that keeps an alert at some time about some components from having an effect.

    One whose hour has come counts as on, though its timer may not have fired yet; one whose planned end has passed
    does not. What affects no component is nobody's maintenance.
    """
    affected = frozenset(components)
    for one in maintenances:
        has_begun = one.phase is MaintenancePhase.ON or one.starts_at <= at
        if not one.phase.is_over and has_begun and at < one.ends_at and affected.intersection(one.components):
            return one
    return None


@dataclass(frozen=True, slots=True)
class SeenAlert:
    """What `still_firing` needs of an alert that was worked off; `number` names it to whoever asks."""

    number: int
    monitor_key: str
    known_as: tuple[str | None, ...]
    """By what it may be known among its monitor's, the surest first; None: by nothing."""
    is_suppressed: bool
    """Whether it fired during a maintenance and was kept from having an effect."""
    is_recovery: bool = False


def still_firing(seen: Iterable[SeenAlert]) -> tuple[int, ...]:
    """Choose among alerts, oldest first, the suppressed ones that nothing took back since, each thing once.

    A recovery means what it means to an incident: `incidents_for_recovery` says which alerts.
    """
    firing: dict[tuple[str, str | None], int] = {}
    for alert in seen:
        things = [(alert.monitor_key, name) for name in alert.known_as]
        if alert.is_recovery and all(name is None for name in alert.known_as):
            firing = {key: number for key, number in firing.items() if key[0] != alert.monitor_key}
        elif alert.is_recovery:
            meant = next((thing for thing in things if thing in firing), None)
            firing = {key: number for key, number in firing.items() if key != meant}
        elif alert.is_suppressed:
            firing.setdefault(things[0], alert.number)
        else:
            firing.pop(things[0], None)
    return tuple(firing.values())
