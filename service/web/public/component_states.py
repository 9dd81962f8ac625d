"""Decides what the public reads of the components: each one's state, and the whole in one sentence. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.model import Component, ComponentState, Incident, Maintenance
from service.web.public.uptime import Uptime
from service.workflow.components import affected, worst

NAMES_IN_SENTENCE = 2


@dataclass(frozen=True, slots=True)
class ShownComponent:
    """A component with the state that it is in, and how it did lately."""

    name: str
    description: str
    state: ComponentState
    uptime: Uptime | None = None


@dataclass(frozen=True, slots=True)
class ComponentGroup:
    """Components under one heading; "" is the heading of those that stand alone."""

    name: str
    components: tuple[ShownComponent, ...]

    @property
    def state(self) -> ComponentState:
        """The worst of its components'."""
        return worst(one.state for one in self.components)

    @property
    def count(self) -> int:
        """How many components it has."""
        return len(self.components)


@dataclass(frozen=True, slots=True)
class Overall:
    """How the whole offering does."""

    state: ComponentState
    sentence: str


def grouped(
    components: Sequence[Component],
    states: Mapping[str, ComponentState],
    uptimes: Mapping[str, Uptime] | None = None,
) -> tuple[ComponentGroup, ...]:
    """Put the components under their groups' headings, both in the order of config.yaml."""
    groups: dict[str, list[ShownComponent]] = {}
    for one in components:
        state = states.get(one.name, ComponentState.OPERATIONAL)
        shown = ShownComponent(one.name, one.description, state, (uptimes or {}).get(one.name))
        groups.setdefault(one.group, []).append(shown)
    return tuple(ComponentGroup(name, tuple(shown)) for name, shown in groups.items())


def overall(current: Sequence[Incident], on: Iterable[Maintenance] = ()) -> Overall:
    """Say in one sentence how the whole does.

    A component that an incident names counts even where config.yaml no longer has it: the page never says that
    all is well while an incident says otherwise.
    """
    states = affected(current, on)
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
