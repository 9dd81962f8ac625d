"""Pictures of the dashboard for the documentation, taken of the house that its tests in a browser are about.

Run it as `python -m tests.web.dashboard_pictures [FOLDER]`; without a folder they go to docs/pictures/.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser

from service.model import Phase
from service.store import incidents
from service.web.dashboard.monitor_words import slug_of
from tests.rooms import config_in
from tests.web.chromium import started
from tests.web.office import TEXT, Office, opened_office
from tests.web.oidc.identity_provider import OIDC
from tests.web.showcase import PICTURES


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture shows."""

    name: str
    path: str
    scheme: Literal["light", "dark"] = "light"
    is_of_phone: bool = False
    is_of_menu: bool = False
    is_of_stranger: bool = False
    """Whoever looks is not logged in."""
    height: int = 0
    """Of what is shown, in pixels; 0: all of the page."""


WANTED = (
    Picture("incidents", "/dashboard"),
    Picture("components", "/dashboard/components"),
    Picture("monitors", "/dashboard/monitors"),
    Picture("deliveries", "/dashboard/deliveries"),
    Picture("audit", "/dashboard/audit", height=620),
    Picture("inbox", "/dashboard/inbox"),
    Picture("maintenance", "/dashboard/maintenance"),
    Picture("subscribers", "/dashboard/subscribers", height=640),
    Picture("settings", "/dashboard/settings", height=630),
    Picture("monitor", f"/dashboard/monitors/{slug_of(config_in(Path(), TEXT).monitors[0])}", height=1000),
    Picture("edit", "/dashboard/incidents/1/words"),
    Picture("phone-open", "/dashboard/open?monitor=victorops:Email%20Server", is_of_phone=True, height=844),
    Picture("phone-login", "/login", is_of_phone=True, is_of_stranger=True, height=560),
    Picture("phone-dark", "/dashboard", "dark", is_of_phone=True, height=844),
    Picture("phone-decide", "/dashboard/incidents/1", "dark", is_of_phone=True, height=844),
    Picture("phone-menu", "/dashboard", is_of_phone=True, is_of_menu=True, height=560),
)


def take(browser: Browser, office: Office, picture: Picture, folder: Path) -> None:
    """Take one picture."""
    context = browser.new_context(
        viewport={"width": 390 if picture.is_of_phone else 1280, "height": picture.height or 600},
        color_scheme=picture.scheme,
        timezone_id="Europe/Berlin",
        locale="en-GB",
    )
    page = context.new_page()
    page.clock.set_fixed_time(office.clock())  # so that "ago" is the same whenever it is taken
    if not picture.is_of_stranger:
        office.enter(page)
    page.goto(office.url + picture.path)
    if picture.is_of_menu:
        page.get_by_text("Menu", exact=True).click()
    page.screenshot(path=folder / f"dashboard-{picture.name}.png", full_page=not picture.height)
    context.close()


def take_pictures(folder: Path) -> None:
    """Take the pictures that the documentation shows."""
    with (
        tempfile.TemporaryDirectory() as lived_in,
        opened_office(Path(lived_in), TEXT + OIDC) as office,
        started() as browser,
    ):
        with office.house.store.reading() as connection:
            [waiting] = incidents.listed(connection, phases=[Phase.WAITING], limit=1)
        office.outages.wait(waiting)
        for picture in WANTED:
            take(browser, office, picture, folder)


if __name__ == "__main__":
    take_pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
