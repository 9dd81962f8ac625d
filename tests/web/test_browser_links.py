"""The link in a mail that asks to decide, in a real Chromium: by keyboard alone, on each screen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from service.model import Incident, Phase
from tests.web.employees import act_links, login_links, phase_of
from tests.web.judging import judge, judge_whole
from tests.web.keyboard import enter, press
from tests.web.office import TEXT, Office, opened_office
from tests.web.outages import BOTH, BOTH_MONITOR, ECHO

pytestmark = pytest.mark.chromium

MAIL = """\
mail:
  from: Acme Status <status@acme.example>
  smtp: {host: 127.0.0.1}
  authenticity: {policy: require, authserv_id: mx.acme.example}
"""
"""With it, holding a link is no proof of being the one whom it was sent to."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Serve a house in which some incidents need the approval of two."""
    with opened_office(tmp_path_factory.mktemp("links"), TEXT + BOTH_MONITOR + MAIL) as served:
        yield served


@pytest.fixture
def asked(office: Office, request: pytest.FixtureRequest) -> Incident:
    """Let Jordan be asked to decide about an incident."""
    return office.outages.fire(ECHO, subject=request.node.name, message="It is **slow**.")


@pytest.mark.orders("POST /act/{token}", "POST /login/{token}")
def test_whoever_is_logged_out_logs_in_by_mail_and_publishes_where_the_link_led(
    page: Page, office: Office, asked: Incident
) -> None:
    link = office.url + act_links(office.house)[-1]
    page.goto(link)
    page.get_by_role("heading", name="What 2 subscribers by mail would read").wait_for()
    judge_whole(page)
    press(page, "Send me a log-in link")
    page.get_by_role("heading", name="Look in your mail").wait_for()
    judge(page)
    page.goto(office.url + login_links(office.house)[-1])
    page.get_by_role("heading", name="Log in to Acme Status").wait_for()
    enter(page)
    page.get_by_role("heading", name=asked.subject).first.wait_for()
    assert page.url == link
    assert phase_of(office.house, asked) is Phase.UNPUBLISHED, "so far it was only looked at"
    judge(page)
    press(page, "Publish")
    page.get_by_role("status").filter(has_text=f"{asked.tag} is published").wait_for()
    judge_whole(page)
    assert phase_of(office.house, asked) is Phase.PUBLISHED


@pytest.mark.orders("POST /act/{token}")
def test_it_is_discarded(sheet: Page, office: Office, asked: Incident) -> None:
    sheet.goto(office.url + act_links(office.house)[-1])
    press(sheet, "Discard")
    sheet.get_by_role("status").filter(has_text=f"{asked.tag} is discarded").wait_for()
    judge(sheet)
    assert phase_of(office.house, asked) is Phase.DISCARDED


@pytest.mark.orders("POST /act/{token}")
def test_a_link_is_used_once_and_then_says_so(sheet: Page, office: Office, screen: str) -> None:
    incident = office.outages.fire(BOTH, subject=f"For two, by {screen}", message="m")
    link = office.url + act_links(office.house)[-1]
    sheet.goto(link)
    press(sheet, "Publish")
    sheet.get_by_role("status").filter(has_text="1 more is needed before it is published").wait_for()
    judge(sheet)
    sheet.goto(link)
    sheet.get_by_role("alert").filter(has_text="this link was used before").wait_for()
    assert sheet.get_by_role("button").count() == 0
    judge_whole(sheet)
    assert phase_of(office.house, incident) is Phase.UNPUBLISHED


def test_somebody_elses_link_shows_what_it_is_about_and_leads_to_the_dashboard(
    page: Page, office: Office, asked: Incident
) -> None:
    office.enter(page, "sam")
    page.goto(office.url + act_links(office.house)[-1])
    page.get_by_role("alert").filter(has_text="only Jordan Ray can decide with it").wait_for()
    assert page.get_by_role("button").count() == 0
    judge_whole(page)
    press(page, "Decide as Sam Lee on the dashboard")
    page.get_by_role("heading", name=asked.subject, level=1).wait_for()
