"""Carrying out maintenance in a real Chromium: each order by keyboard alone, on each screen, with its answer."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.judging import judge
from tests.web.keyboard import press, tab_to, tick, told, write
from tests.web.office import Office, sitting

pytestmark = pytest.mark.chromium


def write_time(page: Page, field: str, day: str, time: str = "1030PM") -> None:
    """Type a day of December, and a time, into a field that has a part for each, as the browser's language has them."""
    tab_to(page, field)
    for part in ("12", day, "2026"):
        page.keyboard.type(part)
    page.keyboard.press("ArrowRight")
    page.keyboard.type(time)


@pytest.mark.orders("POST /dashboard/maintenance/plan", "POST /dashboard/maintenance/{id}/cancel")
def test_a_maintenance_is_planned_and_called_off(sheet: Page, office: Office, screen: str) -> None:
    sheet.goto(f"{office.url}/dashboard/maintenance")
    press(sheet, "Plan maintenance")
    write(sheet, "subject", f"New disks, by {screen}")
    write(sheet, "message", "Mail may be **slow**.")
    tick(sheet, "Email")
    for field, day in (("starts_at", "10"), ("ends_at", "11")):
        write_time(sheet, field, day)
    press(sheet, "Plan and announce it")
    sheet.get_by_role("heading", name=f"New disks, by {screen}", level=1).wait_for()
    expect(sheet.get_by_text("It begins at 10 Dec 2026, 22:30 CET")).to_be_visible()
    judge(sheet)
    press(sheet, "Call it off")
    told(sheet, "It is called off")


@pytest.mark.orders(
    "POST /dashboard/maintenance/{id}/start",
    "POST /dashboard/maintenance/{id}/extend",
    "POST /dashboard/maintenance/{id}/end",
)
def test_a_maintenance_is_extended_and_ended(sheet: Page, office: Office, screen: str) -> None:
    sheet.goto(office.url + office.plan(f"Works, by {screen}"))
    press(sheet, "Start it now")
    told(sheet, "It has begun")
    tab_to(sheet, "ends_at")
    sheet.keyboard.type("12")
    sheet.keyboard.type("03")
    press(sheet, "Move its end")
    told(sheet, "Its end was moved")
    expect(sheet.get_by_text("03 Dec 2026, 00:00 CET").first).to_be_visible()
    write(sheet, "comment", "All is done.")
    press(sheet, "End the maintenance")
    told(sheet, "It is over")
    expect(sheet.get_by_text("All is done.").first).to_be_visible()


@pytest.mark.orders("POST /dashboard/maintenance/{id}/move")
def test_a_maintenance_is_moved(sheet: Page, office: Office, screen: str) -> None:
    sheet.goto(office.url + office.plan(f"To be moved, by {screen}"))
    write_time(sheet, "starts_at", "14")
    write_time(sheet, "ends_at", "15")
    press(sheet, "Move it")
    told(sheet, "It was moved")
    expect(sheet.locator("#part-head")).to_contain_text("It begins at 14 Dec 2026, 22:30 CET")
    expect(sheet.locator("#part-head")).to_contain_text("ends at 15 Dec 2026, 22:30 CET")


def test_times_that_cannot_be_are_shown_again_with_the_reason(
    chromium: Browser, office: Office, screen: str
) -> None:
    with sitting(chromium, office, "sam", screen, refused_with=409) as page:
        page.goto(office.url + office.plan(f"Not to be moved, by {screen}"))
        write_time(page, "starts_at", "14")
        press(page, "Move it")
        told(page, "It must end after it begins; nothing was changed.")
        expect(page.locator("#part-head")).to_contain_text("It begins at 01 Dec 2026, 22:00 CET")
        expect(page.locator("#starts_at")).to_have_value("2026-12-14T22:30")


@pytest.mark.orders("POST /dashboard/maintenance/{id}/update")
def test_an_update_of_a_maintenance_is_posted(sheet: Page, office: Office, screen: str) -> None:
    sheet.goto(office.url + office.plan(f"To be told of, by {screen}"))
    write(sheet, "text", "It takes **longer** than we thought.")
    press(sheet, "Post the update")
    told(sheet, "posted")
    expect(sheet.locator("#part-updates strong", has_text="longer")).to_be_visible()
