"""Admins add one subscriber by hand and change what one hears of; what was wrong is said and left to mend."""

import html
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from service.actions.house import House
from service.calls.signing import signing_key
from service.model import Channel, DeliveryKind, Subscriber, SubscriberState
from service.store import audit, deliveries, subscriber_lists, subscribers
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.store.rows import add_subscriber
from tests.web.employees import Enter, employee_at

pytestmark = pytest.mark.anyio
HERE = "/dashboard/subscribers"
ADD = f"{HERE}/add"
ANA = "ana@reader.example"
EMAIL, API = {"component:Email": "1"}, {"component:API": "1"}


def everyone(house: House) -> list[Subscriber]:
    with house.store.reading() as connection:
        return list(subscriber_lists.search(connection, limit=9))


def acts(house: House) -> list[tuple[str, str, str]]:
    with house.store.reading() as connection:
        found = audit.listed(connection, limit=9)
    return [(one.act, one.about, one.note) for one in found if one.act.startswith("subscriber_")]


async def test_an_address_that_agreed_is_subscribed(enter: Enter, house: House) -> None:
    async with enter("jordan") as browser:
        assert 'href="/dashboard/subscribers/add"' in (await browser.get(HERE)).text
        data = {"address": f" {ANA} ", "have_agreed": "1", "groups": "Gold; Staff\nGold"} | EMAIL
        page = await browser.post(ADD, data=data, follow_redirects=True)
    assert "It is subscribed." in page.text
    [ana] = everyone(house)
    assert (ana.address, ana.state) == (ANA, SubscriberState.CONFIRMED)
    assert (ana.components, ana.groups) == (("Email",), ("Gold", "Staff"))
    assert acts(house) == [("subscriber_added", "a…@reader.example", "agreed elsewhere")]


async def test_any_other_is_asked_first(enter: Enter, house: House, clock: Clock) -> None:
    async with enter("jordan") as browser:
        page = await browser.post(ADD, data={"address": ANA}, follow_redirects=True)
    assert "A mail asks the address to confirm" in page.text
    [ana] = everyone(house)
    assert (ana.state, ana.components) == (SubscriberState.PENDING, None)
    with house.store.transaction() as connection:
        mails = deliveries.claim_due(connection, clock(), urgent=True, lease=timedelta(days=1), limit=9)
    assert [one.recipient for one in mails if one.kind is DeliveryKind.SUBSCRIBER_CONFIRM] == [ANA]


@pytest.mark.parametrize(("named", "channel"), [("", Channel.SLACK), ("webhook", Channel.WEBHOOK)])
async def test_a_webhook_is_told_in_the_form_that_it_wants(
    enter: Enter, house: House, named: str, channel: Channel
) -> None:
    data = {"address": "https://hooks.slack.com/services/x", "channel": named}
    async with enter("jordan") as browser:
        page = await browser.post(ADD, data=data, follow_redirects=True)
    [hook] = everyone(house)
    assert (hook.channel, hook.state) == (channel, SubscriberState.CONFIRMED)
    assert (signing_key(house.key, hook.public_id) in page.text) == (channel is Channel.WEBHOOK)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"address": "ana"}, "This is not an e-mail address: "),
        ({"address": ""}, "This is not an e-mail address: "),
        ({"address": "áná@reader.example"}, "We cannot write to this address: "),
        ({"address": "ftp://x"}, "This URL must begin with https://"),
        ({"address": "http://127.0.0.1/x"}, "This URL is at an address of our own network"),
        ({"address": ANA, "groups": "x" * 201}, "is one line of at most 200 characters"),
        ({"address": ANA, "groups": ";".join(map(str, range(60)))}, "too many groups"),
        ({"address": ANA, "groups": "a\x07b"}, "is one line of at most 200 characters"),
    ],
)
async def test_what_cannot_be_taken_is_said_and_left_to_mend(
    enter: Enter, house: House, typed: dict[str, str], said: str
) -> None:
    async with enter("jordan") as browser:
        answer = await browser.post(ADD, data=typed | EMAIL | {"have_agreed": "1"})
    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert "Nobody was added yet" in answer.text
    assert f'value="{typed["address"]}"' in answer.text
    assert answer.text.count(" checked") == 2
    assert everyone(house) == []


async def test_whoever_is_known_is_shown_and_not_changed(enter: Enter, house: House) -> None:
    with house.store.transaction() as connection:
        ana = add_subscriber(connection, "ana")
    before = everyone(house)
    async with enter("jordan") as browser:
        answer = await browser.post(ADD, data={"address": ANA, "groups": "Gold"} | API)
        again = await browser.post(ADD, data={"address": ANA, "have_agreed": "1"})
    assert answer.status_code == again.status_code == 422
    assert f"{ANA} is subscribed already" in answer.text
    assert f'<a href="{HERE}/{ana.id}">Show it</a>' in answer.text
    assert everyone(house) == before


@pytest.fixture
def ana(house: House) -> Subscriber:
    """Let Ana hear of one component, as one of the staff."""
    with house.store.transaction() as connection:
        added = add_subscriber(connection, "ana")
        subscribers.choose(connection, added.id, components=["Email"], groups=["Staff"])
    return added


