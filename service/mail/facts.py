"""What mails say, as plain dicts that JSON can hold: built from the model when a delivery is queued.

`fact_forms` names every variable that a template in mail_templates/ may use. It never formats: times stay ISO strings,
texts stay Markdown.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from service.mail.fact_forms import IncidentFacts, MaintenanceFacts, UpdateFacts
from service.model import AUTOMATIC, Incident, Maintenance, Update

AUTOMATICALLY = "automatically"
"""Stands where a person's name would, if a rule of config.yaml acted."""


def incident_facts(incident: Incident, *, names: Mapping[str, str]) -> dict[str, Any]:
    """Say of an incident what mails need; `names` gives employees' names by id (unknown: the id stands)."""
    facts = IncidentFacts(
        id=incident.id,
        tag=incident.tag,
        monitor=incident.monitor_key.partition(":")[2],
        subject=incident.subject,
        message=incident.message,
        type=incident.type,
        components=[
            {"name": name, "state": state.value, "state_words": _words(state.value)}
            for name, state in incident.components.items()
        ],
        started_at=incident.started_at.isoformat(),
        published_at=_iso(incident.published_at),
        ended_at=_iso(incident.ended_at),
        published_by=_name(incident.published_by, names),
        ended_by=_name(incident.ended_by, names),
        alerts=len(incident.alerts),
        times_fired=sum(alert.times_fired for alert in incident.alerts),
        public_path=f"/incidents/{incident.id}",
        dashboard_path=f"/dashboard/incidents/{incident.id}",
    )
    return dict(facts)


def update_facts(update: Update) -> dict[str, Any]:
    """Say of an update what subscribers read; who posted it stays out."""
    facts = UpdateFacts(
        status=update.status.value,
        status_words=_words(update.status.value),
        body=update.body,
        posted_at=update.posted_at.isoformat(),
    )
    return dict(facts)


def maintenance_facts(maintenance: Maintenance) -> dict[str, Any]:
    """Say of a maintenance what subscribers read; who planned it stays out."""
    facts = MaintenanceFacts(
        id=maintenance.id,
        subject=maintenance.subject,
        message=maintenance.message,
        components=list(maintenance.components),
        starts_at=maintenance.starts_at.isoformat(),
        ends_at=maintenance.ends_at.isoformat(),
        started_at=_iso(maintenance.started_at),
        ended_at=_iso(maintenance.ended_at),
        public_path=f"/maintenance/{maintenance.id}",
    )
    return dict(facts)


def maintenance_update_facts(update: Update, maintenance: Maintenance) -> dict[str, Any]:
    """Say of a maintenance's update what subscribers read."""
    return update_facts(update) | {"status_words": maintenance.words_of(update.status)}


def _words(value: str) -> str:
    return value.replace("_", " ")


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _name(employee_id: str | None, names: Mapping[str, str]) -> str | None:
    if employee_id is None:
        return None
    return AUTOMATICALLY if employee_id == AUTOMATIC else names.get(employee_id, employee_id)
