"""Every incident is reached and found by keyboard, on a desk and a phone, also without scripts, in a real Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from service.store import incident_search
from service.web.dashboard import incident_list
from tests.web.judging import judge, judge_whole
from tests.web.keyboard import choose, press, tab_to, write
from tests.web.office import Office, sitting
from tests.web.outages import ECHO

pytestmark = pytest.mark.chromium

SHOWN = 3


@pytest.fixture(scope="module", autouse=True)
def _many(office: Office) -> Iterator[None]:
    """Let more incidents wait for a decision than a page shows."""
    for number in range(2 * SHOWN + 1):
        office.outages.fire(ECHO, subject=f"Printer {number} is slow", message="M")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(incident_list, "OPEN_SHOWN", SHOWN)
        patch.setattr(incident_list, "FOUND_SHOWN", SHOWN)
        yield


def test_an_old_incident_that_waits_for_a_decision_is_reached_page_by_page(
    sheet: Page, office: Office
) -> None:
    sheet.goto(f"{office.url}/dashboard")
    for number in (3, 0):
        press(sheet, "Show older")
        expect(sheet.get_by_role("link", name=f"Printer {number} ")).to_be_visible()
        judge(sheet)
    press(sheet, "What is going on")
    expect(sheet.get_by_role("heading", name="Waiting for a decision")).to_be_visible()


def test_it_is_reached_without_scripts(chromium: Browser, office: Office) -> None:
    with sitting(chromium, office, "sam", has_scripts=False) as page:
        page.goto(f"{office.url}/dashboard")
        for number in (3, 0):
            page.get_by_role("link", name="Show older").first.click()
            expect(page.get_by_role("link", name=f"Printer {number} ")).to_be_visible()


def test_incidents_are_searched_and_older_ones_too(
    sheet: Page, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_search, "SEARCHED", 5)
    sheet.goto(f"{office.url}/dashboard")
    press(sheet, "Search")
    judge_whole(sheet)
    sheet.goto(f"{office.url}/dashboard/incidents")
    if not sheet.locator("[name=q]").is_visible():  # on a phone it is folded
        tab_to(sheet, "Search")
        sheet.keyboard.press("Enter")
    write(sheet, "q", "printer 1")
    choose(sheet, "Phase", "Waiting for a decision")
    choose(sheet, "Component", "Calendar")
    press(sheet, "Search")
    expect(sheet.get_by_text("None is among the newest incidents that were looked through.")).to_be_visible()
    judge(sheet)
    press(sheet, "Search older")
    expect(sheet.get_by_role("listitem").filter(has_text="Printer")).to_have_count(1)
    expect(sheet.get_by_role("link", name="Printer 1 is slow")).to_be_visible()
