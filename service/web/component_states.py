"""Decides what the public reads of the components: each one's state, and the whole in one sentence. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.model import SEVERITY_ORDER, Component, ComponentState, Incident

NAMES_IN_SENTENCE = 2


@dataclass(frozen=True, slots=True)
class ShownComponent:
    """A component with the state that it is in."""

    name: str
    description: str
    state: ComponentState


@dataclass(frozen=True, slots=True)
class ComponentGroup:
    """Components under one heading; "" is the heading of those that stand alone."""

    name: str
    components: tuple[ShownComponent, ...]


@dataclass(frozen=True, slots=True)
class Overall:
    """How the whole offering does."""

    state: ComponentState
    sentence: str


def worst(states: Iterable[ComponentState]) -> ComponentState:
    """Take the worst of several states; of none, operational."""
    return max(states, key=SEVERITY_ORDER.index, default=ComponentState.OPERATIONAL)


def affected(current: Iterable[Incident]) -> dict[str, ComponentState]:
    """Give the worst state that current incidents put each component in, by its name."""
    found: dict[str, ComponentState] = {}
    for incident in current:
        for name, state in incident.components.items():
            found[name] = worst((state, found.get(name, ComponentState.OPERATIONAL)))
    return found


def grouped(
    components: Sequence[Component], states: Mapping[str, ComponentState]
) -> tuple[ComponentGroup, ...]:
    """Put the components under their groups' headings, both in the order of config.yaml."""
    groups: dict[str, list[ShownComponent]] = {}
    for one in components:
        state = states.get(one.name, ComponentState.OPERATIONAL)
        groups.setdefault(one.group, []).append(ShownComponent(one.name, one.description, state))
    return tuple(ComponentGroup(name, tuple(shown)) for name, shown in groups.items())


def overall(current: Sequence[Incident]) -> Overall:
    """Say in one sentence how the whole does.

    A component that an incident names counts even where config.yaml no longer has it: the page never says that
    all is well while an incident says otherwise.
    """
    states = affected(current)
    state = worst(states.values())
    if state is not ComponentState.OPERATIONAL:
        names = [name for name, theirs in states.items() if theirs is state]
        return Overall(state, f"{state.replace('_', ' ').capitalize()}: {_listed(names)}")
    if current:
        count = "one incident" if len(current) == 1 else f"{len(current)} incidents"
        return Overall(state, f"All components operational, {count} open")
    return Overall(state, "All systems operational")


def _listed(names: Sequence[str]) -> str:
    if len(names) <= NAMES_IN_SENTENCE:
        return " and ".join(names)
    return f"{', '.join(names[:NAMES_IN_SENTENCE])} and {len(names) - NAMES_IN_SENTENCE} more"
