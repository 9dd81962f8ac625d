"""What employees do in their rooms, each act by keyboard alone in a real Chromium, on a desk and on a phone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from service.actions import api_tokens, logging_in, subscriber_admin
from service.actions.logging_in import Arriving
from service.model import Phase
from tests.web.chromium import fits, opened, started, tab_to
from tests.web.employees import login_links, page_of, phase_of
from tests.web.office import Office, opened_office
from tests.web.outages import ECHO
from tests.web.test_browser_status import SCREENS, WCAG

pytestmark = pytest.mark.chromium


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Serve a house with something of everything in it."""
    with opened_office(tmp_path_factory.mktemp("office")) as served:
        yield served


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest) -> str:
    """Give the name of a screen, which also tells apart what both tests of a pair make."""
    return str(request.param)


@pytest.fixture
def sheet(chromium: Browser, office: Office, screen: str) -> Iterator[Page]:
    """Open an empty page of an admin; whatever the browser complains of, its policy included, fails the test."""
    with opened(chromium, *SCREENS[screen]) as page:
        office.enter(page)
        yield page


def press(page: Page, text: str) -> None:
    """Go to a link or button by Tab, press Enter, and wait for the page that it leads to."""
    tab_to(page, text)
    enter(page)


def enter(page: Page) -> None:
    """Press Enter and wait for the page that comes."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def write(page: Page, field: str, text: str) -> None:
    """Go to a field by Tab and write into it, over what stands there."""
    tab_to(page, field)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def told(page: Page, text: str) -> None:
    """Wait until a status says something, on a page of which nothing is wrong."""
    page.get_by_role("status").filter(has_text=text).first.wait_for()
    judge(page)


def judge(page: Page) -> None:
    assert fits(page)
    results = Axe().run(page, options=WCAG)
    assert results.violations_count == 0, results.generate_report()


def test_a_subscriber_is_searched_for_and_forgotten(sheet: Page, office: Office, screen: str) -> None:
    raw = f"Email,Groups\n{screen}@reader.example,Partners;Gold\n".encode()
    jordan = office.house.config.employees["jordan"]
    subscriber_admin.import_file(office.house, raw, jordan, office.clock(), have_agreed=True)
    sheet.goto(f"{office.url}/dashboard/subscribers")
    write(sheet, "q", f"{screen}@")
    enter(sheet)
    expect(sheet.get_by_role("listitem")).to_have_count(1)
    expect(sheet.get_by_role("listitem")).to_contain_text("Gold, Partners")
    press(sheet, f"{screen}@reader.example")
    sheet.get_by_role("heading", name=f"{screen}@reader.example", level=1).wait_for()
    press(sheet, "Forget this subscriber")
    told(sheet, "It is forgotten.")


def test_a_webhook_is_added(sheet: Page, office: Office, screen: str) -> None:
    sheet.goto(f"{office.url}/dashboard/subscribers")
    write(sheet, "url", f"https://hooks.reader.example/{screen}")
    press(sheet, "Add")
    told(sheet, "The webhook is subscribed.")


def test_a_list_is_imported(sheet: Page, office: Office, screen: str) -> None:
    raw = f"Email,Components,Groups\n{screen}1@reader.example,API,Gold\n{screen}2@reader.example,,\n"
    sheet.goto(f"{office.url}/dashboard/subscribers")
    tab_to(sheet, "file")
    # the system's own window, which no test can type into
    sheet.locator("#file").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": raw.encode()}
    )
    sheet.keyboard.press("Tab")
    sheet.keyboard.press("Space")
    press(sheet, "Import")
    told(sheet, "2 added, 0 changed.")
    expect(sheet.get_by_role("status")).to_contain_text("No monitor has these groups as its audience: Gold.")


def test_a_maintenance_is_planned_and_called_off(sheet: Page, office: Office, screen: str) -> None:
    sheet.goto(f"{office.url}/dashboard/maintenance")
    press(sheet, "Plan maintenance")
    write(sheet, "subject", f"New disks, by {screen}")
    write(sheet, "message", "Mail may be **slow**.")
    sheet.keyboard.press("Tab")
    sheet.keyboard.press("Space")
    for field, day in (("starts_at", "10"), ("ends_at", "11")):
        tab_to(sheet, field)
        for part in ("12", day, "2026"):
            sheet.keyboard.type(part)
        sheet.keyboard.press("ArrowRight")
        sheet.keyboard.type("1030PM")
    press(sheet, "Plan and announce it")
    sheet.get_by_role("heading", name=f"New disks, by {screen}", level=1).wait_for()
    expect(sheet.get_by_text("It begins at 10 Dec 2026, 22:30 CET")).to_be_visible()
    judge(sheet)
    press(sheet, "Call it off")
    told(sheet, "It is called off")


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


def test_an_incident_is_opened_by_hand_from_a_template_and_its_words_changed_before_publishing(
    sheet: Page, office: Office, screen: str
) -> None:
    sheet.goto(f"{office.url}/dashboard")
    press(sheet, "Open an incident")
    tab_to(sheet, "template")
    sheet.keyboard.type("Email Server")
    press(sheet, "Fill the form")
    expect(sheet.get_by_label("Subject")).to_have_value("Email is unavailable")
    write(sheet, "subject", f"No mail, by {screen}")
    press(sheet, "Open it")
    sheet.get_by_role("heading", name=f"No mail, by {screen}", level=1).wait_for()
    judge(sheet)
    press(sheet, "Edit the text")
    write(sheet, "message", "Mail waits; **none is lost**.")
    press(sheet, "Save this version")
    told(sheet, "has a new text")
    expect(sheet.locator("strong", has_text="none is lost")).to_be_visible()
    press(sheet, "Publish")
    told(sheet, "is published")


def test_an_update_is_corrected(sheet: Page, office: Office, screen: str) -> None:
    incident = office.outages.published(ECHO, subject=f"Wrong, by {screen}", message="Something is wrong.")
    sheet.goto(office.url + page_of(incident))
    tab_to(sheet, "Correct this update")
    sheet.keyboard.press("Enter")
    write(sheet, "right-", "Only **calendars** are concerned.")
    press(sheet, "Send the correction")
    told(sheet, "The update of")
    expect(sheet.locator("strong", has_text="calendars")).to_be_visible()
    office.outages.close(incident)
    sheet.goto(office.url + page_of(incident))
    write(sheet, "text", "It was **a cable**.")
    press(sheet, "Post the correction")
    told(sheet, "posted")
    assert phase_of(office.house, incident) is Phase.CLOSED


def test_an_arrival_is_found_and_replayed(sheet: Page, office: Office) -> None:
    sheet.goto(f"{office.url}/dashboard/inbox")
    if not sheet.locator("[name=q]").is_visible():  # on a phone it is folded
        tab_to(sheet, "Search")
        sheet.keyboard.press("Enter")
    write(sheet, "q", "Emial")
    enter(sheet)
    expect(sheet.get_by_role("listitem")).to_contain_text(["did you mean"])
    press(sheet, "Post from victorops")
    press(sheet, "Replay dry")
    sheet.get_by_role("heading", name="What would happen").wait_for()
    judge(sheet)
    press(sheet, "Replay for real")
    expect(sheet.get_by_text("A replay of")).to_be_visible()
    judge(sheet)


def test_a_monitor_is_simulated_and_previewed(sheet: Page, office: Office) -> None:
    sheet.goto(office.url + office.monitor)
    write(sheet, "recovered_after", "30m")
    write(sheet, "publish_after", "3m")
    press(sheet, "Simulate")
    sheet.get_by_role("heading", name="What would happen").wait_for()
    judge(sheet)
    press(sheet, "Preview its mails and page")
    sheet.frame_locator("iframe").first.get_by_text("INC-1 waits for your decision").first.wait_for()


def test_what_one_person_did_is_looked_up(sheet: Page, office: Office) -> None:
    sheet.goto(f"{office.url}/dashboard")
    if sheet.get_by_text("Menu", exact=True).is_visible():
        tab_to(sheet, "Menu")
        sheet.keyboard.press("Enter")
    press(sheet, "Audit")
    tab_to(sheet, "by")
    sheet.keyboard.type("Vera")
    press(sheet, "Filter")
    sheet.wait_for_url("**by=vera**")
    for line in sheet.get_by_role("main").get_by_role("listitem").all():
        assert line.inner_text().startswith("Vera Moss logged in")
    judge(sheet)


def test_a_browser_elsewhere_is_logged_out(sheet: Page, office: Office, screen: str) -> None:
    jordan = office.house.config.employees["jordan"]
    arriving = Arriving(f"forgotten-{screen}", "Firefox")
    logging_in.log_in_by_provider(office.house, jordan.email, arriving, now=office.clock())
    sheet.goto(f"{office.url}/dashboard/sessions")
    before = sheet.get_by_role("listitem").count()
    press(sheet, "Jordan Ray's")
    told(sheet, "That browser is logged out.")
    assert sheet.get_by_role("listitem").count() == before - 1


def test_a_token_is_made_copied_and_revoked(sheet: Page, office: Office, screen: str) -> None:
    sheet.goto(f"{office.url}/dashboard/tokens")
    write(sheet, "name", f"by {screen}")
    sheet.keyboard.press("Tab")
    sheet.keyboard.press("Space")
    press(sheet, "Make the token")
    told(sheet, f"The token by {screen} is made")
    tab_to(sheet, "secret")
    assert sheet.evaluate("document.getSelection().toString()").startswith("rc_"), "Ctrl+C copies it"
    secret = sheet.locator("#secret").input_value()
    found = api_tokens.find_token(office.house, secret, office.clock())
    assert found is not None
    assert found.scopes == ("incidents:read",)
    sheet.reload()
    assert sheet.locator("#secret").count() == 0
    press(sheet, f"by {screen}")
    told(sheet, "The token opens nothing any more.")
    assert api_tokens.find_token(office.house, secret, office.clock()) is None


def test_an_employee_logs_in_by_the_mailed_link_and_is_where_she_wanted_to_be(
    sheet: Page, office: Office
) -> None:
    sheet.context.clear_cookies()
    sheet.goto(f"{office.url}/dashboard/maintenance")
    write(sheet, "email", "vera@acme.example")
    enter(sheet)
    sheet.get_by_role("heading", name="Look in your mail").wait_for()
    judge(sheet)
    sheet.goto(office.url + login_links(office.house)[-1])
    sheet.get_by_role("heading", name="Log in to Acme Status").wait_for()
    enter(sheet)
    sheet.get_by_role("heading", name="Maintenance", level=1).wait_for()
    judge(sheet)
