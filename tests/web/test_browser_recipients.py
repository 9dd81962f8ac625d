"""How many would read an unpublished incident, kept new on its page while the number changes, in a real Chromium."""

import pytest
from playwright.sync_api import Page, expect

from service.actions import subscriber_admin
from tests.store.rows import add_subscriber
from tests.web.employees import page_of
from tests.web.judging import judge
from tests.web.office import Office
from tests.web.outages import ECHO

pytestmark = pytest.mark.chromium


def test_the_number_of_readers_beside_publish_follows_who_subscribes_and_leaves(
    jordan: Page, office: Office
) -> None:
    incident = office.outages.fire(ECHO, subject="Calendars are slow", message="We look into it.")
    button = jordan.get_by_role("button", name="Publish")
    with jordan.expect_response("**/dashboard/events*"):
        jordan.goto(office.url + page_of(incident))
    expect(button).to_have_text("Publish to 2 subscribers by mail")
    with office.house.store.transaction() as connection:
        eve = add_subscriber(connection, "eve")
    expect(button).to_have_text("Publish to 3 subscribers by mail")
    expect(jordan.locator("#part-beside")).to_contain_text("3 subscribers by mail")
    judge(jordan)
    admin = office.house.config.employees["jordan"]
    subscriber_admin.remove(office.house, eve.id, admin, office.clock())
    expect(button).to_have_text("Publish to 2 subscribers by mail")
