"""The words of this product as frozen dataclasses and enums; no behaviour beyond what a word implies.

Times are timezone-aware UTC datetimes named `*_at`; spans are `timedelta`s named by a bare noun.
"""

from service.model.alerts import Alert, AlertState, IfRecovered, KnownAs, LastResort, Monitor, Rung, fold_name
from service.model.components import SEVERITY_ORDER, Component, ComponentState
from service.model.incidents import DEFAULT_TYPE, KNOWN_TYPES, Incident, JoinedAlert, Phase, TimelineEntry
from service.model.maintenance import Maintenance, MaintenancePhase
from service.model.people import AUTOMATIC, Channel, Employee, Role, Subscriber, SubscriberState
from service.model.publication import (
    INCIDENT_STATUSES,
    MAIL_KINDS,
    Delivery,
    DeliveryKind,
    Update,
    UpdateStatus,
)

__all__ = [
    "AUTOMATIC",
    "DEFAULT_TYPE",
    "INCIDENT_STATUSES",
    "KNOWN_TYPES",
    "MAIL_KINDS",
    "SEVERITY_ORDER",
    "Alert",
    "AlertState",
    "Channel",
    "Component",
    "ComponentState",
    "Delivery",
    "DeliveryKind",
    "Employee",
    "IfRecovered",
    "Incident",
    "JoinedAlert",
    "KnownAs",
    "LastResort",
    "Maintenance",
    "MaintenancePhase",
    "Monitor",
    "Phase",
    "Role",
    "Rung",
    "Subscriber",
    "SubscriberState",
    "TimelineEntry",
    "Update",
    "UpdateStatus",
    "fold_name",
]
