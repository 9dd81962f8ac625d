"""Components, deliveries and settings in a real Chromium: nothing for axe to find, and all of it by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from service.model import DeliveryKind
from service.store import deliveries, progress
from tests.store.rows import a_mail, delivery_again, queued
from tests.web.chromium import fits
from tests.web.judging import judge_whole
from tests.web.keyboard import press, told
from tests.web.office import TEXT, Office, opened_office

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
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Serve a house with a look of its own, in which mails were lost and an update is under way."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "logo.svg").write_text(SVG)
    with opened_office(folder, TEXT.replace("site: {", LOOK, 1)) as served:
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


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wrong_with_any_page(name: str, sheet: Page, office: Office) -> None:
    answer = sheet.goto(office.url + PAGES[name])
    assert answer is not None
    assert answer.status == 200
    judge_whole(sheet)


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


@pytest.mark.orders("POST /dashboard/deliveries/{id}/again")
def test_a_lost_mail_is_tried_again(sheet: Page, office: Office, screen: str) -> None:
    with office.house.store.transaction() as connection:
        mail = a_mail(screen, kind=DeliveryKind.APPROVAL, employee_id="vera")
        (lost,) = queued(connection, mail, at=office.clock())
        deliveries.mark_failed(connection, lost.id, office.clock(), "550 vera is unknown")
    sheet.goto(f"{office.url}/dashboard/deliveries?state=lost")
    press(sheet, "Try again")
    told(sheet, "It is tried again.")
    with office.house.store.reading() as connection:
        assert delivery_again(connection, lost).due_at == office.clock()


@pytest.mark.orders("POST /dashboard/deliveries/{id}/give-up")
def test_a_mail_that_waits_is_given_up(sheet: Page, office: Office, screen: str) -> None:
    with office.house.store.transaction() as connection:
        mail = a_mail(f"given up by {screen}", kind=DeliveryKind.REMINDER, employee_id="vera")
        (waiting,) = queued(connection, mail, at=office.clock())
    sheet.goto(f"{office.url}/dashboard/deliveries?state=due&kind=reminder")
    press(sheet, "Give up")
    told(sheet, "It was given up")
    with office.house.store.reading() as connection:
        assert delivery_again(connection, waiting).due_at is None
