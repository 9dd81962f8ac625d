"""Opening an incident by hand over the API, from a monitor's template or blank. `actions.opening` opens it."""

from collections.abc import Iterable, Iterator

from service.actions import opening, telling
from service.actions.api_tokens import Scope
from service.actions.house import House
from service.actions.opening import Opening
from service.config.settings import Config
from service.model import DEFAULT_TYPE, KNOWN_TYPES, Incident, Monitor
from service.web.api.forms import OpenBody
from service.web.api.operations import Call, Operation
from service.web.api.problems import FieldFault, refused_fields
from service.web.api.shown import IncidentDecided, IncidentShown


def open_incident(call: Call) -> IncidentDecided:
    """Open one; it is unpublished, and those who may publish are asked."""
    said, house = call.said(OpenBody), call.house
    monitor = house.config.monitor_for(said.monitor) if said.monitor else None
    if faults := list(_faults(house, said, monitor)):
        raise refused_fields(faults)
    own_type, own_components = (monitor.type, monitor.affected_components) if monitor else (DEFAULT_TYPE, {})
    wanted = Opening(
        subject=said.subject,
        message=said.message,
        type=said.type or own_type,
        components=own_components if said.components is None else said.components,
        monitor=monitor,
        notify_employees=said.notify_employees,
    )
    decision = opening.open_by_hand(house, wanted, call.by, call.now)
    return IncidentDecided(
        reason=decision.reason,
        said=telling.explain(house, decision),
        incident=IncidentShown.model_validate(decision.incident),
    )


def _faults(house: House, said: OpenBody, monitor: Monitor | None) -> Iterator[FieldFault]:
    config = house.config
    if said.monitor and monitor is None:
        yield FieldFault(detail=f"there is no monitor `{said.monitor}`: see /monitors", pointer="/monitor")
    for name in ("subject", "message"):
        if not said.monitor and getattr(said, name) is None:
            yield FieldFault(detail="write it, or name a monitor whose template has it", pointer=f"/{name}")
    yield from faults_of_choices(config, said.type, said.components or ())
    for at, name in enumerate(said.notify_employees):
        if house.employee(name) is None:
            detail = f"there is no employee `{name}`: give an id of config.yaml"
            yield FieldFault(detail=detail, pointer=f"/notify_employees/{at}")


def faults_of_choices(
    config: Config, kind: str | None, components: Iterable[str], incident: Incident | None = None
) -> Iterator[FieldFault]:
    """Name a type and components that neither config.yaml nor the incident, as it is now, has."""
    types = {*KNOWN_TYPES, *(one.type for one in config.monitors), *((incident.type,) if incident else ())}
    if kind is not None and kind not in types:
        yield FieldFault(detail=f"there is no type `{kind}`: take {', '.join(KNOWN_TYPES)}", pointer="/type")
    known = {*(one.name for one in config.components), *(incident.components if incident else ())}
    for name in components:
        if name not in known:
            detail = f"there is no component `{name}`: name one of config.yaml"
            yield FieldFault(detail=detail, pointer=f"/components/{_escaped(name)}")


def _escaped(name: str) -> str:
    """Write a name as a part of a JSON Pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


OPERATIONS = (
    Operation(
        "POST",
        "/incidents",
        Scope.INCIDENTS_WRITE,
        open_incident,
        "Open an incident",
        IncidentDecided,
        OpenBody,
        status=201,
    ),
)
