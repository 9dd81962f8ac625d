"""The employees' pages on a phone: the list is seen at once, and each target is large enough for a thumb."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.chromium import SCREENS, fits, opened
from tests.web.office import Office

pytestmark = pytest.mark.chromium

PHONE, DESK = (390, 844), SCREENS["desktop"]
THUMB = 44
SEARCHES = {
    "/dashboard/inbox": "Search",
    "/dashboard/inbox?q=Email&state=done": "Search: Email, done",
    "/dashboard/deliveries": "Filter",
    "/dashboard/deliveries?state=due&to=person": "Filter: due, to one person",
}
"""Pages with a search, and what its folded row says."""
PAGES = (
    "/dashboard",
    "/dashboard/incidents/1",
    "/dashboard/incidents/3/words",
    "/dashboard/open",
    "/dashboard/maintenance",
    "/dashboard/maintenance/1",
    "/dashboard/components",
    "/dashboard/components/email",
    "/dashboard/monitors",
    "/dashboard/simulate",
    "/dashboard/subscribers",
    "/dashboard/subscribers/1",
    "/dashboard/subscribers/add",
    "/dashboard/inbox",
    "/dashboard/inbox/1",
    "/dashboard/deliveries?state=due",
    "/dashboard/settings",
    "/dashboard/sessions",
    "/dashboard/tokens",
    "/dashboard/audit",
)
TARGETS = (
    "button, summary, select, a.button, a.back, nav a, footer a, .figures a,"
    " input:not([type=hidden], [type=checkbox])"
)
"""What is pressed by itself; links within a sentence are as high as their line."""


@pytest.fixture
def phone(chromium: Browser, office: Office) -> Iterator[Page]:
    """Open an admin's phone."""
    with opened(chromium, *PHONE) as page:
        office.enter(page)
        yield page


@pytest.mark.parametrize("path", SEARCHES)
def test_a_search_takes_one_row_that_says_what_is_looked_for(path: str, phone: Page, office: Office) -> None:
    phone.goto(office.url + path)
    row = phone.locator(".fold > summary")
    expect(row).to_have_text(SEARCHES[path])
    first = phone.locator(".line").first.bounding_box()
    assert first is not None
    assert first["y"] + first["height"] < PHONE[1], "the first of the list is seen whole"
    form = phone.get_by_role("search")
    expect(form).to_have_count(0)
    row.focus()
    phone.keyboard.press("Enter")
    expect(form.get_by_role("button")).to_be_visible()
    assert fits(phone)


@pytest.mark.parametrize("path", SEARCHES)
def test_on_a_desk_the_search_is_open_without_being_asked(
    path: str, chromium: Browser, office: Office
) -> None:
    with opened(chromium, *DESK) as page:
        office.enter(page)
        page.goto(office.url + path)
        expect(page.get_by_role("search").get_by_role("button")).to_be_visible()
        expect(page.locator(".fold > summary")).to_be_hidden()


def test_the_inbox_says_how_it_is_ordered_and_where_it_was_looked(phone: Page, office: Office) -> None:
    phone.goto(f"{office.url}/dashboard/inbox?q=Email")
    expect(phone.get_by_text("newest first. Looked for among the newest 5,000")).to_be_visible()


@pytest.mark.parametrize("path", PAGES)
def test_each_target_is_large_enough_for_a_thumb(path: str, phone: Page, office: Office) -> None:
    phone.goto(office.url + path)
    phone.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    targets = [one for one in phone.locator(TARGETS).all() if one.is_visible()]
    assert len(targets) > 10
    boxes = [(one.inner_text() or one.get_attribute("id"), one.bounding_box()) for one in targets]
    assert not [box for box in boxes if box[1] is None or min(box[1]["width"], box[1]["height"]) < THUMB]
