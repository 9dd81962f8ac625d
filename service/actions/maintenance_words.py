"""The words for an order about planned work that was carried out before: they name the maintenance."""

from service.model import Maintenance, MaintenancePhase
from service.workflow.maintenance import MaintenanceReason


def said_again(reason: MaintenanceReason | None, maintenance: Maintenance) -> str:
    """Say of which maintenance it is that nothing was done a second time; empty for every other reason."""
    match reason:
        case MaintenanceReason.REFUSED_TEXT_THE_SAME:
            return f"#{maintenance.id} says just that already; nothing was changed."
        case MaintenanceReason.REFUSED_PLANNED_ALREADY:
            stands = "going on" if maintenance.phase is MaintenancePhase.ON else "planned"
            return f"#{maintenance.id} is the same maintenance: it is {stands} already; nothing was changed."
        case _:
            return ""
