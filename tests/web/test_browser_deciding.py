"""Deciding about incidents in a real Chromium: each order by keyboard alone, on each screen, with its answer."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from service.model import Incident, Phase
from tests.web.employees import page_of, phase_of
from tests.web.judging import judge
from tests.web.keyboard import choose, enter, press, tab_to, tick, told, write
from tests.web.office import TEXT, Office, opened_office
from tests.web.outages import BOTH, BOTH_MONITOR, ECHO

pytestmark = pytest.mark.chromium


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Serve a house in which some incidents need the approval of two."""
    with opened_office(tmp_path_factory.mktemp("deciding"), TEXT + BOTH_MONITOR) as served:
        yield served


@pytest.fixture
def undecided(office: Office, request: pytest.FixtureRequest) -> Incident:
    """Give an incident that waits for a decision."""
    return office.outages.fire(ECHO, subject=request.node.name, message="It is **slow**.")


@pytest.fixture
def public(office: Office, undecided: Incident) -> Incident:
    """Let it be published."""
    office.outages.publish(undecided)
    return undecided


@pytest.mark.orders("POST /dashboard/incidents/{id}/publish")
def test_an_incident_is_found_in_the_list_and_published(
    sheet: Page, office: Office, undecided: Incident
) -> None:
    sheet.goto(f"{office.url}/dashboard")
    press(sheet, undecided.tag)
    sheet.get_by_role("heading", name=undecided.subject, level=1).wait_for()
    judge(sheet)
    press(sheet, "Publish to ")
    told(sheet, f"{undecided.tag} is published")
    assert phase_of(office.house, undecided) is Phase.PUBLISHED


@pytest.mark.orders("POST /dashboard/incidents/{id}/publish")
def test_an_order_is_not_given_again_by_loading_its_answer_anew(
    sheet: Page, office: Office, undecided: Incident
) -> None:
    sheet.goto(office.url + page_of(undecided))
    press(sheet, "Publish to ")
    told(sheet, "is published")
    posted: list[str] = []
    sheet.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    sheet.reload()
    sheet.get_by_role("heading", name="Post an update").wait_for()
    assert posted == []


@pytest.mark.orders("POST /dashboard/incidents/{id}/discard")
def test_an_incident_is_discarded(sheet: Page, office: Office, undecided: Incident) -> None:
    sheet.goto(office.url + page_of(undecided))
    press(sheet, "Discard")
    told(sheet, f"{undecided.tag} is discarded; nothing was sent to subscribers.")
    expect(sheet.get_by_role("heading", name="What nobody has read")).to_be_visible()
    assert phase_of(office.house, undecided) is Phase.DISCARDED


@pytest.mark.orders("POST /dashboard/incidents/{id}/hold")
def test_an_incident_is_held(sheet: Page, office: Office, undecided: Incident) -> None:
    sheet.goto(office.url + page_of(undecided))
    tab_to(sheet, "Decide later")
    sheet.keyboard.press("Enter")
    tab_to(sheet, "span")
    sheet.keyboard.press("ArrowDown")
    judge(sheet)
    press(sheet, "Hold")
    told(sheet, f"{undecided.tag} is held until ")
    expect(sheet.locator("#part-head")).to_contain_text("nothing happens by itself before")
    assert phase_of(office.house, undecided) is Phase.UNPUBLISHED


@pytest.mark.orders("POST /dashboard/incidents/{id}/update")
def test_an_update_is_posted_and_an_empty_one_is_not(sheet: Page, office: Office, public: Incident) -> None:
    sheet.goto(office.url + page_of(public))
    tab_to(sheet, "Post the update")
    sheet.keyboard.press("Enter")
    assert sheet.evaluate("document.activeElement.id") == "text", "the browser asks for a text"
    sheet.keyboard.type("It works **again**.")
    choose(sheet, "Status", "Monitoring")
    press(sheet, "Post the update")
    told(sheet, f"The update of {public.tag} is posted")
    expect(sheet.locator("#part-updates li").first).to_contain_text("Monitoring")
    expect(sheet.locator("strong", has_text="again")).to_be_visible()


@pytest.mark.orders("POST /dashboard/incidents/{id}/close")
def test_an_incident_is_closed_with_a_comment(sheet: Page, office: Office, public: Incident) -> None:
    sheet.goto(office.url + page_of(public))
    write(sheet, "comment", "It was **a cable**.")
    press(sheet, "Close the incident")
    told(sheet, f"{public.tag} is closed, and those who heard of it are being told.")
    expect(sheet.locator("#part-updates li").first).to_contain_text("It was a cable.")
    assert phase_of(office.house, public) is Phase.CLOSED


@pytest.mark.orders("POST /dashboard/incidents/{id}/close")
def test_without_a_comment_the_readers_get_the_one_that_is_shown(
    sheet: Page, office: Office, public: Incident
) -> None:
    sheet.goto(office.url + page_of(public))
    shown = sheet.locator("#comment").get_attribute("placeholder") or ""
    press(sheet, "Close the incident")
    told(sheet, "is closed")
    expect(sheet.locator("#part-updates li").first).to_contain_text(shown)


@pytest.mark.orders("POST /dashboard/incidents/{id}/post-mortem")
def test_a_post_mortem_is_posted_and_sent_to_nobody(sheet: Page, office: Office, public: Incident) -> None:
    office.outages.close(public)
    sheet.goto(office.url + page_of(public))
    write(sheet, "why", "A cable broke.\n\n- Its twin was in **the same duct**.")
    tick(sheet, "Send it to those who heard")  # which is ticked
    press(sheet, "Post the post-mortem")
    told(sheet, f"The post-mortem of {public.tag} is posted on the status page.")
    newest = sheet.locator("#part-updates li").first
    expect(newest).to_contain_text("Post-mortem")
    expect(newest.locator("strong", has_text="the same duct")).to_be_visible()
    expect(newest).to_contain_text("no subscriber was told")
    sheet.goto(f"{office.url}/incidents/{public.id}")
    judge(sheet)


@pytest.mark.orders("POST /dashboard/incidents/{id}/publish")
def test_two_approve_and_each_sees_what_the_other_did(
    sheet: Page, sam: Page, office: Office, screen: str
) -> None:
    incident = office.outages.fire(BOTH, subject=f"For two, by {screen}", message="m")
    for page in (sheet, sam):
        with page.expect_response("**/dashboard/events*"):
            page.goto(office.url + page_of(incident))
    expect(sheet.locator("#part-decide")).to_contain_text("2 employees have to approve it.")
    press(sheet, "Approve")
    told(sheet, f"Your approval of {incident.tag} is noted; 1 more is needed before it is published.")
    expect(sheet.get_by_role("button", name="Approve")).to_have_count(0)
    expect(sheet.get_by_role("button", name="Publish")).to_have_count(0)
    assert phase_of(office.house, incident) is Phase.UNPUBLISHED
    expect(sam.locator("#part-decide")).to_contain_text("Approved by Jordan Ray; 1 more is needed.")
    tab_to(sam, "Publish")
    enter(sam)
    told(sam, f"{incident.tag} is published")
    expect(sheet.locator("#part-tell")).to_contain_text("Post an update")
    judge(sheet)
    assert phase_of(office.house, incident) is Phase.PUBLISHED
