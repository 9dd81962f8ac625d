"""What the public reads of components, worked out from what is going on. Pure, and not stored as a second truth."""

from collections.abc import Iterable, Mapping

from service.model import SEVERITY_ORDER, ComponentState, Incident, Maintenance


def worst(states: Iterable[ComponentState]) -> ComponentState:
    """Take the worst of several states; of none, operational."""
    return max(states, key=SEVERITY_ORDER.index, default=ComponentState.OPERATIONAL)


def affected(current: Iterable[Incident], on: Iterable[Maintenance] = ()) -> dict[str, ComponentState]:
    """Give the state of each component that something is going on with, by its name.

    `current` are the published incidents that are going on, `on` the maintenances that are: a component is under
    maintenance unless an incident says worse of it.
    """
    return worst_of_each(
        [
            *(incident.components for incident in current),
            *(dict.fromkeys(one.components, ComponentState.UNDER_MAINTENANCE) for one in on),
        ]
    )


def worst_of_each(said: Iterable[Mapping[str, ComponentState]]) -> dict[str, ComponentState]:
    """Give the worst state that is said of each component, by its name."""
    found: dict[str, ComponentState] = {}
    for states in said:
        for name, state in states.items():
            found[name] = worst((state, found.get(name, ComponentState.OPERATIONAL)))
    return found


def in_public(incident: Incident | None) -> Mapping[str, ComponentState]:
    """Give what an incident does to components as far as the public reads it now."""
    if incident is None or not (incident.phase.is_public and incident.phase.is_open):
        return {}
    return incident.components
