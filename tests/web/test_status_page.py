"""What the public sees of incidents, and above all what it does not see."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from service.actions.house import House
from service.model import Incident, UpdateStatus
from service.web.front import Front
from service.web.public import freshness
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from service.web.public.status_page import MONTH_PAGE
from service.web.public.view import DAYS_OF_HISTORY, MOST_CURRENT, MOST_RECENT
from tests.rooms import CONFIG, Clock, make_client, make_front, make_house
from tests.web.outages import ECHO, Outages

pytestmark = pytest.mark.anyio

SECRET_SUBJECT = "Zanzibar is on fire"
MISSING = "There is no published incident at this address."


def waiting(outages: Outages) -> Incident:
    return outages.fire(ECHO, subject=SECRET_SUBJECT, message=SECRET_SUBJECT)


def unpublished(outages: Outages) -> Incident:
    incident = waiting(outages)
    outages.wait(incident, timedelta(0))
    return incident


def discarded(outages: Outages) -> Incident:
    incident = unpublished(outages)
    outages.discard(incident)
    return incident


HIDDEN = pytest.mark.parametrize("happen", [waiting, unpublished, discarded])
PATHS = [
    "/",
    "/history",
    "/history?month=2026-11",
    "/feed.atom",
    "/subscribe",
    "/incidents/1",
    "/maintenance/1",
    "/feed.rss",
    "/feeds/email.atom",
    "/feeds/email.rss",
    "/calendar.ics",
    "/badge.svg",
    "/badge/email.svg",
    "/embed",
    "/widget.js",
    "/api/v2/summary.json",
    "/api/v2/status.json",
    "/api/v2/components.json",
    "/api/v2/incidents.json",
    "/api/v2/incidents/unresolved.json",
    "/api/v2/scheduled-maintenances.json",
    "/api/v2/scheduled-maintenances/upcoming.json",
    "/api/v2/scheduled-maintenances/active.json",
]
TELLS_A_VERSION = "/events"
"""It ends only when its reader leaves, and is looked at in test_live.py."""
OWN_SCRIPTS = tuple(f'<script src="/static/{name}.js" defer></script>' for name in ("live", "times"))


def without_our_script(page: str) -> str:
    """Take the scripts away that a page may have, each once."""
    for script in OWN_SCRIPTS:
        page = page.replace(script, "", 1)
    return page


@HIDDEN
@pytest.mark.parametrize("path", PATHS)
async def test_an_unpublished_incident_is_nowhere(
    happen: Callable[[Outages], Incident], path: str, reader: httpx2.AsyncClient, outages: Outages
) -> None:
    before = await reader.get(path)
    incident = happen(outages)
    assert incident.id == 1
    after = await reader.get(path)
    assert (after.status_code, after.text, after.headers) == (before.status_code, before.text, before.headers)
    assert "Zanzibar" not in after.text


@HIDDEN
async def test_an_unpublished_incident_beside_a_published_one_is_nowhere(
    happen: Callable[[Outages], Incident], reader: httpx2.AsyncClient, outages: Outages
) -> None:
    incident = happen(outages)
    outages.published()
    pages = [(await reader.get(path)).text for path in ("/", "/history", "/feed.atom", "/incidents/2")]
    assert all("Email is unavailable" in text for text in pages)
    assert not any("Zanzibar" in text or f"/incidents/{incident.id}" in text for text in pages)


@HIDDEN
async def test_an_unpublished_incident_is_missing_just_like_one_that_never_was(
    happen: Callable[[Outages], Incident], reader: httpx2.AsyncClient, outages: Outages
) -> None:
    incident = happen(outages)
    there = await reader.get(f"/incidents/{incident.id}")
    never = await reader.get("/incidents/4711")
    assert (there.status_code, there.text, there.headers) == (404, never.text, never.headers)


def test_every_public_route_is_looked_at() -> None:
    routes = [route for route in PUBLIC_ROUTES if "{token}" not in route.path]
    asked = {path.partition("?")[0] for path in PATHS}
    looked_at = {(route.path, path) for route in routes for path in asked if route.path_regex.match(path)}
    assert {route.path for route in routes} - {TELLS_A_VERSION} == {route for route, _ in looked_at}
    assert {path for _, path in looked_at} == asked


async def test_all_is_well_on_a_quiet_day(reader: httpx2.AsyncClient) -> None:
    page = (await reader.get("/")).text
    assert "<h1>All systems operational</h1>" in page
    assert page.count("No incidents reported.") == DAYS_OF_HISTORY
    assert "Mail of all customers" in page
    assert page.index("Office") < page.index("Platform")


async def test_a_published_incident_is_on_the_page_at_once(
    reader: httpx2.AsyncClient, outages: Outages
) -> None:
    outages.published()
    page = (await reader.get("/")).text
    assert "<h1>Major outage: Email</h1>" in page
    assert "Service unavailable" in page
    assert "We are looking into <strong>Email Server</strong>." in page
    assert "24 Nov 2026, 13:00 CET" in page
    assert "No incidents reported." not in page


async def test_a_recovered_incident_is_still_current(
    reader: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    outages.published(ECHO, subject="Slow", message="Slow")
    outages.recover(ECHO)
    assert "Degraded performance: Calendar" in (await reader.get("/")).text


async def test_a_closed_incident_moves_into_the_history(
    reader: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    incident = outages.published()
    clock.move(timedelta(minutes=12))
    outages.close(incident)
    page = (await reader.get("/")).text
    assert "All systems operational" in page
    assert "Resolved" in page
    assert "13:12 CET" in page
    assert "Email works again." in (await reader.get("/incidents/1")).text


async def test_updates_stand_newest_first(reader: httpx2.AsyncClient, outages: Outages, clock: Clock) -> None:
    incident = outages.published()
    for status in (UpdateStatus.IDENTIFIED, UpdateStatus.MONITORING):
        clock.move(timedelta(minutes=1))
        outages.tell(incident, "News", status)
    for path in ("/", "/incidents/1", "/feed.atom"):
        text = (await reader.get(path)).text
        assert 0 < text.index("Monitoring") < text.index("Identified") < text.index("Investigating")


@pytest.mark.parametrize("path", ["/", "/incidents/1", "/history", "/feed.atom"])
async def test_nothing_that_an_alert_says_becomes_markup(
    path: str, reader: httpx2.AsyncClient, outages: Outages
) -> None:
    bad = '<script>alert("1")</script><img src=x onerror=alert(1)> ![](http://x.example/a.png)'
    outages.published(ECHO, subject=bad, message=f"{bad} [here](javascript:alert(1))")
    text = (await reader.get(path)).text
    assert "alert(" in text
    assert "<script" not in without_our_script(text)
    assert "<img src=x" not in text
    assert text.count("<img") <= 1  # the site's own icon
    assert 'href="javascript:' not in text
    assert "&lt;script&gt;" in text or "&amp;lt;script&amp;gt;" in text


async def test_markdown_is_rendered(reader: httpx2.AsyncClient, outages: Outages) -> None:
    outages.tell(outages.published(), "**bold** and [a link](https://x.example/)")
    page = (await reader.get("/incidents/1")).text
    assert "<strong>bold</strong>" in page
    assert 'href="https://x.example/"' in page


@pytest.mark.parametrize("path", ["/", "/incidents/1", "/feed.atom"])
async def test_authors_are_named(path: str, reader: httpx2.AsyncClient, outages: Outages) -> None:
    outages.published()
    text = (await reader.get(path)).text
    assert "Jordan Ray" in text
    assert "Sam Lee" in text


@pytest.mark.parametrize("path", ["/", "/incidents/1", "/history", "/feed.atom"])
async def test_authors_are_hidden_where_the_site_wants_it(path: str, tmp_path: Path, clock: Clock) -> None:
    config = CONFIG.replace("timezone:", "hide_authors: true, timezone:")
    house = make_house(tmp_path, config)
    Outages(house, clock).published()
    async with make_client(make_front(house, clock), PUBLIC_ROUTES) as reader:
        text = (await reader.get(path)).text
    house.store.close()
    assert "Email is unavailable" in text
    assert not any(name in text for name in ("Jordan", "Sam", "jordan", "sam@"))


@pytest.mark.parametrize("path", ["/", "/incidents/1", "/feed.atom"])
async def test_a_rule_that_published_has_no_name(path: str, tmp_path: Path, clock: Clock) -> None:
    house = make_house(tmp_path, CONFIG.replace("auto_publish: false", "auto_publish: true"))
    outages = Outages(house, clock)
    outages.wait(outages.fire())
    async with make_client(make_front(house, clock), PUBLIC_ROUTES) as reader:
        text = (await reader.get(path)).text
    house.store.close()
    assert "Jordan Ray" in text
    assert "automatic" not in text


async def test_whoever_is_no_longer_an_employee_is_not_named(
    house: House, clock: Clock, outages: Outages
) -> None:
    outages.published()
    alone = {"vera": house.config.employees["vera"]}
    front = make_front(replace(house, config=replace(house.config, employees=alone)), clock)
    async with make_client(front, PUBLIC_ROUTES) as reader:
        text = (await reader.get("/incidents/1")).text
    assert not {"jordan", "sam"} & set(re.findall(r"\w+", text.lower()))


@pytest.mark.parametrize(
    "number", ["0", "-1", "01", "1.0", "x", "٣", "9" * 12, "9" * 5000, "1%00", "1%20", "INC-1"]
)
async def test_a_number_that_is_none_is_not_found(
    number: str, reader: httpx2.AsyncClient, outages: Outages
) -> None:
    outages.published()
    answer = await reader.get(f"/incidents/{number}")
    assert answer.status_code == 404
    assert MISSING in answer.text


@pytest.mark.parametrize("query", ["month=2026-13", "month=2027-01", "month=1", "month=", "page=0", "page=2"])
async def test_a_history_that_cannot_be_is_not_found(query: str, reader: httpx2.AsyncClient) -> None:
    assert (await reader.get(f"/history?{query}")).status_code == 404


async def test_the_history_goes_back_month_by_month(
    reader: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    outages.close(outages.published())
    clock.move(timedelta(days=68))
    assert "Email is unavailable" not in (await reader.get("/")).text
    newest = (await reader.get("/history")).text
    assert "No incidents reported." in newest
    assert "February" not in newest
    assert "/history?month=2026-12" in newest
    assert "/history?month=2026-11" in (await reader.get("/history?month=2026-12")).text
    oldest = (await reader.get("/history?month=2026-11")).text
    assert "Email is unavailable" in oldest
    assert "2026-10" not in oldest
    assert (await reader.get("/history?month=2026-10")).status_code == 404


async def test_days_and_months_are_those_of_the_sites_clock(
    reader: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    clock.now = clock.now.replace(month=11, day=30, hour=23, minute=30)
    outages.published()
    assert "1 December 2026" in (await reader.get("/")).text
    assert "Email is unavailable" in (await reader.get("/history?month=2026-12")).text


async def test_a_busy_month_comes_in_pages(reader: httpx2.AsyncClient, outages: Outages) -> None:
    for number in range(MONTH_PAGE + 1):
        outages.published(ECHO, subject=f"Trouble {number}.", message="x")
    first, second = [(await reader.get(f"/history?page={page}")).text for page in (1, 2)]
    assert "page=2" in first
    assert "Trouble 0." not in first
    assert "Trouble 0." in second
    assert "page=3" not in second
    assert "Trouble 1." not in second


async def test_a_storm_of_incidents_is_counted_and_not_shown_in_full(
    reader: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    for _ in range(MOST_RECENT + 1):
        outages.published(ECHO, subject="Trouble", message="Body of it")
    clock.move(timedelta(days=1))
    page = (await reader.get("/")).text
    assert page.count("Body of it") == MOST_CURRENT
    assert f"And {MOST_RECENT + 1 - MOST_CURRENT} more" in page
    assert (
        page.count("No incidents reported.") == 1
    )  # the day that was not read whole is not claimed as quiet


@pytest.mark.parametrize("path", ["/", "/history", "/incidents/1", "/feed.atom", "/subscribe"])
async def test_whoever_has_the_newest_page_gets_304(
    path: str, reader: httpx2.AsyncClient, outages: Outages
) -> None:
    incident = outages.published()
    first = await reader.get(path)
    assert first.headers["cache-control"].startswith("public, max-age=")
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = await reader.get(path, headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    outages.tell(incident, "News")
    if path in {"/", "/incidents/1", "/feed.atom"}:
        news = await reader.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (news.status_code, "News" in news.text) == (200, True)


@pytest.mark.parametrize("path", [*PATHS, "/incidents/4711"])
async def test_every_page_comes_guarded(path: str, reader: httpx2.AsyncClient) -> None:
    answer = await reader.get(path)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert "style=" not in answer.text
    assert "<script" not in without_our_script(answer.text)
    assert "<style" not in answer.text


@pytest.mark.parametrize("path", PATHS)
async def test_head_says_what_get_would(path: str, reader: httpx2.AsyncClient, outages: Outages) -> None:
    outages.published()
    got, head = await reader.get(path), await reader.head(path)
    assert (head.status_code, head.headers) == (got.status_code, got.headers)


async def test_the_page_of_what_is_missing_shows_no_more_than_that(reader: httpx2.AsyncClient) -> None:
    answer = await reader.get("/nowhere")
    assert answer.status_code == 404
    assert "Not found" in answer.text


async def test_a_crowd_of_readers_is_answered_without_rendering_again(
    reader: httpx2.AsyncClient, outages: Outages, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = outages.published()
    paths = ["/", "/incidents/1", "/feed.atom"]
    first = [(await reader.get(path)).text for path in paths]
    with monkeypatch.context() as patch:
        patch.setattr(front.pages, "get_template", None)
        assert [(await reader.get(path)).text for path in paths] == first
    outages.tell(incident, "Big news")
    for path in paths:
        assert "Big news" in (await reader.get(path)).text


async def test_what_is_kept_grows_old_without_news(
    reader: httpx2.AsyncClient, outages: Outages, clock: Clock
) -> None:
    outages.published()
    assert "24 November 2026" in (await reader.get("/")).text
    clock.move(timedelta(days=30))
    assert "24 November 2026" not in (await reader.get("/")).text


async def test_only_so_many_pages_are_kept(
    reader: httpx2.AsyncClient, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "MOST_KEPT", 2)
    for number in range(1, 6):
        outages.published(ECHO, subject=f"Trouble {number}.", message="x")
    for _ in range(2):
        for number in range(1, 6):
            assert f"Trouble {number}." in (await reader.get(f"/incidents/{number}")).text
