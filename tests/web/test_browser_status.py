"""The status page in a real Chromium: readable by everybody, on every screen and on paper, and live."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from service.actions.house import House
from service.web.application import build
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import Clock, make_front, make_house
from tests.web.chromium import SCREENS, opened
from tests.web.judging import judge_whole
from tests.web.keyboard import tab_to
from tests.web.outages import Outages
from tests.web.serving import served
from tests.web.showcase import CONFIG, live_through

pytestmark = pytest.mark.chromium

PATHS = ["/", "/incidents/8", "/maintenance/1", "/maintenance/2", "/history", "/subscribe"]
PATIENCE = 10_000


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Outages]]:
    """Serve a page with ninety days behind it; gives its address, and what may go wrong."""
    clock, folder = Clock(), tmp_path_factory.mktemp("town")
    house = make_house(folder, CONFIG)
    live_through(house, clock)
    application = build(make_front(house, clock), PUBLIC_ROUTES)
    with served(application) as port:
        yield f"http://127.0.0.1:{port}", Outages(house, clock)
        application.state.public_pages.close()
    house.store.close()


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_wrong_with_any_page(path: str, page: Page, town: tuple[str, Outages]) -> None:
    page.goto(town[0] + path)
    judge_whole(page)


def test_the_page_is_as_it_is_told_to_be_in_the_dark(page: Page, town: tuple[str, Outages]) -> None:
    grounds = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(town[0])
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2


def test_a_component_is_one_image_with_words_and_no_stop_for_the_keyboard(
    page: Page, town: tuple[str, Outages]
) -> None:
    page.goto(town[0])
    image = page.get_by_role("img", name=re.compile(r"^Email, the last 90 days: 99\.\d\d % uptime\."))
    assert image.locator("title").count() == 90
    assert "major outage for 52 min" in (image.locator("title").last.text_content() or "")
    tab_to(page, "email")
    assert page.locator(".bars :focus").count() == 0


def test_groups_open_and_close_by_keyboard(page: Page, town: tuple[str, Outages]) -> None:
    page.goto(town[0])
    tab_to(page, "group-name-1")
    calendar = page.get_by_text("Meetings and rooms")
    assert calendar.is_visible()
    page.keyboard.press("Enter")
    assert not calendar.is_visible()
    page.keyboard.press("Enter")
    assert calendar.is_visible()


def test_what_is_folded_and_what_the_foot_leads_to_is_large_enough_for_a_thumb(
    chromium: Browser, town: tuple[str, Outages]
) -> None:
    with opened(chromium, 390, 844) as phone:
        phone.goto(town[0])
        targets = phone.locator("summary, footer a").all()
        boxes = [box for one in targets if (box := one.bounding_box())]
        assert len(boxes) > 5
        assert min(min(box["width"], box["height"]) for box in boxes) >= 44


def test_all_is_there_without_javascript(chromium: Browser, town: tuple[str, Outages]) -> None:
    with opened(chromium, *SCREENS["desktop"], has_scripts=False) as page:
        page.goto(town[0])
        for name in (
            "Current incident",
            "Components",
            "Scheduled maintenance",
            "The last 14 days",
            "Hear of it by mail",
        ):
            assert page.get_by_role("heading", name=name).is_visible()
        assert page.get_by_text("A storage server failed.").is_visible()
        page.get_by_text("3 days in detail").click()
        assert page.locator("li li", has_text="major outage for 52 min").is_visible()


def test_paper_shows_what_is_folded_and_no_buttons(page: Page, town: tuple[str, Outages]) -> None:
    page.goto(town[0])
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = false)")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.get_by_text("Meetings and rooms").is_visible()
    assert page.locator("li li", has_text="20 Nov 2026: partial outage for 48 min").is_visible()
    assert not page.get_by_role("button", name="Subscribe").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_printed_page_has_few_sheets(chromium: Browser, town: tuple[str, Outages]) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(town[0])
    printed = page.pdf(format="A4", print_background=True)
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 4
    context.close()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[str, House, Outages]]:
    """Serve a page of its own, which a test may change."""
    clock = Clock()
    house = make_house(tmp_path, CONFIG)
    application = build(make_front(house, clock), PUBLIC_ROUTES)
    with served(application) as port:
        yield f"http://127.0.0.1:{port}", house, Outages(house, clock)
        application.state.public_pages.close()
    house.store.close()


def test_a_reader_sees_what_is_published_without_a_click(
    page: Page, alone: tuple[str, House, Outages]
) -> None:
    url, _, outages = alone
    page.goto(url)
    page.evaluate("window.sameDocument = true")
    incident = outages.published("Mail down", subject="No mail at all", message="We are looking.")
    page.get_by_role("heading", name="Major outage: Email").wait_for(timeout=PATIENCE)
    assert page.get_by_role("link", name="No mail at all").first.is_visible()
    assert page.get_by_role("status").text_content() == "This page was updated. Major outage: Email"
    assert page.title().startswith("Major outage: Email")
    outages.clock.move(timedelta(hours=1))
    outages.close(incident)
    page.get_by_role("heading", name="All systems operational").wait_for(timeout=PATIENCE)
    assert page.evaluate("window.sameDocument")


def test_news_leave_a_reader_what_he_was_doing(page: Page, alone: tuple[str, House, Outages]) -> None:
    url, _, outages = alone
    page.goto(url)
    page.get_by_role("heading", name="Platform").click()
    page.get_by_label("Your e-mail address").fill("half@written")
    outages.published("Mail down", subject="No mail at all", message="We are looking.")
    page.get_by_role("heading", name="Major outage: Email").wait_for(timeout=PATIENCE)
    assert page.get_by_label("Your e-mail address").input_value() == "half@written"
    assert page.evaluate("document.activeElement.id") == "email"
    assert not page.get_by_text("Everything that programs call").is_visible()
    page.locator("#group-name-1").focus()
    outages.published("API slow", subject="Slow", message="We are looking.")
    page.get_by_role("link", name="Slow", exact=True).first.wait_for(timeout=PATIENCE)
    assert page.evaluate("document.activeElement.id") == "group-name-1"
