"""The components, as employees see them: state, since when and by what, history, uptime, who names them.

It changes nothing: a component's state follows from what is published and from maintenance, and is set by opening an
incident or beginning a maintenance, so that the public always reads why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.actions.house import House
from service.config.settings import Config
from service.errors import NotFound
from service.model import Component, ComponentState, Employee, Incident, Maintenance, Monitor, Phase, Role
from service.store import component_history, component_states, incidents, maintenances
from service.store.component_states import StateChange
from service.web.dashboard.config_file import ConfigFile, read_config_file
from service.web.dashboard.monitor_words import slug_of, span_in_words
from service.web.dashboard.pulse import mark_of
from service.web.dashboard.words import PHASE_WORDS
from service.web.front import Front, front_of, page
from service.web.login.mail_link import before_id, shown_to_employees
from service.web.public.component_slugs import slugs
from service.web.public.past_days import last_days
from service.web.public.uptime import DAYS, Uptime
from service.web.public.uptime_bars import draw, trouble
from service.workflow.components import affected

MOST_OPEN: Final = 200
"""Open incidents of each phase among which those are looked for that name a component."""
CHANGES_SHOWN: Final = 30
_HERE: Final = "/dashboard/components"
_OPEN: Final = tuple(phase for phase in Phase if phase.is_open)


@dataclass(frozen=True, slots=True)
class SeenComponent:
    """A component, and all that bears on it now."""

    name: str
    group: str
    description: str
    slug: str
    state: ComponentState
    since: datetime | None
    """None: nothing was recorded yet."""
    uptime: Uptime | None
    incidents: Sequence[Incident]
    """The open ones that name it, published or not."""
    maintenances: Sequence[Maintenance]
    """Those that are on or planned for it."""
    monitors: Sequence[Monitor]


@dataclass(frozen=True, slots=True)
class _Facts:
    states: Mapping[str, ComponentState]
    latest: Mapping[str, StateChange]
    uptimes: Mapping[str, Uptime]
    open: Sequence[Incident]
    not_over: Sequence[Maintenance]


def _facts(connection: Connection, house: House, now: datetime) -> _Facts:
    return _Facts(
        states=affected(incidents.current_public(connection), maintenances.on_now(connection)),
        latest=component_states.going_on(connection).latest,
        uptimes=last_days(connection, house.store, now=now, zone=house.config.site.timezone),
        open=incidents.listed(connection, phases=_OPEN, limit=MOST_OPEN),
        not_over=maintenances.not_over(connection),
    )


def _seen(one: Component, slug: str, config: Config, facts: _Facts) -> SeenComponent:
    latest = facts.latest.get(one.name)
    return SeenComponent(
        name=one.name,
        group=one.group,
        description=one.description,
        slug=slug,
        state=facts.states.get(one.name, ComponentState.OPERATIONAL),
        since=latest.since if latest else None,
        uptime=facts.uptimes.get(one.name),
        incidents=[incident for incident in facts.open if one.name in incident.components],
        maintenances=[planned for planned in facts.not_over if one.name in planned.components],
        monitors=[monitor for monitor in config.monitors if one.name in monitor.affected_components],
    )


def _file_of(front: Front, employee: Employee) -> ConfigFile:
    file = read_config_file(front.house.config, front.clock(), has_sandbox=front.sandbox is not None)
    return file if employee.role is Role.ADMIN else file.for_others


@shown_to_employees
def show_components(request: Request, employee: Employee) -> Response:
    """Show all components in their groups."""
    front = front_of(request)
    config = front.house.config
    with front.house.store.reading() as connection:
        mark = mark_of(front, connection)
        facts = _facts(connection, front.house, front.clock())
    named = slugs(config.components)
    groups: dict[str, list[SeenComponent]] = {}
    for one in config.components:
        groups.setdefault(one.group, []).append(_seen(one, named[one.name], config, facts))
    return page(
        request,
        "dashboard/components.html",
        employee=employee,
        here="components",
        groups=groups,
        troubled=sum(state is not ComponentState.OPERATIONAL for state in facts.states.values()),
        since=mark,
        file=_file_of(front, employee),
        phase_words=PHASE_WORDS,
    )


@shown_to_employees
def show_component(request: Request, employee: Employee) -> Response:
    """Show one component: what names it, its last days, and each change of its state."""
    front, slug = front_of(request), request.path_params["component"]
    config = front.house.config
    named = slugs(config.components)
    component = next((one for one in config.components if named[one.name] == slug), None)
    if component is None:
        raise NotFound("No component has this address; it may have been renamed in config.yaml.")
    with front.house.store.reading() as connection:
        mark = mark_of(front, connection)
        facts = _facts(connection, front.house, front.clock())
        number = before_id(request)
        before = component_history.change(connection, component.name, number) if number else None
        changes = component_history.changes_of(
            connection, component.name, before=before, limit=CHANGES_SHOWN + 1
        )
    return page(
        request,
        "dashboard/component.html",
        employee=employee,
        here="component",
        component=_seen(component, slug, config, facts),
        changes=changes[:CHANGES_SHOWN],
        has_older=len(changes) > CHANGES_SHOWN,
        before=before,
        since=mark,
        file=_file_of(front, employee),
        days=DAYS,
        now=front.clock(),
        draw=draw,
        trouble=trouble,
        slug_of=slug_of,
        span_in_words=span_in_words,
        phase_words=PHASE_WORDS,
    )


routes = [Route(_HERE, show_components), Route(f"{_HERE}/{{component}}", show_component)]
