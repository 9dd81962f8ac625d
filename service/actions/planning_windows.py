"""Planning the windows of config.yaml: each once, anew where it was changed, and off where it was taken out.

The file knows no numbers, so that a window is known by its subject and its beginning, and one that was changed by
what is left of these. What an employee decided on the dashboard stays until the file itself changes.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from service.actions.house import House
from service.actions.maintaining import announce, carry_out_maintenance
from service.config.settings import Window
from service.model import AUTOMATIC, Maintenance, MaintenancePhase
from service.store import maintenances
from service.workflow.maintenance import (
    CancelMaintenance,
    Extend,
    MaintenanceDecision,
    MaintenanceEvent,
    Plan,
    Planned,
    Reschedule,
    decide_maintenance,
    draft_of,
)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which window of the file is which maintenance."""

    new: tuple[Window, ...]
    changed: tuple[tuple[Window, Maintenance], ...]
    gone: tuple[Maintenance, ...]
    """Planned by a window that the file no longer has."""


def plan_windows(house: House, now: datetime) -> tuple[MaintenanceDecision, ...]:
    """Bring what is planned into line with the file, in one transaction; gives what was decided."""
    with house.store.transaction() as connection:
        pairs = pair(house.config.maintenance, maintenances.from_config(connection))
        decisions = []
        for window in pairs.new:
            draft = draft_of(_plan(window), by=AUTOMATIC, now=now, config_key=config_key(window))
            planned = Planned(AUTOMATIC, may_have_begun=True)
            decisions.append(announce(connection, house, draft, planned, now))
        for window, before in pairs.changed:
            decided = decide_maintenance(before, _change(window, before), now)
            known = replace(decided.maintenance, config_key=config_key(window))
            decisions.append(replace(decided, maintenance=known))
            carry_out_maintenance(connection, house, before, decisions[-1], now)
        for before in pairs.gone:
            if before.starts_at > now:
                decided = decide_maintenance(before, CancelMaintenance(AUTOMATIC), now)
                # without its key, so that the window may come back into the file, and then is planned anew
                unknown = replace(decided.maintenance, config_key=None)
                decisions.append(replace(decided, maintenance=unknown))
                carry_out_maintenance(connection, house, before, decisions[-1], now)
    for decision in decisions:
        about = decision.maintenance
        _log.info("window of config.yaml", subject=about.subject, reason=decision.reason)
    return tuple(decisions)


def _change(window: Window, before: Maintenance) -> MaintenanceEvent:
    """Give what a changed window asks for: of one that has begun only the end can still be another."""
    if before.phase is MaintenancePhase.ON:
        return Extend(AUTOMATIC, window.ends_at)
    return Reschedule(AUTOMATIC, _plan(window), may_have_begun=True)


def pair(windows: Sequence[Window], known: Sequence[Maintenance]) -> Pairs:
    """Find for each window the maintenance that it was planned as, if it was.

    First by its key, then by subject and beginning, then, among those that have not begun, by either of them.
    """
    by_key = {one.config_key: one for one in known}
    left = [window for window in windows if config_key(window) not in by_key]
    kept = {config_key(window) for window in windows}
    free = [one for one in known if one.config_key not in kept]
    changed: list[tuple[Window, Maintenance]] = []
    for alike, also_begun in ((_is_same_window, True), (_has_same_subject, False), (_begins_with, False)):
        changed += _take_pairs(left, free, alike, also_begun=also_begun)
    return Pairs(
        new=tuple(left),
        changed=tuple(one for one in changed if not one[1].phase.is_over),
        gone=tuple(one for one in free if one.phase is MaintenancePhase.PLANNED),
    )


def _take_pairs(
    windows: list[Window],
    known: list[Maintenance],
    alike: Callable[[Window, Maintenance], bool],
    *,
    also_begun: bool,
) -> list[tuple[Window, Maintenance]]:
    """Take those out of both lists that belong together, the first to begin first."""
    pairs = []
    for window in sorted(windows, key=lambda one: one.starts_at):
        for maintenance in sorted(known, key=lambda one: one.starts_at):
            may_change = also_begun or maintenance.phase is MaintenancePhase.PLANNED
            if may_change and alike(window, maintenance):
                pairs.append((window, maintenance))
                windows.remove(window)
                known.remove(maintenance)
                break
    return pairs


def config_key(window: Window) -> str:
    """Name a window as it stands in the file: its subject, its beginning, and everything about it.

    What is not said does not count, so that another version of this service takes no window for a changed one.
    """
    said = {
        "message": window.message,
        "components": window.components,
        "ends_at": window.ends_at.astimezone(UTC).isoformat(),
        "remind": window.remind and window.remind.total_seconds(),
        "closing_comment": window.closing_comment,
        "audience": window.audience,
    }
    about = json.dumps({name: value for name, value in said.items() if value}, sort_keys=True)
    return f"{_of_subject(window)}:{_of_start(window)}:{_digest(about)}"


def _is_same_window(window: Window, maintenance: Maintenance) -> bool:
    return (maintenance.config_key or "").startswith(f"{_of_subject(window)}:{_of_start(window)}:")


def _has_same_subject(window: Window, maintenance: Maintenance) -> bool:
    return (maintenance.config_key or "").startswith(f"{_of_subject(window)}:")


def _begins_with(window: Window, maintenance: Maintenance) -> bool:
    return f":{_of_start(window)}:" in (maintenance.config_key or "")


def _of_subject(window: Window) -> str:
    return _digest(" ".join(window.subject.split()))


def _of_start(window: Window) -> str:
    return f"{window.starts_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plan(window: Window) -> Plan:
    return Plan(
        subject=window.subject,
        message=window.message,
        components=window.components,
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        remind_at=window.starts_at - window.remind if window.remind else None,
        closing_comment=window.closing_comment,
        audience=window.audience,
    )
