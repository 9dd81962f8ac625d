"""RSS beside Atom, and the feeds of single components: what is in which, and by what it is known again."""

from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.actions import maintaining
from service.actions.house import House
from service.model import Component
from service.web.public.component_slugs import slugs
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from service.workflow.maintenance import Plan
from tests.rooms import CONFIG, Clock, make_client, make_front, make_house
from tests.web.outages import ECHO, Outages

ATOM = "{http://www.w3.org/2005/Atom}"


def plan(house: House, clock: Clock, *components: str) -> int:
    """Plan a maintenance for tomorrow."""
    begins = clock() + timedelta(days=1)
    wanted = Plan("Upgrade", "We **upgrade**.", components, begins, begins + timedelta(hours=2))
    return maintaining.plan(house, wanted, house.config.employees["sam"], clock()).maintenance.id


async def read(reader: httpx2.AsyncClient, path: str) -> ET.Element:
    answer = await reader.get(path)
    assert answer.status_code == 200, path
    return ET.fromstring(answer.content)  # noqa: S314  our own feed


async def titles(reader: httpx2.AsyncClient, path: str) -> list[str]:
    feed = await read(reader, path)
    if path.endswith(".atom"):
        return [entry.findtext(f"{ATOM}title", "") for entry in feed.findall(f"{ATOM}entry")]
    return [item.findtext("title", "") for item in feed.findall("channel/item")]


@pytest.mark.anyio
async def test_rss_has_what_readers_need(reader: httpx2.AsyncClient, outages: Outages, clock: Clock) -> None:
    incident = outages.published(ECHO, subject="Slow & <odd> \x07", message="**Look**")
    clock.move(timedelta(minutes=3))
    outages.tell(incident, "News")
    answer = await reader.get("/feed.rss")
    assert answer.headers["content-type"] == "application/rss+xml; charset=utf-8"
    feed = await read(reader, "/feed.rss")
    assert (feed.tag, feed.get("version")) == ("rss", "2.0")
    assert feed.findtext("channel/link") == "http://status.acme.example/"
    assert feed.findtext("channel/description")
    (item,) = feed.findall("channel/item")
    guid = item.find("guid")
    assert guid is not None
    assert (guid.text, guid.get("isPermaLink")) == (
        "tag:status.acme.example,2026:replycast/incidents/1",
        "false",
    )
    assert item.findtext("title") == "Slow & <odd> "
    assert item.findtext("link") == "http://status.acme.example/incidents/1"
    assert item.findtext("pubDate") == "Tue, 24 Nov 2026 12:00:00 GMT"
    assert parsedate_to_datetime(feed.findtext("channel/lastBuildDate", "")) == clock()
    assert "<p>News</p>" in item.findtext("description", "")
    assert "<strong>Look</strong>" in item.findtext("description", "")


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["atom", "rss"])
async def test_a_feed_of_a_component_has_its_own_and_no_other(
    kind: str, reader: httpx2.AsyncClient, outages: Outages, house: House, clock: Clock
) -> None:
    outages.published()
    clock.move(timedelta(minutes=1))
    outages.published(ECHO, subject="Slow", message="x")
    clock.move(timedelta(minutes=1))
    plan(house, clock, "API", "Email")
    assert await titles(reader, f"/feed.{kind}") == ["Upgrade", "Slow", "Email is unavailable"]
    assert await titles(reader, f"/feeds/email.{kind}") == ["Upgrade", "Email is unavailable"]
    assert await titles(reader, f"/feeds/calendar.{kind}") == ["Slow"]
    assert await titles(reader, f"/feeds/api.{kind}") == ["Upgrade"]
    assert (await reader.get(f"/feeds/nothing.{kind}")).status_code == 404


@pytest.mark.anyio
async def test_each_feed_has_an_id_and_a_title_of_its_own(reader: httpx2.AsyncClient) -> None:
    whole, email = await read(reader, "/feed.atom"), await read(reader, "/feeds/email.atom")
    assert email.findtext(f"{ATOM}id") == "tag:status.acme.example,2026:replycast/feeds/email"
    assert whole.findtext(f"{ATOM}id") == "tag:status.acme.example,2026:replycast"
    assert email.findtext(f"{ATOM}title") == "Acme Status: Email"
    links = {link.get("rel"): link.get("href") for link in email.findall(f"{ATOM}link")}
    assert links["self"] == "http://status.acme.example/feeds/email.atom"


@pytest.mark.anyio
async def test_a_maintenance_that_is_called_off_says_so_where_it_stood(
    reader: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    number = plan(house, clock, "API")
    (planned,) = (await read(reader, "/feed.atom")).findall(f"{ATOM}entry")
    assert "<strong>upgrade</strong>" in planned.findtext(f"{ATOM}content", "")
    clock.move(timedelta(minutes=1))
    maintaining.cancel(house, number, house.config.employees["sam"], clock())
    (entry,) = (await read(reader, "/feed.atom")).findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id") == planned.findtext(f"{ATOM}id")
    assert entry.findtext(f"{ATOM}updated") == "2026-11-24T12:01:00+00:00"
    assert "<strong>Cancelled</strong>" in entry.findtext(f"{ATOM}content", "")


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/feed.atom", "/feed.rss", "/feeds/email.rss"])
async def test_any_site_may_read_feeds(path: str, reader: httpx2.AsyncClient) -> None:
    assert (await reader.get(path)).headers["access-control-allow-origin"] == "*"


@pytest.mark.anyio
async def test_names_that_look_the_same_have_feeds_of_their_own(tmp_path: Path, clock: Clock) -> None:
    named = CONFIG.replace("{name: Calendar,", '{name: "E-MAIL!"}\n  - {name: 邮件}\n  - {name: Calendar,')
    house = make_house(tmp_path, named)
    async with make_client(make_front(house, clock), PUBLIC_ROUTES) as reader:
        for slug in slugs(house.config.components).values():
            assert await titles(reader, f"/feeds/{slug}.atom") == []
    house.store.close()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Email"], ["email"]),
        (["Übermittlung & Ablage"], ["ubermittlung-ablage"]),
        (["API v2 (EU)"], ["api-v2-eu"]),
        (["Email", "e-mail", "EMAIL"], ["email", "e-mail", "email-72d90af3"]),
        (["../../etc/passwd"], ["etc-passwd"]),
        (["x" * 200], ["x" * 60]),
        (["邮件"], ["component-3d708e8e"]),
    ],
)
def test_a_slug_is_plain(names: list[str], expected: list[str]) -> None:
    assert list(slugs(Component(name) for name in names).items()) == list(zip(names, expected, strict=True))


@given(st.lists(st.text(min_size=1, max_size=20), unique=True, max_size=8), st.text(min_size=1, max_size=20))
def test_slugs_are_unique_fit_for_an_address_and_stay_when_one_is_added(names: list[str], more: str) -> None:
    found = slugs(Component(name) for name in names)
    assert len(set(found.values())) == len(names)
    assert all(set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and slug for slug in found.values())
    if more not in found:
        assert found.items() <= slugs(Component(name) for name in [*names, more]).items()
