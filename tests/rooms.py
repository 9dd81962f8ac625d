"""Rooms of the house for tests: a clock that the test moves, a house over a fresh database, a web client."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path

import httpx2
from starlette.routing import BaseRoute

from service.actions.house import House
from service.config import Config, parse
from service.mail.sandbox import Sandbox
from service.store import inbox_rows
from service.store.database import open_store
from service.store.inbox_rows import Arrival
from service.web.application import build
from service.web.front import Front, make_pages
from tests.store.databases import new_database

KEY = b"k" * 32
OWN_ADDRESS = "status@acme.example"

CONFIG = """\
site: {name: Acme Status, url: "http://status.acme.example", timezone: Europe/Berlin}
employees:
  - {id: jordan, name: Jordan Ray, email: jordan@acme.example, role: admin}
  - {id: sam, name: Sam Lee, email: sam@acme.example, role: publisher}
  - {id: vera, name: Vera Moss, email: vera@acme.example, role: viewer}
components:
  - {name: Email, group: Office, description: "Mail of all customers"}
  - {name: Calendar, group: Office}
  - {name: API, group: Platform}
monitors:
  - provider: victorops
    alert_name: Email Server
    authored_by: jordan
    type: service_unavailable
    affected_components: {Email: major_outage}
    subject: "Email is unavailable"
    message: "We are looking into **{{ alert.monitor_name }}**."
    notify_employees: [jordan, sam]
    wait_time: 5m
    combine_alerts: true
    auto_publish: false
    auto_close: true
    closing_comment: "Email works again."
"""

_NAMES_A_FILE = re.compile(r"\b(\w*_file|export_to|certificate|key|logo|favicon):")


@dataclass(slots=True)
class Clock:
    """A clock that only the test moves."""

    now: datetime = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def move(self, span: timedelta) -> None:
        """Let time pass."""
        self.now += span


@dataclass(slots=True)
class Ids:
    """Gives ids that are as long as real ones, and different every time."""

    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __call__(self) -> str:
        """Give the next."""
        return f"{next(self._numbers):032x}"


@cache
def _understood(text: str) -> Config:
    return parse(text, Path("config.yaml"), {})


def config_in(folder: Path, text: str = CONFIG) -> Config:
    """Understand a config.yaml in a folder; the same text is parsed once, unless it names files of its folder."""
    path = folder / "config.yaml"
    return parse(text, path, {}) if _NAMES_A_FILE.search(text) else replace(_understood(text), path=path)


def make_house(folder: Path, config: str = CONFIG) -> House:
    """Build a house over a fresh database, of the kind that was chosen for this test, else SQLite in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return house_over(new_database(folder), folder, config)


def house_over(database: str, folder: Path, config: str = CONFIG) -> House:
    """Build a house over the database at an address."""
    return House(
        store=open_store(database),
        config=config_in(folder, config),
        key=KEY,
        own_address=OWN_ADDRESS,
        instance_id="test-instance",
        new_id=Ids(),
        look_up=lambda _: None,
    )


def make_front(house: House, clock: Clock, sandbox: Sandbox | None = None) -> Front:
    """Build the web's view of a house; posts are stored one by one."""

    async def receive(arrival: Arrival) -> int:
        with house.store.transaction() as connection:
            return inbox_rows.add_many(connection, [arrival])[0]

    return Front(house, clock, receive, wake=lambda: None, sandbox=sandbox, pages=make_pages(house))


def make_client(front: Front, routes: Sequence[BaseRoute]) -> httpx2.AsyncClient:
    """Give a web client that talks to the application of these routes without a network."""
    transport = httpx2.ASGITransport(app=build(front, routes))
    return httpx2.AsyncClient(transport=transport, base_url=front.house.config.site.url)
