"""The employees' rooms in a real Chromium: nothing for axe to find, on a desk and a phone, in light and dark."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from service.actions import subscribing
from service.mail.compose import unsubscribe_token
from service.store import subscribers
from service.web.routes import all_routes
from tests.web.chromium import SCREENS, opened
from tests.web.employees import act_links, confirm_links, login_links
from tests.web.every_page import (
    ELSEWHERE,
    ENDLESS,
    FOR_PROGRAMS,
    FRAMED,
    WHOLE_LISTS,
    Known,
    asked_at,
    paths_of,
)
from tests.web.judging import judge_on_each_screen, judge_whole
from tests.web.keyboard import press
from tests.web.office import Office, sitting
from tests.web.outages import ECHO

pytestmark = pytest.mark.chromium

EVERY = sorted(
    path
    for path in paths_of(all_routes(with_sandbox=False))
    if path not in ENDLESS | ELSEWHERE | WHOLE_LISTS | FOR_PROGRAMS | FRAMED and not path.startswith("/api/")
)
"""Each page as it is when nothing is looked for, read off the table of routes."""
ROOMS = {
    "subscribers found": "/dashboard/subscribers?q=reader&state=suppressed",
    "a webhook": "/dashboard/subscribers/4",
    "work that is on": "/dashboard/maintenance/2",
    "opening from a template": "/dashboard/open?monitor=victorops:Email%20Server",
    "correcting what is closed": "/dashboard/incidents/2",
    "everybody's sessions": "/dashboard/sessions?all",
    "what was refused": "/dashboard/inbox?q=server&state=refused",
    "an unknown name": "/dashboard/inbox/2",
    "a mail": "/dashboard/inbox/4",
    "audit of one": "/dashboard/audit?by=jordan&act=token_created",
}
"""Besides, what some of them look like otherwise."""


@pytest.fixture
def desk(chromium: Browser) -> Iterator[Page]:
    """Open an empty page whose screen the test chooses."""
    with opened(chromium, *SCREENS["desktop"]) as opened_page:
        yield opened_page


@pytest.fixture(scope="module")
def known(office: Office) -> Known:
    """Give what is there, and what opens the pages of mailed links."""
    house, clock = office.house, office.clock
    office.outages.fire(ECHO, subject="Undecided", message="It is **slow**.")
    subscribing.subscribe(house, "grace@reader.example", clock())
    with house.store.reading() as connection:
        ada = subscribers.get(connection, 1)
    assert ada is not None
    tokens = {
        "/act/{token}": act_links(house)[-1],
        "/login/{token}": login_links(house)[-1],
        "/subscribe/confirm/{token}": confirm_links(house)[-1],
        "/unsubscribe/{token}": unsubscribe_token(house.key, ada.public_id),
    }
    last = {path: link.rpartition("/")[2] for path, link in tokens.items()}
    return Known(house.config, incident=3, maintenance=1, arrival=1, subscriber=1, tokens=last)


@pytest.mark.parametrize("path", EVERY)
def test_nothing_is_wrong_with_any_page(path: str, desk: Page, office: Office, known: Known) -> None:
    if path.startswith("/dashboard"):
        office.enter(desk)
    # the text of what is public is edited no more
    asked = asked_at(path, replace(known, incident=1) if path.endswith("/words") else known)
    answer = desk.goto(office.url + asked)
    assert answer is not None
    assert (answer.status, urlsplit(desk.url).path) == (200, asked)
    judge_on_each_screen(desk)


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_wrong_with_any_room(room: str, desk: Page, office: Office) -> None:
    office.enter(desk)
    answer = desk.goto(office.url + ROOMS[room])
    assert answer is not None
    assert (answer.status, desk.url) == (200, office.url + ROOMS[room])
    judge_on_each_screen(desk)


def test_nobody_is_led_to_where_he_may_not_go(page: Page, office: Office) -> None:
    office.enter(page, "sam")
    page.goto(f"{office.url}/dashboard")
    menu = page.get_by_text("Menu", exact=True)
    if menu.is_visible():
        menu.click()
    names = {link.inner_text() for link in page.get_by_role("navigation").get_by_role("link").all()}
    assert {"Incidents", "Sessions"} <= names
    assert names.isdisjoint({"Subscribers", "Tokens", "Audit"})


@pytest.mark.parametrize(
    ("path", "status", "title", "leads_to"),
    [
        ("/dashboard/audit", 403, "Not allowed", "To the dashboard"),
        ("/dashboard/incidents/4711", 404, "Not found", "To the dashboard"),
        ("/nowhere", 404, "Not found", "To the status page"),
        ("/act/made-up", 410, "This link does not work", "To the status page"),
        ("/unsubscribe/made-up", 410, "This link does not work", "To the status page"),
        ("/subscribe/confirm/made-up", 410, "This link does not work", "To the status page"),
    ],
)
def test_a_refusal_is_a_page_like_any_other(
    path: str, status: int, title: str, leads_to: str, chromium: Browser, office: Office, screen: str
) -> None:
    with sitting(chromium, office, "sam", screen, refused_with=status) as page:
        answer = page.goto(office.url + path)
        assert answer is not None
        assert answer.status == status
        page.get_by_role("heading", name=title, level=1).wait_for()
        judge_whole(page)
        press(page, leads_to)
        page.get_by_role("heading", level=1).first.wait_for()


def test_the_menu_of_a_phone_opens_by_keyboard_and_without_scripts(chromium: Browser, office: Office) -> None:
    with sitting(chromium, office, "jordan", "phone", has_scripts=False) as page:
        page.goto(f"{office.url}/dashboard")
        links = page.get_by_role("navigation").get_by_role("link")
        assert links.count() == 0, "it takes one row until it is asked for"
        page.locator(".menu > summary").focus()
        page.keyboard.press("Enter")
        links.filter(has_text="Audit").wait_for()
        heights = [box["height"] for link in links.all() if (box := link.bounding_box())]
        assert len(heights) > 9
        assert min(heights) >= 44, "each is large enough for a thumb"
        links.filter(has_text="Audit").click()
        page.get_by_role("heading", name="Audit", level=1).wait_for()
