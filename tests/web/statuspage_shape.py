"""The shape of Statuspage's public API v2, written down by hand from its documentation and published answers.

A shape is a type, a set of allowed texts, a list of one shape, or the fields of an object, all of which must be
there and no others.
"""

import re
from datetime import datetime
from typing import Any, Final

TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)")
ID: Final = re.compile(r"[0-9a-z]{12}")
URL: Final = re.compile(r"https?://\S+")
DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


class Maybe:
    """A shape, or null."""

    def __init__(self, shape: object) -> None:
        self.shape = shape


STATES: Final = {
    "operational",
    "degraded_performance",
    "partial_outage",
    "major_outage",
    "under_maintenance",
}
PAGE: Final = {"id": ID, "name": str, "url": URL, "time_zone": str, "updated_at": TIME}
STATUS: Final = {"indicator": {"none", "minor", "major", "critical", "maintenance"}, "description": str}
COMPONENT: Final = {
    "id": ID,
    "name": str,
    "status": STATES,
    "created_at": TIME,
    "updated_at": TIME,
    "position": int,
    "description": Maybe(str),
    "showcase": bool,
    "start_date": Maybe(DATE),
    "group_id": Maybe(ID),
    "page_id": ID,
    "group": bool,
    "only_show_if_degraded": bool,
}
GROUP: Final = {**COMPONENT, "components": [ID]}
AFFECTED: Final = {"code": ID, "name": str, "old_status": STATES, "new_status": STATES}


def _update(statuses: set[str]) -> dict[str, object]:
    return {
        "id": ID,
        "status": statuses,
        "body": str,
        "incident_id": ID,
        "created_at": TIME,
        "updated_at": TIME,
        "display_at": TIME,
        "affected_components": Maybe([AFFECTED]),
        "deliver_notifications": bool,
        "custom_tweet": Maybe(str),
        "tweet_id": Maybe(str),
    }


def _incident(statuses: set[str], impacts: set[str]) -> dict[str, object]:
    return {
        "id": ID,
        "name": str,
        "status": statuses,
        "created_at": TIME,
        "updated_at": TIME,
        "monitoring_at": Maybe(TIME),
        "resolved_at": Maybe(TIME),
        "impact": impacts,
        "shortlink": URL,
        "started_at": TIME,
        "page_id": ID,
        "incident_updates": [_update(statuses)],
        "components": [COMPONENT],
        "reminder_intervals": Maybe(str),
    }


INCIDENT: Final = _incident(
    {"investigating", "identified", "monitoring", "resolved", "postmortem"},
    {"none", "minor", "major", "critical"},
)
MAINTENANCE: Final = {
    **_incident({"scheduled", "in_progress", "verifying", "completed"}, {"maintenance"}),
    "scheduled_for": TIME,
    "scheduled_until": TIME,
}
ANSWERS: Final[dict[str, dict[str, object]]] = {
    "summary": {
        "page": PAGE,
        "components": [COMPONENT],
        "incidents": [INCIDENT],
        "scheduled_maintenances": [MAINTENANCE],
        "status": STATUS,
    },
    "status": {"page": PAGE, "status": STATUS},
    "components": {"page": PAGE, "components": [COMPONENT]},
    "incidents": {"page": PAGE, "incidents": [INCIDENT]},
    "incidents/unresolved": {"page": PAGE, "incidents": [INCIDENT]},
    "scheduled-maintenances": {"page": PAGE, "scheduled_maintenances": [MAINTENANCE]},
    "scheduled-maintenances/upcoming": {"page": PAGE, "scheduled_maintenances": [MAINTENANCE]},
    "scheduled-maintenances/active": {"page": PAGE, "scheduled_maintenances": [MAINTENANCE]},
}


def faults(value: Any, shape: Any, where: str = "$") -> list[str]:  # noqa: ANN401  JSON is anything
    """Tell where a value has another shape."""
    if isinstance(shape, Maybe):
        return [] if value is None else faults(value, shape.shape, where)
    if isinstance(shape, dict):
        return _object_faults(value, shape, where)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [fault for n, one in enumerate(value) for fault in faults(one, shape[0], f"{where}[{n}]")]
    if isinstance(shape, set):
        fits = value in shape
    elif isinstance(shape, re.Pattern):
        fits = isinstance(value, str) and shape.fullmatch(value) is not None
        if fits and shape is TIME:
            datetime.fromisoformat(value)
    else:
        fits = type(value) is shape
    return [] if fits else [f"{where} is {value!r}"]


def _object_faults(value: Any, shape: dict[str, object], where: str) -> list[str]:  # noqa: ANN401  as above
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    if shape is COMPONENT and value.get("group") is True:
        shape = GROUP
    odd = [f"{where}.{name}" for name in shape.keys() ^ value.keys()]
    inside = (faults(value[name], inner, f"{where}.{name}") for name, inner in shape.items() if name in value)
    return [*odd, *(fault for each in inside for fault in each)]
