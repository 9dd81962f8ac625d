"""Two employees in two real browsers: each sees the other's acts at once, and loses nothing of what he types."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from service.actions import api_tokens, deciding, logging_in
from service.actions.api_tokens import Scope
from service.actions.logging_in import Arriving
from service.model import Incident, Phase
from service.store import incidents
from service.web.login.letting_in import SESSION_COOKIE
from tests.web.chromium import SCREENS, opened
from tests.web.employees import page_of, phase_of
from tests.web.judging import judge
from tests.web.keyboard import tab_to
from tests.web.office import Office, sitting
from tests.web.outages import ECHO

pytestmark = pytest.mark.chromium

DESK = SCREENS["desktop"]


@pytest.fixture
def incident(office: Office, request: pytest.FixtureRequest) -> Incident:
    """Give an incident that waits for a decision, named after its test."""
    fired = office.outages.fire(ECHO, subject=request.node.name, message="It is **slow**.")
    assert fired.phase is Phase.UNPUBLISHED
    return fired


def look(page: Page, office: Office, path: str) -> None:
    """Open a page and wait until it listens."""
    with page.expect_response("**/dashboard/events*"):
        page.goto(office.url + path)


def test_what_one_publishes_the_other_sees_and_can_publish_no_more(
    jordan: Page, sam: Page, office: Office, incident: Incident
) -> None:
    look(jordan, office, page_of(incident))
    look(sam, office, page_of(incident))
    expect(sam.get_by_role("button", name="Publish")).to_be_visible()
    tab_to(jordan, "Publish")
    jordan.keyboard.press("Enter")
    expect(sam.locator("#latest")).to_contain_text("It was published, by Jordan Ray")
    expect(sam.get_by_role("button", name="Publish")).to_have_count(0)
    expect(sam.get_by_role("heading", name="Post an update")).to_be_visible()
    expect(sam.locator("#news")).to_have_text(f"{incident.tag}: published")
    judge(sam)


def test_who_sees_it_too_late_is_refused_and_told_who_was_first(
    chromium: Browser, jordan: Page, office: Office, incident: Incident
) -> None:
    with sitting(chromium, office, "sam", has_scripts=False) as sam:
        sam.goto(office.url + page_of(incident))
        look(jordan, office, page_of(incident))
        jordan.get_by_role("button", name="Publish").click()
        expect(jordan.get_by_role("status")).to_contain_text("is published")
        sam.get_by_role("button", name="Publish").click()
        expect(sam.get_by_role("status")).to_contain_text("already published")
        expect(sam.get_by_role("status")).to_contain_text("Jordan Ray")
    assert phase_of(office.house, incident) is Phase.PUBLISHED


def test_an_update_that_comes_after_the_end_is_kept_whatever_happens_next(
    chromium: Browser, office: Office, incident: Incident
) -> None:
    office.outages.publish(incident, by="jordan")
    jordan = office.house.config.employees["jordan"]
    with sitting(chromium, office, "sam", refused_with=409) as sam:
        look(sam, office, page_of(incident))
        text = sam.locator("#text")
        text.fill("We still look.")
        office.outages.close(incident, by="jordan")
        expect(sam.locator(".meanwhile")).to_contain_text("It was closed, by Jordan Ray")
        with sam.expect_response("**/dashboard/events*"):
            sam.get_by_role("button", name="Post the update").click()
        expect(sam.get_by_role("status")).to_contain_text("was closed by Jordan Ray")
        expect(sam.get_by_role("heading", name="Post a correction")).to_be_visible()
        expect(text).to_have_value("We still look.")
        judge(sam)
        text.blur()
        deciding.post_mortem(office.house, incident.id, jordan, "A disk.", office.clock())
        expect(sam.locator("#part-updates")).to_contain_text("A disk.")
        expect(sam.locator(".meanwhile")).to_contain_text("What you typed is still here")
        expect(text).to_have_value("We still look.")


def test_all_is_there_and_can_be_done_without_javascript(
    chromium: Browser, office: Office, incident: Incident
) -> None:
    with sitting(chromium, office, "sam", has_scripts=False) as page:
        page.goto(f"{office.url}/dashboard")
        expect(page.locator("#part-undecided")).to_contain_text("somebody has to decide")
        expect(page.get_by_text("24 Nov 2026, 13:", exact=False).first).to_contain_text("CET")
        page.get_by_role("link", name=incident.subject).click()
        page.get_by_role("button", name="Discard").click()
        expect(page.get_by_role("status")).to_contain_text("discarded")
        assert not page.locator("#logged-out").is_visible()


def test_the_list_and_its_title_say_at_once_what_waits_for_a_decision(
    jordan: Page, office: Office, request: pytest.FixtureRequest
) -> None:
    look(jordan, office, "/dashboard")
    fired = office.outages.fire(ECHO, subject=request.node.name, message="m")
    expect(jordan.locator("#part-undecided")).to_contain_text(fired.subject)
    expect(jordan).to_have_title(re.compile(r"^\([0-9]+\) Incidents"))
    expect(jordan.locator("#news")).to_contain_text("waiting for a decision")
    judge(jordan)


def test_the_keyboard_goes_on_from_where_it_was(jordan: Page, office: Office, incident: Incident) -> None:
    look(jordan, office, "/dashboard")
    tab_to(jordan, incident.tag)
    newer = office.outages.fire(ECHO, subject="Another", message="m")
    expect(jordan.locator("#part-undecided")).to_contain_text(newer.tag)
    jordan.keyboard.press("Enter")
    jordan.get_by_role("heading", name=incident.subject, level=1).wait_for()


def test_the_keyboard_stays_near_when_what_it_was_on_is_gone(
    jordan: Page, office: Office, incident: Incident
) -> None:
    look(jordan, office, page_of(incident))
    tab_to(jordan, "Publish")
    office.outages.publish(incident)
    expect(jordan.locator("#part-tell")).to_contain_text("Post an update")
    expect(jordan.locator("#latest")).to_be_focused()


def test_what_somebody_types_stays_when_another_acts(
    jordan: Page, office: Office, incident: Incident
) -> None:
    office.outages.publish(incident)
    look(jordan, office, page_of(incident))
    tab_to(jordan, "text")
    jordan.keyboard.type("We found a cab")
    office.outages.close(incident, "It was a cable.")
    expect(jordan.locator(".meanwhile")).to_contain_text("Meanwhile: It was closed, by Sam Lee")
    expect(jordan.locator("#part-head")).to_contain_text("Closed")
    jordan.keyboard.type("le.")
    expect(jordan.get_by_label("get to read")).to_have_value("We found a cable.")
    judge(jordan)
    jordan.get_by_role("link", name="Show it as it is now").click()
    expect(jordan.get_by_role("heading", name="Post an update")).to_have_count(0)


def test_who_edits_an_unpublished_text_learns_that_it_was_published(
    chromium: Browser, office: Office, incident: Incident
) -> None:
    with sitting(chromium, office, "jordan", refused_with=409) as jordan:
        look(jordan, office, f"{page_of(incident)}/words")
        tab_to(jordan, "message")
        jordan.keyboard.press("Control+A")
        jordan.keyboard.type("It is **fast**.")
        office.outages.publish(incident)
        expect(jordan.locator(".meanwhile")).to_contain_text("Meanwhile: It was published, by Sam Lee")
        expect(jordan.locator("#message")).to_have_value("It is **fast**.")
        judge(jordan)
        with jordan.expect_response("**/dashboard/events*"):
            jordan.get_by_role("button", name="Save this version").click()
        expect(jordan.get_by_role("status")).to_contain_text("already published")
        expect(jordan.locator("#message")).to_have_value("It is **fast**.")
        judge(jordan)


def test_nobody_publishes_a_text_that_was_changed_under_his_eyes(
    jordan: Page, office: Office, incident: Incident
) -> None:
    look(jordan, office, page_of(incident))
    sam = office.house.config.employees["sam"]
    deciding.edit(office.house, incident.id, sam, "New", "New words.", office.clock(), text_version=1)
    expect(jordan.locator(".meanwhile")).to_contain_text("It was edited, by Sam Lee")
    jordan.get_by_role("button", name="Publish").click()
    expect(jordan.get_by_role("status")).to_contain_text("was changed since you opened this page")
    assert phase_of(office.house, incident) is Phase.UNPUBLISHED


def test_maintenance_and_the_inbox_keep_themselves_new(jordan: Page, sam: Page, office: Office) -> None:
    look(jordan, office, "/dashboard/maintenance")
    look(sam, office, "/dashboard/inbox")
    office.plan("Exchange of all disks")
    expect(jordan.locator("#part-ahead")).to_contain_text("Exchange of all disks")
    before = sam.locator("#part-rows .line__tag").first.inner_text()
    office.outages.fire(ECHO, subject="s", message="m")
    expect(sam.locator("#part-rows .line__tag").first).not_to_have_text(before)


def test_components_show_at_once_what_bears_on_them(jordan: Page, office: Office) -> None:
    look(jordan, office, "/dashboard/components")
    office.outages.published(ECHO, subject="Rooms cannot be booked", message="m")
    expect(jordan.locator("#part-components")).to_contain_text("Rooms cannot be booked, published")
    judge(jordan)
    look(jordan, office, "/dashboard/components/calendar")
    office.outages.published(ECHO, subject="Meetings are not seen", message="m")
    expect(jordan.locator("#part-beside")).to_contain_text("Meetings are not seen")
    judge(jordan)


def test_monitors_show_at_once_a_name_that_none_of_them_takes(jordan: Page, office: Office) -> None:
    look(jordan, office, "/dashboard/monitors")
    office.outages.fire("Email Sever")
    expect(jordan.locator("#part-unmatched")).to_contain_text("Email Sever")
    expect(jordan.locator("#news")).to_contain_text("that no monitor takes")
    judge(jordan)


def test_a_monitor_shows_at_once_its_last_alert_and_keeps_what_is_typed(jordan: Page, office: Office) -> None:
    look(jordan, office, office.monitor)
    jordan.get_by_label("It recovers after").fill("30m")
    newest = jordan.locator("#part-alerts li").first
    expect(newest).not_to_contain_text("suppressed by maintenance")
    office.outages.fire()
    expect(newest).to_contain_text("suppressed by maintenance")
    expect(jordan.get_by_label("It recovers after")).to_have_value("30m")
    judge(jordan)


def test_deliveries_show_at_once_what_is_queued_and_keep_the_filter(jordan: Page, office: Office) -> None:
    look(jordan, office, "/dashboard/deliveries?kind=approval")
    jordan.get_by_label("Whole address").fill("sam@")
    fired = office.outages.fire(ECHO, subject="s", message="m")
    newest = jordan.locator("#part-found .line").first
    expect(newest).to_contain_text(f"asks to decide, {fired.tag}")
    expect(jordan.get_by_label("Whole address")).to_have_value("sam@")
    expect(jordan.get_by_label("Kind")).to_have_value("approval")
    judge(jordan)


def test_the_audit_shows_at_once_what_somebody_did(jordan: Page, office: Office) -> None:
    look(jordan, office, "/dashboard/audit?act=token_created")
    by = office.house.config.employees["jordan"]
    api_tokens.create(office.house, "of the new machine", [Scope.INCIDENTS_READ], by, office.clock())
    expect(jordan.locator("#part-found .line").first).to_contain_text("of the new machine")
    judge(jordan)


def test_settings_show_at_once_that_the_file_was_changed(jordan: Page, office: Office) -> None:
    look(jordan, office, "/dashboard/settings")
    path = office.house.config.path
    text = path.read_text()
    path.write_text(text.replace("name: Acme Status", "name: Another Status, hide_authors: true"))
    try:
        expect(jordan.locator("#part-file")).to_contain_text("newer than what runs: site")
        judge(jordan)
    finally:
        path.write_text(text)
    expect(jordan.locator("#part-file")).to_be_empty()


def test_who_is_logged_out_elsewhere_is_told_so(
    chromium: Browser, office: Office, request: pytest.FixtureRequest
) -> None:
    sam = office.house.config.employees["sam"]
    key = request.node.name
    logging_in.log_in_by_provider(office.house, sam.email, Arriving(key, "Firefox"), now=office.clock())
    with opened(chromium, *DESK) as page:
        page.context.add_cookies([{"name": SESSION_COOKIE, "value": key, "url": office.url}])
        look(page, office, "/dashboard")
        logging_in.log_out(office.house, key, office.clock())
        page.get_by_role("link", name="Log in again").wait_for()
        judge(page)


@pytest.mark.parametrize(
    ("zone", "locale", "shown", "title"),
    [
        ("America/New_York", "en-US", "Nov 24, 2026, 07:00 AM EST", "2026-11-24T07:00:00-05:00"),
        ("Asia/Kolkata", "en-GB", "24 Nov 2026, 17:30 GMT+5:30", "2026-11-24T17:30:00+05:30"),
        ("Europe/Berlin", "de-DE", "24 Nov 2026, 13:00 CET", "2026-11-24T13:00:00+01:00"),
    ],
)
def test_times_are_the_readers_own(
    zone: str, locale: str, shown: str, title: str, chromium: Browser, office: Office
) -> None:
    with opened(chromium, *DESK, zone=zone, locale=locale) as page:
        office.enter(page)
        for path in ("/dashboard/incidents/2", "/incidents/2"):
            page.goto(office.url + path)
            time = page.locator('time[datetime="2026-11-24T12:00:00+00:00"]').first
            expect(time).to_have_text(shown)
            expect(time).to_have_attribute("title", title)
            expect(page.locator("[data-zone]")).to_have_text(zone.replace("Kolkata", "Calcutta"))


def test_times_that_move_count_down_and_up(jordan: Page, office: Office, incident: Incident) -> None:
    with office.house.store.reading() as connection:
        waiting = incidents.listed(connection, phases=[Phase.WAITING], limit=1)[0]
    jordan.clock.install(time=waiting.started_at)
    jordan.goto(f"{office.url}/dashboard")
    left = jordan.locator("#part-waiting .line", has_text=waiting.tag).locator('time[data-moves="to"]')
    expect(left).to_have_text("in 5 minutes")
    jordan.clock.run_for(200_000)
    expect(left).to_have_text(re.compile(r"in (9[0-9]|100) seconds"))
    jordan.clock.run_for(60_000)
    expect(left).to_have_text(re.compile(r"in [34][0-9] seconds"))
    jordan.emulate_media(reduced_motion="reduce")
    jordan.clock.run_for(1_000)
    expect(left).to_have_text("in less than a minute")
    jordan.clock.run_for(60_000)
    expect(left).to_have_text("any moment")
    asked = jordan.locator('time[data-moves="from"]').first
    expect(asked).to_have_text(re.compile(r"less than a minute ago|[0-9]+ minutes? ago"))
    assert left.evaluate("one => one.closest('[aria-live], [role=status], [role=alert]')") is None


def test_what_lasts_grows(jordan: Page, office: Office) -> None:
    jordan.goto(f"{office.url}/dashboard/components/email")
    lasts = jordan.locator('#part-history time[data-moves="for"]')
    since = datetime.fromisoformat(lasts.get_attribute("datetime") or "")
    jordan.clock.install(time=since + timedelta(seconds=30))
    jordan.reload()
    expect(lasts).to_have_text("under a minute")
    jordan.clock.run_for(60_000)
    expect(lasts).to_have_text("1 minute")
    jordan.clock.fast_forward("03:00:00")
    expect(lasts).to_have_text("3 hours")
    assert datetime.fromisoformat(lasts.get_attribute("title") or "") == since