async def test_choices_are_saved_and_noted(enter: Enter, house: House, ana: Subscriber) -> None:
    async with enter("jordan") as browser:
        before = (await browser.get(f"{HERE}/{ana.id}")).text
        data = {"groups": " Gold ;Very   important;; Gold\nStaff"}
        page = (await browser.post(f"{HERE}/{ana.id}/choices", data=data, follow_redirects=True)).text
    assert 'name="component:Email" value="1" checked' in before
    assert "Its choices are saved." in page
    assert 'value="Gold; Staff; Very important"' in page
    assert " checked" not in page
    [now] = everyone(house)
    assert (now.components, now.groups) == (None, ("Gold", "Staff", "Very important"))
    told = "all components; groups: Gold, Very important, Staff"
    assert acts(house) == [("subscriber_changed", "a…@reader.example", told)]


async def test_a_form_that_is_sent_as_it_came_changes_nothing(
    enter: Enter, house: House, ana: Subscriber
) -> None:
    before = everyone(house)
    async with enter("jordan") as browser:
        await browser.post(f"{HERE}/{ana.id}/choices", data={"groups": "Staff"} | EMAIL)
    assert (everyone(house), acts(house)) == (before, [])


async def test_a_component_that_config_yaml_lost_stays_chosen_until_it_is_unticked(
    tmp_path: Path, clock: Clock
) -> None:
    house = make_house(tmp_path / "other", CONFIG)
    with house.store.transaction() as connection:
        ben = add_subscriber(connection, "ben")
        subscribers.choose(connection, ben.id, components=["Telex"], groups=[])
    async with employee_at(make_front(house, clock), clock, "jordan") as browser:
        page = (await browser.get(f"{HERE}/{ben.id}")).text
        assert 'name="component:Telex" value="1" checked' in page
        assert "no longer in config.yaml" in page
        await browser.post(f"{HERE}/{ben.id}/choices", data={"component:Telex": "1"} | EMAIL)
        assert everyone(house)[0].components == ("Email", "Telex")
        await browser.post(f"{HERE}/{ben.id}/choices", data=EMAIL)
        assert everyone(house)[0].components == ("Email",)
        assert "Telex" not in (await browser.get(f"{HERE}/{ben.id}")).text
    house.store.close()


async def test_groups_that_cannot_be_kept_are_said_and_left_to_mend(
    enter: Enter, house: House, ana: Subscriber
) -> None:
    typed = "x" * 201
    async with enter("jordan") as browser:
        answer = await browser.post(f"{HERE}/{ana.id}/choices", data={"groups": typed})
    assert answer.status_code == 422
    assert "group" in answer.text.partition('id="groups-problem"')[2]
    assert typed in answer.text
    assert everyone(house)[0].groups == ("Staff",)


async def refused(browser: httpx2.AsyncClient, ana: Subscriber) -> None:
    for path, data in (
        (ADD, {"address": "x@y.example"}),
        (f"{HERE}/{ana.id}/choices", {"groups": "x" * 999}),
    ):
        answer = await browser.post(path, data=data)
        assert answer.status_code == 403
        assert "ana@" not in answer.text
    assert (await browser.get(ADD)).status_code == 403


@pytest.mark.parametrize("whose", ["sam", "vera"])
async def test_others_may_not(enter: Enter, house: House, ana: Subscriber, whose: str) -> None:
    before = everyone(house)
    async with enter(whose) as browser:
        await refused(browser, ana)
    assert everyone(house) == before


@pytest.mark.parametrize("path", [ADD, f"{HERE}/1/choices"])
async def test_another_sites_form_is_refused(enter: Enter, house: House, ana: Subscriber, path: str) -> None:
    before = everyone(house)
    async with enter("jordan") as browser:
        headers = {"sec-fetch-site": "cross-site"}
        answer = await browser.post(path, data={"address": "x@y.example", "groups": "x"}, headers=headers)
    assert (answer.status_code, everyone(house)) == (403, before)


async def test_nobody_there_is_not_found(enter: Enter) -> None:
    async with enter("jordan") as browser:
        assert (await browser.post(f"{HERE}/99/choices", data={"groups": "x"})).status_code == 404


async def test_a_component_that_was_renamed_is_told_where_it_was_chosen(enter: Enter, house: House) -> None:
    with house.store.transaction() as connection:
        ana = add_subscriber(connection, "ana")
        subscribers.choose(connection, ana.id, components=["Fax"], groups=())
    async with enter("jordan") as browser:
        own = (await browser.get(f"{HERE}/{ana.id}")).text
        every = (await browser.get(HERE)).text
        settings = html.unescape((await browser.get("/dashboard/settings")).text)
    async with enter("vera") as viewer:
        theirs = (await viewer.get("/dashboard/settings")).text
    assert "<dt>Hears of</dt><dd>All components" in own
    assert (
        "It chose Fax, which config.yaml names no longer; whoever chose nothing else hears of everything."
        in own
    )
    assert "<span>All components</span>" in every
    assert "1 subscriber chose <code>Fax</code>, which is no component" in settings
    assert "is no component" not in theirs
