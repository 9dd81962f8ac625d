"""Employees see what became of each delivery; addresses of subscribers are for admins."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from service.actions.house import House
from service.model import DeliveryKind
from service.store import deliveries, progress
from service.store.columns import metadata
from service.store.schema import updates
from tests.rooms import Clock
from tests.store.rows import a_mail, add_incident, add_subscriber, add_update, delivery_again, queued
from tests.web.employees import Enter

pytestmark = pytest.mark.anyio
HERE = "/dashboard/deliveries"
ADA = "ana@reader.example"


def one_of_each(house: House, clock: Clock) -> tuple[int, int]:
    """Queue a mail to Sam that waits, and one to a subscriber that failed; gives their ids."""
    with house.store.transaction() as connection:
        incident = add_incident(connection)
        update_id = add_update(connection, incident)
        ana = add_subscriber(connection, "ana")
        to_sam = a_mail("sam", kind=DeliveryKind.APPROVAL, employee_id="sam", recipient="sam@acme.example")
        to_ana = a_mail(
            "ana",
            kind=DeliveryKind.SUBSCRIBER_UPDATE,
            recipient=ADA,
            incident_id=incident.id,
            update_id=update_id,
            subscriber_id=ana.id,
        )
        waiting, lost = queued(connection, to_sam, to_ana, at=clock())
        deliveries.mark_failed(connection, lost.id, clock(), f"550 <{ADA}>: ana unknown")
    return waiting.id, lost.id


async def test_an_admin_sees_to_whom_and_why_not(enter: Enter, house: House, clock: Clock) -> None:
    one_of_each(house, clock)
    async with enter("jordan") as browser:
        page = (await browser.get(f"{HERE}?state=lost")).text
    assert ADA in page
    assert f"550 &lt;{ADA}&gt;: ana unknown" in page
    assert "Try again" in page
    assert "Sam Lee" not in page.partition("<main")[2]


async def test_what_waits_longest_says_so_and_grows(enter: Enter, house: House, clock: Clock) -> None:
    one_of_each(house, clock)
    stamp = clock().isoformat(timespec="seconds")
    clock.move(timedelta(minutes=3))
    async with enter("vera") as browser:
        page = (await browser.get(HERE)).text
    time = f'<time datetime="{stamp}" title="{stamp}" data-moves="for">3 min</time>'
    assert f"the oldest for {time}" in page


async def test_where_nothing_is_found_all_is_a_step_away(enter: Enter, house: House) -> None:
    async with enter("vera") as browser:
        with house.store.transaction() as connection:
            connection.execute(metadata.tables["deliveries"].delete())
        searched = (await browser.get(f"{HERE}?state=lost")).text
        empty = (await browser.get(HERE)).text
    assert 'None is found by that. <a href="/dashboard/deliveries">Show all</a>' in searched
    assert "Show all" not in empty
    assert "Each mail that asks an employee to decide" in empty


@pytest.mark.parametrize("who", ["sam", "vera"])
async def test_others_read_addresses_shortened(enter: Enter, house: House, clock: Clock, who: str) -> None:
    one_of_each(house, clock)
    async with enter(who) as browser:
        page = (await browser.get(HERE)).text
        searched = (await browser.get(HERE, params={"address": ADA})).text
    assert "a…@reader.example" in page
    assert "Sam Lee" in page
    for text in (page, searched.replace(f'value="{ADA}"', "")):
        assert "ana@" not in text
        assert "ana unknown" not in text
    assert "Try again" not in page
    assert "Only admins may look" in searched


async def test_a_search_finds_by_address_incident_and_kind(enter: Enter, house: House, clock: Clock) -> None:
    one_of_each(house, clock)
    searches = {
        f"address={ADA}": {"ana"},
        "address=SAM@acme.example": {"sam"},
        "address=nobody@x.example": set(),
        "incident=inc-1": {"ana"},
        "incident=x&kind=approval": {"sam"},
        "to=subscribers": {"ana"},
        "state=due&to=person&kind=approval": {"sam"},
        "after=nonsense&state=nonsense&kind=approval": {"sam"},
        "after=1_nonsense&state=due&kind=approval": {"sam"},
        "kind=alarm": set(),
    }
    async with enter("jordan") as browser:
        for search, wanted in searches.items():
            answer = await browser.get(f"{HERE}?{search}")
            lines = answer.text.partition("Filter</button>")[2]
            assert {name for name, mark in {"ana": ADA, "sam": "Sam Lee"}.items() if mark in lines} == wanted


async def test_pages_follow_each_other(enter: Enter, house: House, clock: Clock) -> None:
    with house.store.transaction() as connection:
        mails = [a_mail(f"{number}", recipient=f"n{number}@acme.example") for number in range(60)]
        queued(connection, *mails, at=clock())
    async with enter("jordan") as browser:
        for state in ("", "due"):
            first = (await browser.get(f"{HERE}?state={state}&to=person")).text
            address = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
            second = (await browser.get(address)).text
            found = [page.count('class="line__subject"') for page in (first, second)]
            assert found[0] == 50
            assert found[1] == 11  # with the mail that let Jordan in


async def test_an_admin_tries_again_and_gives_up(enter: Enter, house: House, clock: Clock) -> None:
    waiting, lost = one_of_each(house, clock)
    async with enter("jordan") as browser:
        said = await browser.post(f"{HERE}/{lost}/again", follow_redirects=True)
        assert "It is tried again" in said.text
        said = await browser.post(f"{HERE}/{waiting}/give-up", follow_redirects=True)
        assert "was given up" in said.text
        refused = await browser.post(f"{HERE}/{waiting}/give-up")
    assert (refused.status_code, "does not wait any more" in refused.text) == (403, True)
    with house.store.reading() as connection:
        done = progress.latest(connection, limit=1)[0].progress
    assert (done.waiting, done.failed) == (1, 0)


async def test_nobody_else_does(enter: Enter, house: House, clock: Clock) -> None:
    waiting, lost = one_of_each(house, clock)
    async with enter("sam") as browser:
        answers = [await browser.post(f"{HERE}/{path}") for path in (f"{lost}/again", f"{waiting}/give-up")]
    assert [one.status_code for one in answers] == [403, 403]
    with house.store.reading() as connection:
        mail = deliveries.get_by_public_id(connection, a_mail("sam").public_id)
        assert mail is not None
        assert delivery_again(connection, mail).due_at == clock()


@pytest.mark.parametrize(
    ("sent", "waiting", "ago", "told"),
    [
        (1_500, 500, 1, "At this rate done in under a minute."),
        (1_500, 1, 30, "What waits is on its way, or tried again later."),
        (1, 1, 1, "What waits is on its way, or tried again later."),
        (20, 20, 10, "At this rate done in 1 min."),
    ],
)
async def test_how_long_an_update_takes_is_told_only_while_it_goes_on(
    enter: Enter, house: House, clock: Clock, sent: int, waiting: int, ago: int, told: str
) -> None:
    with house.store.transaction() as connection:
        update_id = add_update(connection, add_incident(connection))
        began = update(updates).values(fan_out_began_at=clock(), recipients=sent + waiting)
        connection.execute(began)
        at = clock() + timedelta(minutes=1) - timedelta(seconds=ago)
        progress.count(connection, update_id, queued=sent + waiting, sent=sent, at=at)
    async with enter("vera") as browser:
        clock.move(timedelta(minutes=1))
        assert told in (await browser.get(HERE)).text


async def test_a_fan_out_under_way_shows_how_far_it_is(enter: Enter, house: House, clock: Clock) -> None:
    with house.store.transaction() as connection:
        update_id = add_update(connection, add_incident(connection))
        progress.count(connection, update_id, queued=2_000, sent=1_500, failed=3, at=clock())
    async with enter("vera") as browser:
        page = (await browser.get(HERE)).text
        incident = (await browser.get("/dashboard/incidents/1")).text
    assert "1,500 of 2,000 sent" in page
    assert "497 waiting" in page
    assert "incident=1&amp;state=lost" in incident
    assert "1,500" in incident.partition('id="deliveries"')[2]
