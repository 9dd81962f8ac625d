"""What a monitor's mails and its incident's page would look like, by simulating that it fires. Nothing is sent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from threading import Lock
from typing import Final

from service.actions.house import House
from service.actions.simulating import simulate
from service.actions.simulation import GivenPost, SimulatedMail, Simulation, named_post
from service.model import DeliveryKind, Monitor
from service.outbox.composing import compose_one
from service.store import incidents
from service.web.dashboard.monitor_words import example_name
from service.web.front import Front
from service.web.public.incidents import shown
from service.web.public.static_form import without_scripts
from service.web.public.status_page import incident_page

EMPLOYEES: Final = "employees"
SUBSCRIBERS: Final = "subscribers"
READERS: Final = (EMPLOYEES, SUBSCRIBERS)

KEPT_FOR: Final = timedelta(minutes=1)
MOST_KEPT: Final = 16

_TO_EMPLOYEES: Final = (DeliveryKind.APPROVAL, DeliveryKind.PUBLISHED)
_DECIDES_AFTER: Final = timedelta(minutes=3)


class Previews:
    """Keeps what the last monitors' previews showed: a page and the three frames in it are one simulation.

    It is one application's, and so of one configuration. Threads may share it.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Simulation] = {}
        self._guard = Lock()

    def anew(self, front: Front, monitor: Monitor) -> Simulation:
        """Let a monitor fire now, for the page."""
        simulated = _preview(front, monitor)
        with self._guard:
            self._kept.pop(monitor.key, None)
            self._kept[monitor.key] = simulated
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return simulated

    def kept(self, front: Front, monitor: Monitor) -> Simulation:
        """Give what the page showed less than a minute ago, for its frames."""
        with self._guard:
            simulated = self._kept.get(monitor.key)
        if simulated is None or not timedelta(0) <= front.clock() - simulated.started_at < KEPT_FOR:
            return self.anew(front, monitor)
        return simulated


def _preview(front: Front, monitor: Monitor) -> Simulation:
    """Let a monitor fire, and an employee publish it three minutes after being asked."""
    post = named_post(timedelta(0), example_name(monitor), "CRITICAL", provider=monitor.provider)
    return run(front, [post], monitor.wait_time + 2 * _DECIDES_AFTER, publish_after=_DECIDES_AFTER)


def run(
    front: Front, posts: Sequence[GivenPost], until: timedelta, *, publish_after: timedelta | None
) -> Simulation:
    """Simulate with the configuration that runs, from now on."""

    def page_of(house: House) -> str:
        return _page(replace(front, house=house, sandbox=None))

    return simulate(
        front.house.config,
        posts,
        until,
        start=front.clock(),
        compose=compose_one,
        publish_after=publish_after,
        render_page=page_of,
    )


def _page(front: Front) -> str:
    with front.house.store.reading() as connection:
        newest = incidents.recent_public(connection, limit=1)
        found = shown(connection, front.house, newest)
    return without_scripts(incident_page(front, found[0])) if found else ""


def mail_for(simulated: Simulation, reader: str) -> SimulatedMail | None:
    """Give the first mail that employees or subscribers would get."""
    kinds = _TO_EMPLOYEES if reader == EMPLOYEES else (DeliveryKind.SUBSCRIBER_UPDATE,)
    return simulated.first_mail(*kinds)


def page_html(simulated: Simulation) -> str:
    """Give the incident's page as it was published; "" where it never was."""
    return next((step.page_html for step in simulated.steps if step.page_html), "")
