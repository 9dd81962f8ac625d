"""Components, deliveries and settings in a real Chromium: nothing for axe to find, and all of it by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from service.model import DeliveryKind
from service.store import deliveries, progress
from tests.store.rows import a_mail, delivery_again, queued
from tests.web import office as offices
from tests.web.chromium import fits, opened, started, tab_to
from tests.web.office import Office, opened_office
from tests.web.test_browser_rooms import judge
from tests.web.test_browser_status import SCREENS

pytestmark = pytest.mark.chromium

LOOK = 'site: {colours: {brand: "#0a6b4f"}, logo: logo.svg, '
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"><rect width="90" height="30"/></svg>'
PAGES = {
    "components": "/dashboard/components",
    "a component": "/dashboard/components/calendar",
    "deliveries": "/dashboard/deliveries",
    "what was lost": "/dashboard/deliveries?state=lost",
    "what is due": "/dashboard/deliveries?state=due",
    "nothing found": "/dashboard/deliveries?address=nobody@reader.example",
    "settings": "/dashboard/settings",
    "groups": "/dashboard/subscribers/1",
    "an incident": "/dashboard/incidents/3",
    "the public's": "/",
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Serve a house with a look of its own, in which mails were lost and an update is under way."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "logo.svg").write_text(SVG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offices, "TEXT", offices.TEXT.replace("site: {", LOOK, 1))
        with opened_office(folder) as served:
            _lose(served)
            yield served


def _lose(office: Office) -> None:
    now = office.clock()
    mails = (
        a_mail("lost", kind=DeliveryKind.APPROVAL, employee_id="sam", recipient="sam@acme.example"),
        a_mail("back", kind=DeliveryKind.SUBSCRIBER_CONFIRM, recipient=f"{'long' * 40}@reader.example"),
        a_mail("again", kind=DeliveryKind.ALARM, employee_id="jordan"),
    )
    with office.house.store.transaction() as connection:
        lost, back, again = queued(connection, *mails, at=now)
        deliveries.mark_failed(connection, lost.id, now, "550 5.1.1 no such user here")
        deliveries.mark_sent(connection, back.id, now)
        deliveries.mark_bounced(connection, back.id, now, f"552 {'mailboxfull' * 30}")
        deliveries.postpone(connection, again.id, now.replace(year=2027), "450 busy")
        latest = progress.latest(connection, limit=1)[0].update_id
        progress.count(connection, latest, queued=90, sent=40, failed=2, at=now)


@pytest.fixture(params=SCREENS)
def sheet(chromium: Browser, office: Office, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open an empty page of an admin; whatever the browser complains of, its policy included, fails the test."""
    with opened(chromium, *SCREENS[request.param]) as page:
        office.enter(page)
        yield page


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wrong_with_any_page(name: str, sheet: Page, office: Office) -> None:
    answer = sheet.goto(office.url + PAGES[name])
    assert answer is not None
    assert answer.status == 200
    judge(sheet)


def test_the_brand_is_seen(sheet: Page, office: Office) -> None:
    sheet.goto(f"{office.url}/dashboard/components")
    colour = "getComputedStyle(document.querySelector('main a')).color"
    logo = "document.querySelector('.site-name img').getBoundingClientRect().width"
    sheet.emulate_media(color_scheme="light")
    assert fits(sheet)
    assert sheet.evaluate(colour) == "rgb(10, 107, 79)"
    assert sheet.evaluate(logo) == pytest.approx(96, abs=1)  # three times as wide as it is high
    sheet.emulate_media(color_scheme="dark")
    assert sheet.evaluate(colour) != "rgb(10, 107, 79)"


def test_a_lost_mail_is_tried_again_by_keyboard(sheet: Page, office: Office) -> None:
    with office.house.store.transaction() as connection:
        mail = a_mail(repr(sheet.viewport_size), kind=DeliveryKind.APPROVAL, employee_id="vera")
        (lost,) = queued(connection, mail, at=office.clock())
        deliveries.mark_failed(connection, lost.id, office.clock(), "550 vera is unknown")
    sheet.goto(f"{office.url}/dashboard/deliveries?state=lost")
    tab_to(sheet, "Try again")
    sheet.keyboard.press("Enter")
    sheet.get_by_text("It is tried again.").wait_for()
    with office.house.store.reading() as connection:
        assert delivery_again(connection, lost).due_at == office.clock()


def test_groups_are_saved_by_keyboard(sheet: Page, office: Office) -> None:
    sheet.goto(f"{office.url}/dashboard/subscribers/2")
    tab_to(sheet, "groups")
    sheet.keyboard.press("Control+a")
    sheet.keyboard.type("Partners; Gold")
    sheet.keyboard.press("Enter")
    sheet.get_by_text("Its groups are saved.").wait_for()
    assert sheet.get_by_label("Groups").input_value() == "Gold; Partners"
