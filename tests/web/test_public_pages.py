"""Pages that are ready before anybody asks: always as new as the database, and never rendered for nothing."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import httpx2
import pytest
from sqlalchemy import Connection, text

from service.actions.house import House
from service.errors import StoreUnavailable
from service.model import Incident
from service.store.database import Store, open_store
from service.web.application import build
from service.web.front import Front
from service.web.public import pages as public_pages
from service.web.public.pages import PublicPages, render_all
from service.web.public.prepared import Rendering
from service.web.public.renderers import RENDERERS
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import Clock
from tests.web.outages import Outages
from tests.web.test_status_page import HIDDEN

pytestmark = pytest.mark.anyio

SECOND = timedelta(seconds=1)


class Counted:
    """A renderer of one page that counts how often it was asked."""

    def __init__(self) -> None:
        self.times = 0
        self.body = b"first"

    def __call__(self, _connection: Connection, _front: Front, _now: datetime) -> dict[str, Rendering]:
        """Render."""
        self.times += 1
        return {"/": Rendering(self.body, version=self.body.decode())}


@pytest.fixture
def counted() -> Counted:
    """Give a renderer."""
    return Counted()


@pytest.fixture
def pages(front: Front, counted: Counted) -> PublicPages:
    """Give pages with that renderer alone."""
    return PublicPages(front, [counted], {})


@pytest.fixture
def application(front: Front) -> Callable[[], PublicPages]:
    """Give the pages of a whole application."""
    return lambda: build(front, PUBLIC_ROUTES).state.public_pages


@contextmanager
def unreadable(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the database refuse to be read."""

    def refuse() -> None:
        raise StoreUnavailable("the database cannot be used just now: gone")

    with monkeypatch.context() as patch:
        patch.setattr(store, "reading", refuse)
        yield


async def bodies(pages: PublicPages) -> dict[str, bytes]:
    await pages.refresh()
    return {path: one.rendering.body for path, one in pages.prepared.items()}


@HIDDEN
async def test_an_unpublished_incident_is_in_none_of_the_pages(
    happen: Callable[[Outages], Incident],
    application: Callable[[], PublicPages],
    outages: Outages,
    clock: Clock,
) -> None:
    pages = application()
    quiet = await bodies(pages)
    happen(outages)
    now = clock.now
    clock.now = Clock().now
    assert await bodies(pages) == quiet
    assert await bodies(application()) == quiet
    clock.now = now + timedelta(minutes=6)  # rendered anew for its age alone
    assert not any(b"Zanzibar" in body or b"incidents/1" in body for body in (await bodies(pages)).values())


async def test_every_path_is_rendered_for_whoever_wants_files(
    front: Front, outages: Outages, clock: Clock
) -> None:
    outages.published()
    with front.house.store.reading() as connection:
        found = render_all(RENDERERS, connection, front, clock())
    assert {"/", "/incidents/1"} <= set(found)
    assert b"Email is unavailable" in found["/"].body


async def test_a_commit_of_this_process_shows_at_once(
    pages: PublicPages, counted: Counted, outages: Outages
) -> None:
    await pages.refresh()
    assert pages.is_fresh()
    counted.body = b"second"
    outages.published()
    assert not pages.is_fresh()
    await pages.refresh()
    assert pages.version == "second"


async def test_a_commit_that_the_public_does_not_see_renders_nothing(
    pages: PublicPages, counted: Counted, outages: Outages
) -> None:
    await pages.refresh()
    outages.fire()
    assert not pages.is_fresh()
    await pages.refresh()
    assert (counted.times, pages.is_fresh()) == (1, True)


async def test_what_another_process_commits_shows_after_a_second(
    pages: PublicPages, counted: Counted, house: House, clock: Clock
) -> None:
    await pages.refresh()
    other = open_store(str(house.store.engine.url))
    with other.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO component_states (component, state, since) VALUES ('x', 'operational', '2026-11-24')"
            )
        )
    other.close()
    assert pages.is_fresh()
    clock.move(SECOND)
    assert not pages.is_fresh()
    await pages.refresh()
    assert counted.times == 2


@pytest.mark.parametrize(("span", "times"), [(SECOND, 1), (timedelta(minutes=5), 2)])
async def test_pages_grow_old(
    span: timedelta, times: int, pages: PublicPages, counted: Counted, clock: Clock
) -> None:
    await pages.refresh()
    clock.move(span)
    await pages.refresh()
    assert counted.times == times


