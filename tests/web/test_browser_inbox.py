"""Finding what arrived by its time and entity in a real Chromium, by keyboard and without scripts too."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door, InboxState
from tests.web.chromium import SCREENS, opened
from tests.web.judging import judge, judge_whole
from tests.web.keyboard import enter, press, tab_to, write
from tests.web.office import Office

pytestmark = pytest.mark.chromium
PAGE = "/dashboard/inbox"
LATER = timedelta(days=1)


@pytest.fixture
def late(office: Office) -> str:
    """Receive a post a day later than all others, at 13:02 in Berlin and 21:02 in Tokyo; gives its page."""
    when = office.clock() + LATER
    post = Arrival(Door.WEBHOOK, when, b"{}", "victorops", state=InboxState.DONE, reason="no_alerts")
    with office.house.store.transaction() as connection:
        [number] = inbox_rows.add_many(connection, [post])
    return f"{PAGE}/{number}"


def unfold(page: Page) -> None:
    """Open the search, which a phone folds."""
    if not page.locator("[name=q]").is_visible():
        tab_to(page, "Search")
        page.keyboard.press("Enter")


def is_found(page: Page, late: str) -> None:
    """Wait until the late post is found and what came before is not."""
    expect(page.locator(f"a[href='{late}']")).to_be_visible()
    expect(page.locator(f"a[href='{PAGE}/1']")).to_have_count(0)


def test_a_span_is_typed_by_keyboard(sheet: Page, office: Office, late: str) -> None:
    sheet.goto(office.url + PAGE)
    unfold(sheet)
    judge_whole(sheet)
    tab_to(sheet, "from")
    for part in ("11", "25", "2026"):
        sheet.keyboard.type(part)
    sheet.keyboard.press("ArrowRight")
    sheet.keyboard.type("0102PM")
    tab_to(sheet, "zone")
    enter(sheet)
    assert "zone=Europe%2FBerlin" in sheet.url
    is_found(sheet, late)
    expect(sheet.locator("[name=from]")).to_have_value("2026-11-25T13:02")
    judge(sheet)


def test_it_is_of_the_readers_own_zone(chromium: Browser, office: Office, screen: str, late: str) -> None:
    with opened(chromium, *SCREENS[screen], zone="Asia/Tokyo") as page:
        office.enter(page)
        page.goto(office.url + PAGE)
        unfold(page)
        expect(page.locator("[name=zone]")).to_have_value("Asia/Tokyo")
        page.locator("[name=from]").fill("2026-11-25T21:02")
        tab_to(page, "zone")
        enter(page)
        is_found(page, late)
        # whoever gets the link sees the same
        page.reload()
        expect(page.locator("[name=zone]")).to_have_value("Asia/Tokyo")


def test_without_scripts_the_zone_is_typed(chromium: Browser, office: Office, screen: str, late: str) -> None:
    with opened(chromium, *SCREENS[screen], zone="Asia/Tokyo", has_scripts=False) as page:
        office.enter(page)
        page.goto(office.url + PAGE)
        if not page.locator("[name=q]").is_visible():
            page.locator(".fold > summary").click()
        expect(page.locator("[name=zone]")).to_have_value("Europe/Berlin")
        page.locator("[name=zone]").fill("Asia/Tokyo")
        page.locator("[name=from]").fill("2026-11-25T21:02")
        page.get_by_role("search").get_by_role("button").click()
        is_found(page, late)


def test_a_zone_that_is_none_is_said_where_it_was_typed(
    chromium: Browser, office: Office, screen: str
) -> None:
    with opened(chromium, *SCREENS[screen], refused_with=422) as page:
        office.enter(page)
        page.goto(office.url + PAGE)
        unfold(page)
        write(page, "zone", "Atlantis")
        page.locator("[name=from]").fill("2026-11-25T21:02")
        tab_to(page, "zone")
        enter(page)
        expect(page.get_by_role("alert")).to_contain_text("Nothing was looked for")
        expect(page.get_by_text("This is no time zone")).to_be_visible()
        judge(page)


def test_a_post_leads_to_all_of_its_entity(sheet: Page, office: Office) -> None:
    sheet.goto(f"{office.url}{PAGE}/1")
    press(sheet, "All posts of this entity")
    expect(sheet.get_by_role("listitem")).to_have_count(1)
    expect(sheet.locator(f"a[href='{PAGE}/1']")).to_be_visible()
    judge(sheet)


def test_a_reply_shows_what_was_judged_about_it(sheet: Page, office: Office) -> None:
    sheet.goto(f"{office.url}{PAGE}/4")
    expect(sheet.get_by_role("definition").filter(has_text="the token alone is asked for")).to_contain_text(
        "unknown"
    )
    judge_whole(sheet)
