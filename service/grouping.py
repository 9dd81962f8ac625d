"""Which open incident an alert belongs to, and which maintenance keeps it from any. Pure; it changes nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from service.model import Incident, KnownAs, Maintenance, MaintenancePhase, fold_name


class Firing(NamedTuple):
    """Something that fires: by what it is told from others (`KnownAs.key`), and its name, "" where none is known."""

    key: str | None
    name: str

    def has_name(self, name: str) -> bool:
        """Whether it is called so. Where no name is known, that may be what it is told from others by.

        An older version knew no names, and may still work beside this one.
        """
        return self.name == name or (not self.name and self.key is not None and fold_name(self.key) == name)

    @property
    def may_be_anything(self) -> bool:
        """Whether nothing tells it from others."""
        return self.key is None and not self.name


def ended_by(recovery: KnownAs, firing: Collection[Firing]) -> frozenset[Firing]:
    """Choose among what fires of a monitor what a recovery ends.

    With an entity id: this very alert; where nothing of the id fires, what came without one under the same name, since
    an admin may have added the id to one of the two webhooks only. Without an id: what has its name, which is all of a
    monitor of one name. What is known by nothing ends with the last that is known by something: an incident that never
    closes is the worse fault.
    """
    if recovery.entity_id is not None:
        same = {one for one in firing if one.key == recovery.entity_id}
        ended = same or {one for one in firing if _came_without_id(one, recovery)}
    elif recovery.is_one_of_several:
        ended = {one for one in firing if one.has_name(recovery.name)}
    else:
        return frozenset(firing)
    left = frozenset(firing) - ended
    if recovery.is_one_of_several and all(one.may_be_anything for one in left):
        return frozenset(firing)
    return frozenset(ended)


def _came_without_id(one: Firing, recovery: KnownAs) -> bool:
    """Whether something may be what a recovery with an id means, though it fired without one.

    Its monitor may have had one name then and several now, or the other way round.
    """
    if one.key == recovery.stand_in or (one.key in {None, one.name} and one.name == recovery.name):
        return True
    return recovery.is_one_of_several and not one.name and one.has_name(recovery.name)


def incident_for_firing(
    key: str | None, open_incidents: Sequence[Incident], *, combine: bool
) -> Incident | None:
    """Choose among a monitor's open incidents the one that a firing alert joins; None: a new one is opened.

    With *combine alerts* off each firing alert opens an incident of its own, save the repetition of an alert
    that says by its entity id that it is the same one and still fires.
    """
    newest_first = sorted(open_incidents, key=lambda incident: incident.id, reverse=True)
    if key is not None:
        for incident in newest_first:
            if incident.fires(key):
                return incident
    return newest_first[0] if combine and newest_first else None


def incidents_for_recovery(
    recovery: KnownAs, open_incidents: Sequence[Incident]
) -> tuple[tuple[Incident, frozenset[str | None]], ...]:
    """Choose among a monitor's open incidents those that a recovery concerns, each with which of its alerts.

    Where this very alert fires in one of them, it means nothing in the others.
    """
    id_fires = [
        one for one in open_incidents if recovery.entity_id is not None and one.fires(recovery.entity_id)
    ]
    concerned = []
    for incident in id_fires or open_incidents:
        firing = [Firing(one.entity_id, one.name) for one in incident.alerts if one.recovered_at is None]
        if ended := ended_by(recovery, firing):
            concerned.append((incident, frozenset(one.key for one in ended)))
    return tuple(concerned)


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
    known_as: KnownAs
    is_suppressed: bool
    """Whether it fired during a maintenance and was kept from having an effect."""
    is_recovery: bool = False


def still_firing(seen: Iterable[SeenAlert]) -> tuple[int, ...]:
    """Choose among alerts, oldest first, the suppressed ones that nothing took back since, each thing once.

    A recovery means what it means to an incident: `ended_by` says which alerts.
    """
    numbers: dict[tuple[str, Firing], int] = {}
    firing: dict[str, dict[str | None, Firing]] = defaultdict(dict)
    for alert in seen:
        of_monitor, known = firing[alert.monitor_key], alert.known_as
        if alert.is_recovery:
            for one in ended_by(known, of_monitor.values()):
                del of_monitor[one.key]
                del numbers[alert.monitor_key, one]
        elif known.key in of_monitor:
            if not alert.is_suppressed:
                del numbers[alert.monitor_key, of_monitor.pop(known.key)]
        elif alert.is_suppressed:
            one = of_monitor[known.key] = Firing(known.key, known.name)
            numbers[alert.monitor_key, one] = alert.number
    return tuple(numbers.values())
