"""The public pages in a real Chromium: nothing blocked, nothing overflowing, all of it by keyboard."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from service.actions import subscribing
from service.actions.house import House
from service.mail.compose import link_token, unsubscribe_token
from service.model import UpdateStatus
from service.store import deliveries, subscribers
from service.store.credentials import Purpose
from service.web.application import build
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.chromium import NAME, fits
from tests.web.judging import judge
from tests.web.keyboard import enter, press, tab_to, tick
from tests.web.outages import ECHO, ECHO_MONITOR, Outages
from tests.web.serving import served

pytestmark = pytest.mark.chromium

ADDRESS = "grace@example.org"
LONG_WORD = "Donaudampfschifffahrtsgesellschaft" * 9
WIDE = f"`{'x' * 300}`\n\n```\n{'y' * 300}\n```\n\n| {' | '.join('abcdefghijklmnop')} |\n|{'---|' * 16}\n"


@dataclass(frozen=True, slots=True)
class Town:
    """A served house whose pages are hard to lay out."""

    house: House
    clock: Clock
    port: int

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}"

    def links_of(self, email: str) -> tuple[str, str]:
        """Let an address ask for mails; gives the paths that confirm it and that let it leave."""
        subscribing.subscribe(self.house, email, self.clock())
        with self.house.store.transaction() as connection:
            lease = timedelta(hours=1)
            due = deliveries.claim_due(connection, self.clock(), urgent=True, lease=lease, limit=99)
            subscriber = subscribers.find_by_address(connection, email)
        assert subscriber is not None
        mail = next(one for one in due if one.recipient == email)
        token = link_token(self.house.key, mail.public_id, Purpose.CONFIRM)
        leaving = unsubscribe_token(self.house.key, subscriber.public_id)
        return f"/subscribe/confirm/{token}", f"/unsubscribe/{leaving}"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Serve a house with a bad day behind it and a worse one now."""
    clock = Clock()
    house = make_house(tmp_path_factory.mktemp("town"), CONFIG + ECHO_MONITOR)
    outages = Outages(house, clock)
    outages.close(outages.published())
    incident = outages.published(ECHO, subject=f"Trouble with {LONG_WORD}", message="Bad.")
    outages.tell(incident, WIDE + LONG_WORD, UpdateStatus.IDENTIFIED)
    with served(build(make_front(house, clock), PUBLIC_ROUTES)) as port:
        yield Town(house, clock, port)
    house.store.close()


@pytest.mark.parametrize("path", ["/", "/incidents/2", "/history", "/subscribe"])
def test_a_page_loads_whole_and_fits(path: str, page: Page, town: Town) -> None:
    answer = page.goto(town.url + path)
    assert answer is not None
    assert answer.status == 200
    assert fits(page)


@pytest.mark.orders(
    "POST /subscribe/confirm/{token}", "POST /subscription/{token}", "POST /unsubscribe/{token}"
)
def test_a_subscription_is_confirmed_chosen_and_ended(page: Page, screen: str, town: Town) -> None:
    confirming, leaving = town.links_of(f"ada-{screen}-{'a' * 50}@{'b' * 60}.example.org")
    # plain http to a name: our own forms must be known as ours without Sec-Fetch-Site
    page.goto(f"http://{NAME}:{town.port}{confirming}")
    judge(page)
    press(page, "Yes, subscribe me")
    page.get_by_role("heading", name="You are subscribed").wait_for()
    judge(page)
    page.goto(f"http://{NAME}:{town.port}{leaving}")
    judge(page)
    tab_to(page, "Unsubscribe")
    page.keyboard.press("Tab")  # to the radio buttons, of which the arrows choose
    page.keyboard.press("ArrowDown")
    tick(page, "Email")
    press(page, "Save this choice")
    page.get_by_role("status").filter(has_text="Your choice is saved.").wait_for()
    assert page.get_by_label("Only these").is_checked()
    judge(page)
    press(page, "Unsubscribe")
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    judge(page)


def test_who_chose_what_is_no_longer_there_reads_so(page: Page, screen: str, town: Town) -> None:
    address = f"lost-{screen}@example.org"
    _, leaving = town.links_of(address)
    with town.house.store.transaction() as connection:
        found = subscribers.find_by_address(connection, address)
        assert found is not None
        subscribers.choose(connection, found.id, components=[LONG_WORD], groups=())
    page.goto(f"http://{NAME}:{town.port}{leaving}")
    page.get_by_role("status").filter(has_text="is no longer on this status page").wait_for()
    assert page.get_by_label("All components").is_checked()
    judge(page)


@pytest.mark.orders("POST /subscribe")
def test_the_form_is_reached_and_sent_by_keyboard(page: Page, town: Town) -> None:
    page.goto(town.url)
    tab_to(page, "email")
    page.keyboard.type(ADDRESS)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Subscribe"
    enter(page)
    page.get_by_role("heading", name="Look into your mail").wait_for()
    judge(page)


def test_whoever_opens_the_form_may_type_at_once(page: Page, town: Town) -> None:
    page.goto(f"{town.url}/subscribe")
    page.keyboard.type(ADDRESS)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Look into your mail").wait_for()