async def test_midnight_by_the_sites_clock_is_news(
    pages: PublicPages, counted: Counted, clock: Clock
) -> None:
    clock.now = clock.now.replace(hour=22, minute=59, second=59)
    await pages.refresh()
    clock.move(SECOND)
    await pages.refresh()
    assert counted.times == 2


async def test_a_clock_that_goes_back_does_not_stop_the_pages(pages: PublicPages, clock: Clock) -> None:
    await pages.refresh()
    clock.move(-timedelta(hours=1))
    assert not pages.is_fresh()


async def test_many_who_ask_at_once_share_one_look(pages: PublicPages, counted: Counted) -> None:
    await asyncio.gather(*(pages.refresh() for _ in range(50)))
    assert counted.times == 1


async def test_one_who_leaves_takes_nobody_elses_answer_away(pages: PublicPages, counted: Counted) -> None:
    first, second = asyncio.create_task(pages.refresh()), asyncio.create_task(pages.refresh())
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert (counted.times, pages.version) == (1, "first")


async def test_a_look_that_began_before_a_commit_is_not_enough(
    pages: PublicPages, counted: Counted, outages: Outages
) -> None:
    looking = asyncio.create_task(pages.refresh())
    await asyncio.sleep(0)  # it has begun
    counted.body = b"second"
    outages.published()
    await pages.refresh()
    await looking
    assert pages.version == "second"


async def test_bytes_that_stayed_the_same_are_not_swapped(pages: PublicPages, clock: Clock) -> None:
    await pages.refresh()
    before = pages.prepared["/"]
    clock.move(timedelta(minutes=5))
    await pages.refresh()
    assert pages.prepared["/"] is before


async def test_the_page_outlives_its_database(
    reader: httpx2.AsyncClient, outages: Outages, house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    outages.published()
    known = await reader.get("/")
    with unreadable(house.store, monkeypatch):
        clock.move(timedelta(hours=1))
        assert (await reader.get("/")).text == known.text
    clock.move(SECOND)
    outages.recover()
    assert "All systems operational" in (await reader.get("/")).text


async def test_a_database_that_does_not_answer_keeps_nobody_waiting(
    reader: httpx2.AsyncClient, front: Front, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = (await reader.get("/")).text
    monkeypatch.setattr(public_pages, "PATIENCE", 0.01)
    release = asyncio.Event()

    async def hang(*_given: object, **_named: object) -> None:
        await release.wait()

    monkeypatch.setattr("anyio.to_thread.run_sync", hang)
    clock.move(timedelta(hours=1))
    assert (await reader.get("/")).text == known
    release.set()


async def test_without_a_database_there_is_no_first_page(
    reader: httpx2.AsyncClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unreadable(house.store, monkeypatch):
        answer = await reader.get("/")
    assert answer.status_code == 503
    assert "Try again in a moment" in answer.text
    assert (await reader.get("/")).status_code == 200


async def test_the_page_of_an_incident_is_ready_while_it_goes_on(
    reader: httpx2.AsyncClient, outages: Outages, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = outages.published()
    await reader.get("/")
    with monkeypatch.context() as patch:
        patch.setattr(front.house.store, "reading", None)
        assert "We are looking into" in (await reader.get("/incidents/1")).text
    outages.close(incident)
    assert "Resolved" in (await reader.get("/incidents/1")).text


@pytest.mark.parametrize("path", ["/", "/incidents/1"])
async def test_the_fast_path_is_as_guarded_as_all_else(
    path: str, reader: httpx2.AsyncClient, outages: Outages
) -> None:
    outages.published()
    await reader.get("/")
    ready, other = await reader.get(path), await reader.get("/history")
    guards = {"content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy"}
    assert {name: ready.headers[name] for name in guards} == {name: other.headers[name] for name in guards}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_a_page_is_only_read(method: str, reader: httpx2.AsyncClient) -> None:
    await reader.get("/")
    assert (await reader.request(method, "/")).status_code == 405


async def test_what_follows_the_question_mark_does_not_matter(reader: httpx2.AsyncClient) -> None:
    assert (await reader.get("/?utm_source=mail")).headers["etag"] == (await reader.get("/")).headers["etag"]
