"""What the public reads, in the form of Statuspage's public API v2: same names, same enums. Pure.

Nothing is said here that the status page does not say. docs/status-api.md tells what stands for what.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from service.config.settings import Site
from service.model import Component, ComponentState, Maintenance, UpdateStatus
from service.store.component_states import Lifetime
from service.web.public.incidents import ShownIncident, ShownUpdate
from service.web.public.maintenances import ShownMaintenance
from service.workflow.components import worst

Json = dict[str, Any]

IMPACTS: Final[Mapping[ComponentState, str]] = MappingProxyType(
    {
        ComponentState.OPERATIONAL: "none",
        ComponentState.UNDER_MAINTENANCE: "maintenance",
        ComponentState.DEGRADED_PERFORMANCE: "minor",
        ComponentState.PARTIAL_OUTAGE: "major",
        ComponentState.MAJOR_OUTAGE: "critical",
    }
)
"""By the worst state of a component; the indicator of the whole has the same words."""
DESCRIPTIONS: Final[Mapping[ComponentState, str]] = MappingProxyType(
    {
        ComponentState.OPERATIONAL: "All Systems Operational",
        ComponentState.UNDER_MAINTENANCE: "Service Under Maintenance",
        ComponentState.DEGRADED_PERFORMANCE: "Partially Degraded Service",
        ComponentState.PARTIAL_OUTAGE: "Partial System Outage",
        ComponentState.MAJOR_OUTAGE: "Major Service Outage",
    }
)
"""Statuspage's own sentences, which some clients compare."""
_ID_CHARACTERS: Final = "0123456789bcdfghjklmnpqrstvwxyz"


@dataclass(frozen=True, slots=True)
class Page:
    """The page that all of it belongs to, and what its components do now."""

    site: Site
    components: tuple[Component, ...]
    states: Mapping[str, ComponentState]
    """By name; one that is missing is operational."""
    lifetimes: Mapping[str, Lifetime]
    updated_at: datetime

    @property
    def id(self) -> str:
        """Its id, by the host that it has."""
        return short_id("page", urlsplit(self.site.url).hostname or "")

    def id_of(self, kind: str, key: object) -> str:
        """Give the id of something on it, which no other page has."""
        return short_id(self.id, kind, key)

    def state_of(self, component: str) -> ComponentState:
        """Tell how a component is now."""
        return self.states.get(component, ComponentState.OPERATIONAL)

    def moment(self, at: datetime | None) -> str | None:
        """Write a time as Statuspage does: with milliseconds, by the site's clock."""
        return None if at is None else moment(at, self.site.timezone)


def short_id(*parts: object) -> str:
    """Give a short word that always stands for the same."""
    number = int.from_bytes(sha256("\0".join(map(str, parts)).encode()).digest()[:8])
    letters = []
    for _ in range(12):
        number, rest = divmod(number, len(_ID_CHARACTERS))
        letters.append(_ID_CHARACTERS[rest])
    return "".join(letters)


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Write a time in ISO 8601 with milliseconds and offset; UTC is a Z, as Statuspage has it."""
    local = at.astimezone(zone)
    return local.isoformat(timespec="milliseconds").replace(
        "+00:00", "Z" if local.tzname() == "UTC" else "+00:00"
    )


def page_form(page: Page) -> Json:
    """Give what stands at the head of each answer."""
    return {
        "id": page.id,
        "name": page.site.name,
        "url": page.site.url,
        "time_zone": page.site.timezone.key,
        "updated_at": page.moment(page.updated_at),
    }


def status_form(state: ComponentState) -> Json:
    """Give how the whole does."""
    return {"indicator": IMPACTS[state], "description": DESCRIPTIONS[state]}


def component_forms(page: Page) -> list[Json]:
    """Give the components in the order of config.yaml, each group right before the first of its own."""
    members: dict[str, list[str]] = {}
    for one in page.components:
        members.setdefault(one.group, []).append(one.name)
    forms: list[Json] = []
    top = 0
    for one in page.components:
        names = members[one.group]
        if not one.group or one.name == names[0]:
            top += 1
        if one.group and one.name == names[0]:
            forms.append(_group(page, one.group, names, top))
        forms.append(_component(page, one, names.index(one.name) + 1 if one.group else top))
    return forms


def _component(page: Page, one: Component, position: int) -> Json:
    lifetime = page.lifetimes.get(one.name)
    form = _any_component(
        page, page.id_of("component", one.name), one.name, page.state_of(one.name), [one.name]
    )
    return form | {
        "position": position,
        "description": one.description or None,
        "showcase": True,
        "start_date": lifetime.first_at.astimezone(page.site.timezone).date().isoformat()
        if lifetime
        else None,
        "group_id": page.id_of("group", one.group) if one.group else None,
    }


def _group(page: Page, group: str, names: list[str], position: int) -> Json:
    state = worst(page.state_of(name) for name in names)
    form = _any_component(page, page.id_of("group", group), group, state, names)
    ids = [page.id_of("component", name) for name in names]
    return form | {"position": position, "group": True, "components": ids}


def _any_component(page: Page, id_: str, name: str, state: ComponentState, names: list[str]) -> Json:
    known = [page.lifetimes[one] for one in names if one in page.lifetimes]
    return {
        "id": id_,
        "name": name,
        "status": state.value,
        "created_at": page.moment(min((one.first_at for one in known), default=page.updated_at)),
        "updated_at": page.moment(max((one.last_at for one in known), default=page.updated_at)),
        "position": 1,
        "description": None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": page.id,
        "group": False,
        "only_show_if_degraded": False,
    }


def incident_form(page: Page, one: ShownIncident, components: Sequence[Json]) -> Json:
    """Give a published incident, with those of the components that it affects."""
    id_ = page.id_of("incident", one.id)
    told = one.post_mortems
    return {
        "id": id_,
        "name": one.subject,
        "status": (UpdateStatus.POSTMORTEM if told else one.status).value,
        "created_at": page.moment(one.published_at),
        "updated_at": page.moment(max(one.updated_at, one.ended_at or one.updated_at)),
        "monitoring_at": page.moment(_since(one.updates, UpdateStatus.MONITORING)),
        "resolved_at": page.moment(one.ended_at),
        "impact": IMPACTS[one.state],
        "shortlink": f"{page.site.url}/incidents/{one.id}",
        "started_at": page.moment(one.started_at),
        "page_id": page.id,
        "incident_updates": _updates(page, id_, one.updates, one.components),
        "components": _those(page, components, one.components),
        "reminder_intervals": None,
        **(_post_mortem(page, told) if told else {}),
    }


def _post_mortem(page: Page, told: Sequence[ShownUpdate]) -> Json:
    """Give what Statuspage's webhooks and its other API tell of a post-mortem, by their names."""
    return {
        "postmortem_body": told[0].body,
        "postmortem_body_last_updated_at": page.moment(told[0].posted_at),
        "postmortem_published_at": page.moment(told[-1].posted_at),
    }


