"""Rows of what people did that no incident's timeline tells.

They are written in the transaction of what they tell of, are never changed, and hold no secret and no subscriber's
whole address.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, insert, select

from service.store.access_schema import audit

COMMAND_LINE: Final = "cli"
"""Stands for an employee's id where whoever has a shell on the machine did it."""
CONFIG_FILE: Final = "config.yaml"
"""Stands for it where whoever may write that file did it; no employee's id holds a full stop."""
BACKUP_MADE: Final = "backup_made"
"""The act of a backup; what it is about is its file."""
MOST_ABOUT: Final = 500
MOST_NOTE: Final = 1_000
"""Characters kept: what strangers typed must not fill the disk."""
_ADDRESS: Final = re.compile(r"[\w.!#$%&'*/=?^`{|}~+-]{1,64}@[\w.-]{1,253}")


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody did."""

    id: int
    at: datetime
    by: str
    """An employee's id, `cli`, `token:NAME` for the API, or "" for somebody who is not known."""
    act: str
    """In snake case, as `logged_in` or `token_revoked`."""
    about: str
    """To what or whom it was done."""
    note: str


def note(connection: Connection, at: datetime, by: str, act: str, about: str = "", note: str = "") -> None:
    """Write down that somebody did something; addresses of subscribers go through `redacted` first."""
    connection.execute(
        insert(audit).values(
            at=at,
            by=by[:80],
            act=act[:64],
            about=_one_line(about, MOST_ABOUT),
            note=_one_line(note, MOST_NOTE),
        )
    )


def listed(
    connection: Connection, *, by: str | None = None, act: str = "", before_id: int | None = None, limit: int
) -> tuple[Act, ...]:
    """Read what was done, newest first; `by` and `act` leave out the rest."""
    query = select(audit)
    if by is not None:
        query = query.where(audit.c.by == by)
    if act:
        query = query.where(audit.c.act == act)
    if before_id is not None:
        query = query.where(audit.c.id < before_id)
    rows = connection.execute(query.order_by(audit.c.id.desc()).limit(limit))
    return tuple(Act(row.id, row.at, row.by, row.act, row.about, row.note) for row in rows)


def sweep(connection: Connection, before: datetime, *, limit: int) -> int:
    """Forget the oldest that were done before a time, so many at most; gives how many they were.

    Rows are in the order in which they were written, so that none is looked at which is to stay but the first.
    """
    oldest = connection.execute(select(audit.c.id, audit.c.at).order_by(audit.c.id).limit(limit))
    over = [row.id for row in takewhile(lambda row: row.at < before, oldest)]
    if over:
        connection.execute(delete(audit).where(audit.c.id <= over[-1]))
    return len(over)


def redacted(address: str) -> str:
    """Shorten an address to what tells it apart for who knows it: `ada@reader.example` is `a…@reader.example`.

    Of a URL its host is left, for the rest may be a secret.
    """
    if "://" in address:
        return f"{urlsplit(address).hostname or ''}/…"
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}" if at else f"{address[:1]}…"


def redacted_in(text: str) -> str:
    """Shorten each e-mail address within a text."""
    return _ADDRESS.sub(lambda found: redacted(found[0]), text)


def _one_line(text: str, most: int) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
