"""Finding incidents by phase, words, component and time: some thousands at a time, newest first."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Text, bindparam, cast, exists, func, or_, select

from service.model import Incident, Phase
from service.store import incidents, json_text
from service.store.looking_through import Found, look_through
from service.store.schema import alerts, is_ended, is_open
from service.store.schema import incidents as table
from service.store.statements import Statement

SEARCHED: Final = 2_500
"""Incidents at a time at most, where more is asked than the phase."""
ALERTS_SEARCHED: Final = 50
"""The first alerts of an incident, whose names are looked at."""
OUT_OF_ORDER: Final = timedelta(days=1)
"""An incident may get its number that much later than its alert fired, behind those that started since."""

_TAG: Final = re.compile(r"(inc-?|#)?([0-9]{1,18})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to find; an empty field leaves nothing out."""

    phases: tuple[Phase, ...] = ()
    words: str = ""
    """Each is part of the subject, or of the name of a monitor or of one of the first alerts; or all are a tag."""
    component: str = ""
    since: datetime | None = None
    """It started then or later."""
    until: datetime | None = None
    """It started before."""

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return bool(self.phases) or self.is_looked_for

    @property
    def is_looked_for(self) -> bool:
        """Whether more is asked than the phase, so that incidents are looked through."""
        return bool(self.words.split() or self.component or self.since or self.until)


def search(
    connection: Connection, wanted: Wanted, *, before_id: int | None = None, limit: int
) -> Found[Incident]:
    """Read what is found below a number, newest first; one whose tag is the words comes first, however old it is."""
    tag = _TAG.fullmatch(wanted.words.strip())
    if tag is None:
        return _search(connection, wanted, before_id, limit)
    number = int(tag[2])
    by_tag = _by_tag(connection, wanted, number) if before_id is None else ()
    if tag[1]:
        return Found(by_tag)
    found = _search(connection, wanted, before_id, limit, table.c.id != number)
    rows = (*by_tag, *found.rows)
    return Found(rows[:limit], rows[limit].id + 1) if len(rows) > limit else replace(found, rows=rows)


def _search(
    connection: Connection,
    wanted: Wanted,
    before_id: int | None,
    limit: int,
    *besides: ColumnElement[bool],
) -> Found[Incident]:
    filters = [*_filters(wanted), *besides]
    found = look_through(
        connection,
        [table.c.id],
        _sources(connection, wanted),
        filters,
        before=before_id,
        most=max(SEARCHED // max(len(wanted.phases), 1), 1),
        limit=limit,
    )
    rows = incidents.with_ids(connection, [row.id for row in found.rows])
    return Found(rows, found.next_before, found.is_cut)


def _by_tag(connection: Connection, wanted: Wanted, number: int) -> tuple[Incident, ...]:
    phases = [table.c.phase.in_(wanted.phases)] if wanted.phases else []
    others = _filters(replace(wanted, words=""))
    ids = connection.execute(select(table.c.id).where(table.c.id == number, *phases, *others)).scalars()
    return incidents.with_ids(connection, ids.all())


def _sources(connection: Connection, wanted: Wanted) -> Iterator[Sequence[ColumnElement[bool]]]:
    within = list(_span(connection, wanted))
    if not wanted.phases:
        yield within
    for phase in wanted.phases:
        yield (is_open if phase.is_open else is_ended, table.c.phase == phase, *within)


def _filters(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    for word in wanted.words.split():
        first = select(alerts.c.monitor_name).where(alerts.c.incident_id == table.c.id)
        first = first.order_by(alerts.c.id).limit(ALERTS_SEARCHED).correlate(table)
        names = first.subquery()
        named = exists(
            select(names.c.monitor_name).where(names.c.monitor_name.icontains(word, autoescape=True))
        )
        said = (column.icontains(word, autoescape=True) for column in (table.c.subject, table.c.monitor_key))
        yield or_(*said, named)
    if wanted.component:
        # the names stand in JSON before a colon, and the states behind it
        key = f"{json_text.write(wanted.component)}:"
        yield cast(table.c.components, Text).contains(key, autoescape=True)
    if wanted.since:
        yield table.c.started_at >= wanted.since
    if wanted.until:
        yield table.c.started_at < wanted.until


def _span(connection: Connection, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """Give the numbers between which the wanted time lies, so that nothing newer is looked through."""
    if wanted.since:
        yield table.c.id >= _first_since(connection, wanted.since - OUT_OF_ORDER)
    if wanted.until:
        yield table.c.id < _first_since(connection, wanted.until + OUT_OF_ORDER)


_LAST: Final = Statement(select(func.max(table.c.id)))
_FROM: Final = Statement(
    select(table.c.id, table.c.started_at)
    .where(table.c.id >= bindparam("from_id"))
    .order_by(table.c.id)
    .limit(1)
)


def _first_since(connection: Connection, at: datetime) -> int:
    """Find about where the numbers begin of incidents that started at a time or later.

    Numbers are given in the order of time, save where alerts were worked off late: of no index could that be read.
    """
    low, high = 1, (_LAST.rows(connection)[0][0] or 0) + 1
    while low < high:
        middle = (low + high) // 2
        rows: Sequence[Any] = _FROM.rows(connection, from_id=middle)
        if rows and rows[0].started_at < at:
            low = rows[0].id + 1
        else:
            high = middle
    return low
