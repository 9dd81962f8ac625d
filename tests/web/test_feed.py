"""Whether feed readers understand the feed, and how little it changes between their visits."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx2
import pytest

from service.actions.house import House
from service.actions.recording_states import record_at_start
from service.model import ComponentState
from service.store import component_states
from service.store.component_states import StateChange
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import CONFIG, Clock, make_client, make_front, make_house
from tests.web.outages import ECHO, Outages

pytestmark = pytest.mark.anyio

ATOM = "{http://www.w3.org/2005/Atom}"


async def read(reader: httpx2.AsyncClient) -> ET.Element:
    answer = await reader.get("/feed.atom")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/atom+xml")
    return ET.fromstring(answer.content)  # noqa: S314  our own feed


def text(element: ET.Element, name: str) -> str:
    return element.findtext(f"{ATOM}{name}", "")


def check_required(element: ET.Element) -> None:
    """Check what RFC 4287, sections 4.1.1 and 4.1.2, demands of a feed and of an entry alike."""
    for name in ("id", "title", "updated"):
        assert len(element.findall(f"{ATOM}{name}")) == 1
        assert text(element, name).strip()
    assert datetime.fromisoformat(text(element, "updated")).tzinfo is not None


async def test_the_feed_of_a_quiet_site_is_valid_and_never_changes(
    reader: httpx2.AsyncClient, clock: Clock
) -> None:
    feed = await read(reader)
    check_required(feed)
    assert feed.findall(f"{ATOM}entry") == []
    clock.move(timedelta(days=400))
    assert ET.tostring(await read(reader)) == ET.tostring(feed)


async def test_a_feed_without_entries_is_as_old_as_the_installation(
    reader: httpx2.AsyncClient, house: House, clock: Clock
) -> None:
    with house.store.transaction() as connection:
        record_at_start(connection, house.config, clock())
    first = await reader.get("/feed.atom")
    clock.move(timedelta(days=400))
    with house.store.transaction() as connection:  # it is started again, and a component has come in between
        component_states.append(connection, [StateChange("New", ComponentState.OPERATIONAL, clock())])
    again = await reader.get("/feed.atom")
    assert text(ET.fromstring(again.content), "updated") == "2026-11-24T12:00:00+00:00"  # noqa: S314  our own feed
    assert again.content == first.content
    assert again.headers["last-modified"] == first.headers["last-modified"] == "Tue, 24 Nov 2026 12:00:00 GMT"


async def test_not_even_a_feed_of_an_installation_without_components_is_of_1970(
    reader: httpx2.AsyncClient,
) -> None:
    assert text(await read(reader), "updated") == "2026-01-01T00:00:00+00:00"


async def test_a_feed_has_what_the_rfc_demands(reader: httpx2.AsyncClient, outages: Outages) -> None:
    incident = outages.published()
    outages.published(ECHO, subject="Slow & <odd>", message="x")
    outages.close(incident)
    feed = await read(reader)
    check_required(feed)
    assert text(feed, "title") == "Acme Status"
    assert feed.find(f"{ATOM}author/{ATOM}name") is not None
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links == {
        "self": "http://status.acme.example/feed.atom",
        "alternate": "http://status.acme.example/",
    }
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:
        check_required(entry)
        assert entry.find(f"{ATOM}content").get("type") == "html"  # type: ignore[union-attr]  # must be there
    assert {text(entry, "title") for entry in entries} == {"Email is unavailable", "Slow & <odd>"}
    assert len({text(entry, "id") for entry in entries}) == 2


async def test_an_entry_holds_its_updates_as_html(
    reader: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    incident = outages.published()
    clock.move(timedelta(minutes=3))
    outages.tell(incident, "A disk is **full**.")
    (entry,) = (await read(reader)).findall(f"{ATOM}entry")
    content = text(entry, "content")
    assert "<p>A disk is <strong>full</strong>.</p>" in content
    assert "<p>We are looking into <strong>Email Server</strong>.</p>" in content
    assert "Email (major outage)" in content
    assert text(entry, "published") == "2026-11-24T12:00:00+00:00"
    assert text(entry, "updated") == "2026-11-24T12:03:00+00:00"


async def test_an_id_stays_the_same_for_ever_and_through_https(tmp_path: Path, clock: Clock) -> None:
    ids = set()
    for number, url in enumerate(("http://status.acme.example:8080", "https://status.acme.example")):
        folder = tmp_path / str(number)
        folder.mkdir()
        house = make_house(folder, CONFIG.replace("http://status.acme.example", url))
        Outages(house, clock).published()
        async with make_client(make_front(house, clock), PUBLIC_ROUTES) as reader:
            (entry,) = (await read(reader)).findall(f"{ATOM}entry")
        ids.add(text(entry, "id"))
        house.store.close()
    assert ids == {"tag:status.acme.example,2026:replycast/incidents/1"}


async def test_the_last_updated_comes_first(
    reader: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    first = outages.published()
    clock.move(timedelta(minutes=1))
    outages.published(ECHO, subject="Second", message="x")
    clock.move(timedelta(minutes=1))
    outages.tell(first, "News")
    feed = await read(reader)
    titles = [text(entry, "title") for entry in feed.findall(f"{ATOM}entry")]
    assert titles == ["Email is unavailable", "Second"]
    assert text(feed, "updated") == "2026-11-24T12:02:00+00:00"


async def test_characters_that_xml_cannot_hold_do_not_break_the_feed(
    reader: httpx2.AsyncClient, outages: Outages
) -> None:
    outages.published(ECHO, subject="bell\x07 escape\x1b \ufffe ]]> &amp; 🚨", message="form\x0cfeed")
    (entry,) = (await read(reader)).findall(f"{ATOM}entry")
    assert text(entry, "title") == "bell escape  ]]> &amp; 🚨"


async def test_a_reader_that_knows_only_the_time_gets_304_until_there_is_news(
    reader: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    incident = outages.published()
    first = await reader.get("/feed.atom")
    known = {"if-modified-since": first.headers["last-modified"]}
    assert parsedate_to_datetime(first.headers["last-modified"]) == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert (await reader.get("/feed.atom", headers=known)).status_code == 304
    clock.move(timedelta(seconds=1))
    outages.tell(incident, "News")
    assert (await reader.get("/feed.atom", headers=known)).status_code == 200


@pytest.mark.parametrize("since", ["yesterday", "", "Tue, 24 Nov 2026 12:00:00", "\x00", "9" * 400])
async def test_a_time_that_is_none_is_ignored(
    since: str, reader: httpx2.AsyncClient, outages: Outages
) -> None:
    outages.published()
    answer = await reader.get("/feed.atom", headers={"if-modified-since": since})
    assert answer.status_code == 200


async def test_the_tag_counts_more_than_the_time(reader: httpx2.AsyncClient, outages: Outages) -> None:
    outages.published()
    later = format_datetime(datetime(2027, 1, 1, tzinfo=UTC), usegmt=True)
    headers = {"if-none-match": '"older"', "if-modified-since": later}
    assert (await reader.get("/feed.atom", headers=headers)).status_code == 200
