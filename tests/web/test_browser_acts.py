"""What employees do in their rooms, each act by keyboard alone in a real Chromium, on a desk and on a phone."""

import pytest
from playwright.sync_api import Page, expect

from service.actions import api_tokens, logging_in, subscriber_admin
from service.actions.logging_in import Arriving
from service.model import Phase
from service.store import subscribers
from tests.web.employees import page_of, phase_of
from tests.web.judging import judge
from tests.web.keyboard import choose, choose_file, enter, press, tab_to, tick, told, write
from tests.web.office import Office
from tests.web.outages import ECHO

pytestmark = pytest.mark.chromium


@pytest.mark.orders("POST /dashboard/subscribers/{id}/remove")
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


@pytest.mark.orders("POST /dashboard/subscribers/import")
def test_a_list_is_imported(sheet: Page, office: Office, screen: str) -> None:
    raw = f"Email,Components,Groups\n{screen}1@reader.example,API,Gold\n{screen}2@reader.example,,\n"
    sheet.goto(f"{office.url}/dashboard/subscribers")
    choose_file(sheet, "file", {"name": "list.csv", "mimeType": "text/csv", "buffer": raw.encode()})
    tick(sheet, "All of them agreed")
    press(sheet, "Import")
    told(sheet, "2 added, 0 changed.")
    expect(sheet.get_by_role("status")).to_contain_text("No monitor has these groups as its audience: Gold.")


@pytest.mark.orders(
    "POST /dashboard/open/now",
    "POST /dashboard/incidents/{id}/edit",
    "POST /dashboard/incidents/{id}/publish",
)
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
    choose(sheet, "Type", "Performance")
    choose(sheet, "Email", "Degraded performance")
    press(sheet, "Save this version")
    told(sheet, "has a new version")
    expect(sheet.locator("strong", has_text="none is lost")).to_be_visible()
    expect(sheet.locator(".letter__components")).to_have_text("Email: degraded performance")
    expect(sheet.locator(".timeline")).to_contain_text("Email: major outage → degraded performance")
    press(sheet, "Publish")
    told(sheet, "is published")


@pytest.mark.orders(
    "POST /dashboard/incidents/{id}/updates/{update}/correct", "POST /dashboard/incidents/{id}/update"
)
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


@pytest.mark.orders("POST /dashboard/inbox/{id}/dry", "POST /dashboard/inbox/{id}/replay")
def test_an_arrival_is_found_and_replayed(sheet: Page, office: Office) -> None:
    sheet.goto(f"{office.url}/dashboard/inbox")
    if not sheet.locator("[name=q]").is_visible():  # on a phone it is folded
        tab_to(sheet, "Search")
        sheet.keyboard.press("Enter")
    write(sheet, "q", "Emial")
    enter(sheet)
    expect(sheet.get_by_role("listitem")).to_contain_text(["did you mean"])
    press(sheet, "Emial Server: CRITICAL")
    press(sheet, "Replay dry")
    sheet.get_by_role("heading", name="What would happen").wait_for()
    judge(sheet)
    press(sheet, "Replay for real")
    expect(sheet.get_by_text("A replay of")).to_be_visible()
    judge(sheet)


@pytest.mark.orders("POST /dashboard/monitors/{slug}/simulate")
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


@pytest.mark.orders("POST /dashboard/sessions/{name}/revoke")
def test_a_browser_elsewhere_is_logged_out(sheet: Page, office: Office, screen: str) -> None:
    jordan = office.house.config.employees["jordan"]
    arriving = Arriving(f"forgotten-{screen}", "Firefox")
    logging_in.log_in_by_provider(office.house, jordan.email, arriving, now=office.clock())
    sheet.goto(f"{office.url}/dashboard/sessions")
    before = sheet.get_by_role("listitem").count()
    press(sheet, "Jordan Ray's")
    told(sheet, "That browser is logged out.")
    assert sheet.get_by_role("listitem").count() == before - 1


@pytest.mark.orders("POST /dashboard/tokens", "POST /dashboard/tokens/{id}/revoke")
def test_a_token_is_made_copied_and_revoked(sheet: Page, office: Office, screen: str) -> None:
    sheet.goto(f"{office.url}/dashboard/tokens")
    write(sheet, "name", f"by {screen}")
    tick(sheet, "incidents:read")
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


@pytest.mark.orders("POST /dashboard/subscribers/{id}/reinstate")
def test_a_webhook_that_was_given_up_is_sent_to_again(sheet: Page, office: Office, screen: str) -> None:
    jordan, url = office.house.config.employees["jordan"], f"https://back.reader.example/{screen}"
    hook = subscriber_admin.add_webhook(office.house, url, jordan, office.clock())
    with office.house.store.transaction() as connection:
        subscribers.suppress(connection, hook.id, office.clock(), "it answered 410 Gone")
    sheet.goto(f"{office.url}/dashboard/subscribers/{hook.id}")
    sheet.get_by_role("alert").filter(has_text="it answered 410 Gone").wait_for()
    press(sheet, "Send to it again")
    told(sheet, "sent to")
    expect(sheet.get_by_role("alert")).to_have_count(0)
    with office.house.store.reading() as connection:
        found = subscribers.get(connection, hook.id)
    assert found is not None
    assert found.suppressed_at is None


@pytest.mark.orders("POST /dashboard/simulate/day")
def test_a_recorded_day_is_simulated(sheet: Page, office: Office) -> None:
    sheet.goto(f"{office.url}/dashboard/monitors")
    press(sheet, "Simulate a recorded day")
    tab_to(sheet, "day")
    for part in ("11", "24", "2026"):
        sheet.keyboard.type(part)
    write(sheet, "publish_after", "3m")
    press(sheet, "Simulate")
    sheet.get_by_role("heading", name="What would have happened").wait_for()
    judge(sheet)
    found = sheet.get_by_role("region", name="What would have happened")
    expect(found).to_contain_text("Email is unavailable")
    expect(found).to_contain_text("Emial Server was received from victorops, and no monitor takes it")
