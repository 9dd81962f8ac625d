"""The parts of the offering, and what the public reads of each."""

from dataclasses import dataclass
from enum import StrEnum


class ComponentState(StrEnum):
    """What the public reads about a component, from best to worst; maintenance stands apart."""

    OPERATIONAL = "operational"
    DEGRADED_PERFORMANCE = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"
    UNDER_MAINTENANCE = "under_maintenance"


SEVERITY_ORDER = (
    ComponentState.OPERATIONAL,
    ComponentState.UNDER_MAINTENANCE,
    ComponentState.DEGRADED_PERFORMANCE,
    ComponentState.PARTIAL_OUTAGE,
    ComponentState.MAJOR_OUTAGE,
)
"""The worst of several states is the last of them in this order."""


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the offering, shown on the status page within its group ("" stands alone)."""

    name: str
    group: str = ""
    description: str = ""
