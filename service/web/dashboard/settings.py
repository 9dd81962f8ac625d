"""The configuration that runs, the file that it comes from, and how the parts are. It changes nothing.

config.yaml stays the truth: it is edited with an editor, and taken over while the service runs.
"""

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.actions.lost_choices import lost_choices
from service.actions.watchdog import Seen
from service.model import Employee, Role
from service.store import audit
from service.store.audit import Act
from service.store.database_facts import database_facts
from service.web.dashboard.config_file import read_config_file
from service.web.dashboard.monitor_words import span_in_words
from service.web.dashboard.pulse import mark_of
from service.web.dashboard.setting_words import sections_for
from service.web.front import front_of, page
from service.web.login.mail_link import shown_to_employees

OLD_BACKUP: Final = timedelta(days=7)
"""After which the last backup is worth a word."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the service, and how it is."""

    name: str
    is_well: bool
    words: str
    ago: datetime | None = None
    """When that was, which is said after the words."""
    since: datetime | None = None
    """Since when that lasts, which is said after the words."""
    more: str = ""
    """What is said after the time."""
    is_note: bool = False
    """Where it is not well: whether that is worth a look, and keeps nothing from its work."""


@shown_to_employees
def show_settings(request: Request, employee: Employee) -> Response:
    """Show admins all, and others what concerns them."""
    front, is_admin = front_of(request), employee.role is Role.ADMIN
    house, now = front.house, front.clock()
    has_sandbox = front.sandbox is not None
    with house.store.reading() as connection:
        mark = mark_of(front, connection)
        database = database_facts(connection) if is_admin else None
        backups = audit.listed(connection, act=audit.BACKUP_MADE, limit=1)
        lost = lost_choices(connection, house.config) if is_admin else ()
    file = read_config_file(house.config, now, has_sandbox=has_sandbox)
    health: tuple[Part, ...] = ()
    if database is not None:
        backup = last_backup(backups, now, has_own_tool=database.kind != "SQLite")
        health = (*parts(front.seen(), has_sandbox=has_sandbox), backup)
    return page(
        request,
        "dashboard/settings.html",
        employee=employee,
        here="settings",
        since=mark,
        sections=sections_for(house.config, is_admin=is_admin, has_sandbox=has_sandbox),
        file=file if is_admin else file.for_others,
        warnings=house.config.warnings if is_admin else (),
        lost_choices=lost,
        path=str(house.config.path),
        database=database,
        health=health,
        now=now,
        span_in_words=span_in_words,
        version=version("replycast"),
        python=platform.python_version(),
    )


def parts(seen: Seen, *, has_sandbox: bool) -> Iterator[Part]:
    """Say how each part is, as far as this process knows."""
    if seen.is_standby:
        yield Part("Work", is_well=True, words="another instance decides; whoever works sends")
    elif seen.decided_at is None:
        yield Part("Work", is_well=True, words="nothing was decided since the start")
    else:
        yield Part("Work", is_well=True, words="looked for what is due", ago=seen.decided_at)
    if seen.relay_fails_since is not None:
        yield Part("Relay", is_well=False, words="takes no mail for", since=seen.relay_fails_since)
    else:
        taken = "the sandbox takes every mail" if has_sandbox else "takes mails, as far as was tried"
        yield Part("Relay", is_well=True, words=taken)
    if seen.mailbox_since is None:
        yield Part("Mailbox", is_well=True, words="none is read by this process")
    elif seen.mailbox_read_at is None:
        yield Part("Mailbox", is_well=False, words="was not read since the start")
    else:
        yield Part("Mailbox", is_well=True, words="read to its end", ago=seen.mailbox_read_at)
    if seen.config_refused_at is not None:
        yield Part("config.yaml", is_well=False, words="could not be taken over", ago=seen.config_refused_at)
    elif seen.config_in_force_at is not None:
        yield Part("config.yaml", is_well=True, words="in force for", since=seen.config_in_force_at)


def last_backup(backups: Sequence[Act], now: datetime, *, has_own_tool: bool) -> Part:
    """Say when the last backup was made, the newest first; a note where that is long ago, and never an alarm.

    A database that has a tool of its own for it is backed up without our knowing.
    """
    name = "Last backup"
    if has_own_tool:
        return Part(name, is_well=True, words="made with `pg_dump`, which tells nothing here")
    if not backups:
        words = "none is known of: `replycast backup FILE` makes one while the service runs"
        return Part(name, is_well=False, is_note=True, words=words)
    last = backups[0]
    made = f", into {last.about}"
    if now - last.at <= OLD_BACKUP:
        return Part(name, is_well=True, words="made", ago=last.at, more=made)
    lost = "if this machine failed now, all since then would be lost; `replycast backup` makes another"
    return Part(name, is_well=False, is_note=True, words="made", ago=last.at, more=f"{made}: {lost}")


routes = [Route("/dashboard/settings", show_settings)]
