"""Which open incident an alert belongs to. Pure; it never opens or changes one."""

from collections.abc import Sequence

from service.model import Incident


def incident_for_firing(
    entity_id: str | None, open_incidents: Sequence[Incident], *, combine: bool
) -> Incident | None:
    """Choose among a monitor's open incidents the one that a firing alert joins; None: a new one is opened.

    With *combine alerts* off each firing alert opens an incident of its own, save the repetition of an alert
    that says by its entity id that it is the same one and still fires.
    """
    newest_first = sorted(open_incidents, key=lambda incident: incident.id, reverse=True)
    if entity_id is not None:
        for incident in newest_first:
            if _fires(incident, entity_id):
                return incident
    return newest_first[0] if combine and newest_first else None


def incidents_for_recovery(
    entity_id: str | None, open_incidents: Sequence[Incident]
) -> tuple[tuple[Incident, ...], frozenset[str | None] | None]:
    """Choose among a monitor's open incidents those that a recovery concerns, and which of their alerts.

    With an entity id: where this very alert fires; without one: all (the second value is None). Where nothing
    of this id fires, the alerts that came without an id are meant: an admin may have added the id to one of
    the two webhooks only, and an incident that never closes is the worse fault.
    """
    if entity_id is None:
        return tuple(incident for incident in open_incidents if not incident.has_recovered), None
    for wanted in (entity_id, None):
        found = tuple(incident for incident in open_incidents if _fires(incident, wanted))
        if found:
            return found, frozenset({wanted})
    return (), frozenset({entity_id})


def _fires(incident: Incident, entity_id: str | None) -> bool:
    return any(a.entity_id == entity_id and a.recovered_at is None for a in incident.alerts)