def maintenance_form(
    page: Page, planned: Maintenance, one: ShownMaintenance, components: Sequence[Json]
) -> Json:
    """Give a maintenance; one that was called off is completed, and its last update says so."""
    id_ = page.id_of("maintenance", one.id)
    states = dict.fromkeys(one.components, ComponentState.UNDER_MAINTENANCE)
    return {
        "id": id_,
        "name": one.subject,
        "status": "completed" if one.is_over else one.status,
        "created_at": page.moment(one.planned_at),
        "updated_at": page.moment(one.updated_at),
        "monitoring_at": None,
        "resolved_at": page.moment(planned.ended_at),
        "impact": "maintenance",
        "shortlink": f"{page.site.url}/maintenance/{one.id}",
        "started_at": page.moment(one.starts_at),
        "page_id": page.id,
        "incident_updates": _updates(page, id_, one.updates, states),
        "components": _those(page, components, one.components),
        "reminder_intervals": None,
        "scheduled_for": page.moment(planned.starts_at),
        "scheduled_until": page.moment(planned.ends_at),
    }


def _those(page: Page, components: Sequence[Json], names: Iterable[str]) -> list[Json]:
    wanted = {page.id_of("component", name) for name in names}
    return [form for form in components if form["id"] in wanted]


def _since(updates: Iterable[ShownUpdate], status: UpdateStatus) -> datetime | None:
    return next((one.posted_at for one in updates if one.status is status), None)


_ENDS: Final = {UpdateStatus.RESOLVED, UpdateStatus.COMPLETED, UpdateStatus.POSTMORTEM}


def _updates(
    page: Page, of_id: str, updates: tuple[ShownUpdate, ...], states: Mapping[str, ComponentState]
) -> list[Json]:
    """Give updates, the newest first, each with what it says of the components before and after it."""
    forms: list[Json] = []
    before = dict.fromkeys(states, ComponentState.OPERATIONAL)
    for number, one in enumerate(reversed(updates), start=1):
        is_well = one.status in _ENDS or one.status is UpdateStatus.SCHEDULED
        after = dict.fromkeys(states, ComponentState.OPERATIONAL) if is_well else dict(states)
        at = page.moment(one.posted_at)
        forms.append(
            {
                "id": short_id(of_id, "update", number),
                "status": one.status.value,
                "body": one.body,
                "incident_id": of_id,
                "created_at": at,
                "updated_at": at,
                "display_at": at,
                "affected_components": [
                    {
                        "code": page.id_of("component", name),
                        "name": name,
                        "old_status": before[name].value,
                        "new_status": after[name].value,
                    }
                    for name in states
                ]
                or None,
                "deliver_notifications": True,
                "custom_tweet": None,
                "tweet_id": None,
            }
        )
        before = after
    return forms[::-1]
