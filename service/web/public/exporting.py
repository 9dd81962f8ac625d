"""Writes the whole status page as files for a bucket or Pages, for the day when our own house burns.

It reads the store as the public does, beside a running service or within it, and changes nothing there.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection

from service.errors import StoreUnavailable
from service.store import incidents, maintenances
from service.store.public_stamp import public_stamp
from service.web.brand import brand_of
from service.web.front import STATIC, Front
from service.web.public.incidents import ShownIncident, shown
from service.web.public.maintenances import shown_maintenances
from service.web.public.pages import OLDEST, render_all
from service.web.public.prepared import HTML
from service.web.public.renderers import RENDERERS
from service.web.public.static_folder import Exported, FolderNotOurs, fill
from service.web.public.static_form import file_of, history_path, static_files_of, static_html
from service.web.public.status_page import (
    MONTH_PAGE,
    history_page,
    incident_page,
    maintenance_page,
    month_after,
)
from service.web.public.uptime import midnight
from service.web.public.view import ended_between

CHUNK: Final = 200
TRY_AGAIN: Final = timedelta(seconds=10)
"""How long nothing is tried after a failure: rendering all of it each second would help nobody."""

Page = tuple[str, object, Callable[[], str]]
"""A path, all that its page is made of, and how it is rendered."""

_log = structlog.get_logger()


class Exporter:
    """Holds what it wrote last, so that of a long history only what changed is rendered again."""

    def __init__(self, front: Front, folder: Path) -> None:
        self._front = front
        self._folder = folder
        self._seen: Mapping[str, str] = {}
        """By file: a digest of what the page in it was made of."""
        self._stamp: object = None
        self._try_again_at = datetime.min.replace(tzinfo=UTC)

    def export(self, now: datetime) -> Exported:
        """Write what changed since the last time; the first time, look at all of it.

        Raises FolderNotOurs, StoreUnavailable and OSError, after which the next time looks at all of it again.
        """
        before, self._seen = self._seen, {}
        with self._front.house.store.reading() as connection:
            ready = render_all(RENDERERS, connection, self._front, now)
            wanted: dict[str, Callable[[], bytes] | None] = {}
            static: set[str] = set()
            for path, rendering in ready.items():
                body = rendering.body
                if rendering.content_type == HTML:
                    static |= static_files_of(body.decode())
                    body = static_html(body.decode(), path, ready, self._front.house.config.site.url).encode()
                wanted[file_of(path)] = partial(bytes, body)
            wanted |= {
                f"static/{name}": (STATIC / name).read_bytes for name in static if (STATIC / name).is_file()
            }
            look = brand_of(self._front.house.config.site).files
            wanted |= {f"static/{name}": partial(bytes, file.content) for name, file in look.items()}
            seen = {}
            for path, made_of, render in _lasting(connection, self._front, now):
                file, digest = file_of(path), sha256(repr(made_of).encode()).hexdigest()
                if file not in wanted:
                    seen[file] = digest
                    as_it_was = before.get(file) == digest
                    wanted[file] = None if as_it_was else partial(self._rendered, path, render, ready)
            exported = fill(self._folder, wanted)
        self._seen = seen
        return exported

    def _rendered(self, path: str, render: Callable[[], str], ready: Mapping[str, object]) -> bytes:
        return static_html(render(), path, ready, self._front.house.config.site.url).encode()

    def export_if_changed(self, now: datetime) -> None:
        """Export where the public has something new to read; what goes wrong is logged, and tried again later."""
        if now < self._try_again_at:
            return
        try:
            with self._front.house.store.reading() as connection:
                day = now.astimezone(self._front.house.config.site.timezone).date()
                stamp = (public_stamp(connection), day, int(now.timestamp() // OLDEST.total_seconds()))
            if stamp == self._stamp:
                return
            exported = self.export(now)
        except (FolderNotOurs, StoreUnavailable, OSError) as error:
            self._try_again_at = now + TRY_AGAIN
            _log.warning("the status page could not be exported", folder=str(self._folder), error=str(error))
            return
        self._stamp = stamp
        if exported.changed or exported.removed:
            _log.info(
                "exported", folder=str(self._folder), changed=exported.changed, removed=exported.removed
            )


def _lasting(connection: Connection, front: Front, now: datetime) -> Iterator[Page]:
    """Give the pages that are never ready beforehand, since few come to them: there may be thousands."""
    zone = front.house.config.site.timezone
    this_month = now.astimezone(zone).date().replace(day=1)
    first_at = incidents.first_published_at(connection)
    month = first_month = first_at.astimezone(zone).date().replace(day=1) if first_at else this_month
    while month <= this_month:
        start, end = midnight(month, zone), midnight(month_after(month), zone)
        listed = list(_published_between(connection, front, start, end))
        for one in listed:
            yield f"/incidents/{one.id}", one, partial(incident_page, front, one)
        made_of = (first_month, this_month, listed, ended_between(connection, front.house, start, end))
        for number in range(1, max(1, -(-len(listed) // MONTH_PAGE)) + 1):
            render = partial(history_page, connection, front, month, number, now)
            yield history_path(f"{month:%Y-%m}", number), made_of, render
        if month == this_month:
            yield "/history", made_of, partial(history_page, connection, front, month, 1, now)
        month = month_after(month)
    yield from _maintenance_pages(connection, front)


def _published_between(
    connection: Connection, front: Front, start: datetime, end: datetime
) -> Iterator[ShownIncident]:
    offset = 0
    while True:
        found = incidents.public_between(connection, start, end, limit=CHUNK, offset=offset)
        yield from shown(connection, front.house, found)
        if len(found) < CHUNK:
            return
        offset += CHUNK


def _maintenance_pages(connection: Connection, front: Front) -> Iterator[Page]:
    before_id = None
    while found := maintenances.listed(connection, limit=CHUNK, before_id=before_id):
        for one in shown_maintenances(connection, front.house, found):
            yield f"/maintenance/{one.id}", one, partial(maintenance_page, front, one)
        before_id = found[-1].id
