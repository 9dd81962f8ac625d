"""Adding one subscriber and changing what one hears of, by keyboard alone in a real Chromium, on a desk and a phone."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from service.actions import subscribers_by_hand
from service.model import Channel, Subscriber, SubscriberState
from service.store import subscribers
from tests.web.chromium import SCREENS, opened
from tests.web.judging import judge, judge_whole
from tests.web.keyboard import choose, press, tick, told, write
from tests.web.office import Office

pytestmark = pytest.mark.chromium
HERE = "/dashboard/subscribers"


def found(office: Office, address: str) -> Subscriber:
    """Read a subscriber who must be there."""
    with office.house.store.reading() as connection:
        one = subscribers.find_by_address(connection, address)
    assert one is not None
    return one


@pytest.mark.orders("POST /dashboard/subscribers/add")
def test_an_address_that_agreed_is_added_with_its_choices(sheet: Page, office: Office, screen: str) -> None:
    sheet.goto(office.url + HERE)
    press(sheet, "Add a subscriber")
    sheet.get_by_role("heading", name="Add a subscriber", level=1).wait_for()
    judge_whole(sheet)
    write(sheet, "address", f"ida-{screen}@reader.example")
    tick(sheet, "Its owner agreed")
    tick(sheet, "Calendar")
    write(sheet, "groups", "Partners; Gold")
    press(sheet, "Add")
    told(sheet, "It is subscribed.")
    added = found(office, f"ida-{screen}@reader.example")
    assert (added.state, added.components) == (SubscriberState.CONFIRMED, ("Calendar",))
    assert added.groups == ("Gold", "Partners")


@pytest.mark.orders("POST /dashboard/subscribers/add")
def test_an_address_that_did_not_is_asked(sheet: Page, office: Office, screen: str) -> None:
    sheet.goto(f"{office.url}{HERE}/add")
    write(sheet, "address", f"ben-{screen}@reader.example")
    sheet.keyboard.press("Enter")
    told(sheet, "A mail asks the address to confirm")
    assert found(office, f"ben-{screen}@reader.example").state is SubscriberState.PENDING


@pytest.mark.orders("POST /dashboard/subscribers/add")
def test_a_webhook_is_added_in_the_form_that_it_wants(sheet: Page, office: Office, screen: str) -> None:
    sheet.goto(f"{office.url}{HERE}/add")
    write(sheet, "address", f"https://hooks.reader.example/{screen}")
    choose(sheet, "If it is a webhook, in the form of", "Microsoft Teams")
    press(sheet, "Add")
    told(sheet, "It is subscribed.")
    assert found(office, f"https://hooks.reader.example/{screen}").channel is Channel.TEAMS


def test_what_is_wrong_is_said_and_what_was_typed_is_still_there(
    chromium: Browser, office: Office, screen: str
) -> None:
    with opened(chromium, *SCREENS[screen], refused_with=422) as page:
        office.enter(page)
        page.goto(f"{office.url}{HERE}/add")
        write(page, "address", "ada@reader.example")
        tick(page, "Email")
        write(page, "groups", "Gold")
        press(page, "Add")
        expect(page.get_by_role("alert")).to_contain_text("Nobody was added yet")
        judge(page)
        address = page.get_by_label("E-mail address, or URL of a webhook")
        expect(address).to_have_accessible_description(re.compile("ada@reader.example is subscribed already"))
        expect(address).to_have_value("ada@reader.example")
        expect(page.get_by_label("Email", exact=True)).to_be_checked()
        expect(page.get_by_label("Groups")).to_have_value("Gold")
        press(page, "Show it")
        page.get_by_role("heading", name="ada@reader.example", level=1).wait_for()


@pytest.mark.orders("POST /dashboard/subscribers/{id}/choices")
def test_what_one_hears_of_is_changed(sheet: Page, office: Office, screen: str) -> None:
    jordan = office.house.config.employees["jordan"]
    cem = subscribers_by_hand.add(
        office.house,
        f"cem-{screen}@reader.example",
        jordan,
        office.clock(),
        components=["Email"],
        have_agreed=True,
    )
    sheet.goto(f"{office.url}{HERE}/{cem.id}")
    judge_whole(sheet)
    tick(sheet, "Email")
    tick(sheet, "API")
    write(sheet, "groups", "Partners; Gold")
    press(sheet, "Save")
    told(sheet, "Its choices are saved.")
    changed = found(office, cem.address)
    assert (changed.components, changed.groups) == (("API",), ("Gold", "Partners"))
    expect(sheet.get_by_label("Groups")).to_have_value("Gold; Partners")
    expect(sheet.get_by_label("API", exact=True)).to_be_checked()


def test_the_form_needs_no_script(chromium: Browser, office: Office, screen: str) -> None:
    with opened(chromium, *SCREENS[screen], has_scripts=False) as page:
        office.enter(page)
        page.goto(f"{office.url}{HERE}/add")
        page.get_by_label("E-mail address, or URL of a webhook").fill(f"dea-{screen}@reader.example")
        page.get_by_label("Its owner agreed").check()
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("status")).to_have_text("It is subscribed.")
