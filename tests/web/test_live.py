"""/events: whoever watches hears of a change, and of nothing else; a stop ends it."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import httpx2
import pytest

from service.web.application import build
from service.web.front import Front
from service.web.public import live
from service.web.public.pages import PublicPages
from service.web.public.renderers import RENDERERS
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.web.outages import Outages
from tests.web.serving import served

pytestmark = pytest.mark.anyio

PATIENCE = 10.0


@pytest.fixture
def pages(front: Front) -> PublicPages:
    """Give the pages as they are, apart from any application."""
    return PublicPages(front, RENDERERS, {})


async def following(versions: AsyncGenerator[str]) -> str:
    return await asyncio.wait_for(anext(versions), PATIENCE)


def shown_version(pages: PublicPages) -> str:
    found = re.search(rb'data-version="([0-9a-f]{16})"', pages.prepared["/"].rendering.body)
    assert found is not None
    return found[1].decode()


async def test_the_version_is_told_first_and_then_each_change(pages: PublicPages, outages: Outages) -> None:
    await pages.refresh()
    async with aclosing(pages.watch(heartbeat=PATIENCE)) as versions:
        first = await following(versions)
        assert first == pages.version == shown_version(pages)
        outages.published()
        second = await following(versions)
        assert second == shown_version(pages)
        assert second != first


async def test_silence_is_broken_by_a_heartbeat(pages: PublicPages) -> None:
    await pages.refresh()
    async with aclosing(pages.watch(heartbeat=0.01)) as versions:
        assert await following(versions) != ""
        assert await following(versions) == ""


async def test_what_the_public_does_not_see_is_told_to_nobody(pages: PublicPages, outages: Outages) -> None:
    await pages.refresh()
    async with aclosing(pages.watch(heartbeat=0.3)) as versions:
        await following(versions)
        outages.wait(outages.fire())
        assert await following(versions) == ""


async def test_the_close_ends_it(pages: PublicPages) -> None:
    await pages.refresh()
    async with aclosing(pages.watch(heartbeat=PATIENCE)) as versions:
        await following(versions)
        pages.close()
        with pytest.raises(StopAsyncIteration):
            await following(versions)
    assert pages.watching == 0


async def test_a_place_is_free_again_once_its_reader_has_left(pages: PublicPages) -> None:
    async with aclosing(pages.watch(heartbeat=PATIENCE)) as versions:
        await following(versions)
        assert pages.watching == 1
    assert pages.watching == 0


@asynccontextmanager
async def watching(front: Front) -> AsyncIterator[tuple[httpx2.AsyncClient, PublicPages]]:
    """Serve the public pages on a real port, since a stream is no single answer."""
    application = build(front, PUBLIC_ROUTES)
    pages: PublicPages = application.state.public_pages
    with served(application) as port:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
            yield client, pages
        pages.close()


async def test_events_come_as_a_browser_wants_them(front: Front, outages: Outages) -> None:
    async with watching(front) as (client, pages), client.stream("GET", "/events") as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.aiter_lines()
        assert [await anext(lines) for _ in range(3)] == ["event: version", f"data: {pages.version}", ""]
        outages.published()
        assert await anext(lines) == "event: version"
        assert await anext(lines) == f"data: {pages.version}"


async def test_the_server_stops_while_somebody_watches(front: Front) -> None:
    async with watching(front) as (client, pages), client.stream("GET", "/events") as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        pages.close()
        assert [line async for line in lines][-1] == ""


async def test_only_so_many_may_watch(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_WATCHING", 1)
    async with watching(front) as (client, _), client.stream("GET", "/events") as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        refused = await client.get("/events")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
        assert (await client.get("/")).status_code == 200
