"""Badges: they say in words what they show, in the colours of the page, and hold nothing but themselves."""

from pathlib import Path
from xml.etree import ElementTree as ET

import httpx2
import pytest

from service.model import ComponentState
from service.web.front import STATIC
from service.web.public.badge import LOOKS
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import CONFIG, Clock, make_client, make_front, make_house
from tests.web.outages import Outages

SVG = "{http://www.w3.org/2000/svg}"


async def read(reader: httpx2.AsyncClient, path: str) -> ET.Element:
    answer = await reader.get(path)
    assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
    return ET.fromstring(answer.content)  # noqa: S314  our own picture


def words(badge: ET.Element) -> list[str]:
    return [one.text or "" for one in badge.iter(f"{SVG}text")]


@pytest.mark.anyio
async def test_it_says_how_the_whole_and_each_component_is(
    reader: httpx2.AsyncClient, outages: Outages
) -> None:
    assert words(await read(reader, "/badge.svg")) == ["Acme Status", "Operational"]
    outages.published()
    assert words(await read(reader, "/badge.svg")) == ["Acme Status", "Major outage"]
    assert words(await read(reader, "/badge/email.svg")) == ["Email", "Major outage"]
    assert words(await read(reader, "/badge/api.svg")) == ["API", "Operational"]
    assert (await reader.get("/badge/nothing.svg")).status_code == 404


@pytest.mark.anyio
async def test_whoever_cannot_see_it_hears_it(reader: httpx2.AsyncClient, outages: Outages) -> None:
    outages.published()
    badge = await read(reader, "/badge.svg")
    title = badge.find(f"{SVG}title")
    assert title is not None
    assert (badge.get("role"), badge.get("aria-labelledby"), title.text) == (
        "img",
        title.get("id"),
        "Acme Status: Major outage: Email",
    )


@pytest.mark.anyio
async def test_it_is_new_within_moments_and_any_site_may_show_it(reader: httpx2.AsyncClient) -> None:
    headers = (await reader.get("/badge.svg")).headers
    assert headers["cache-control"].startswith("public, max-age=5,")
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["access-control-allow-origin"] == "*"


@pytest.mark.anyio
async def test_it_needs_nothing_from_elsewhere_and_is_small(reader: httpx2.AsyncClient) -> None:
    badge = (await reader.get("/badge.svg")).text
    assert len(badge) < 1500
    assert badge.count("http") == 1  # the namespace
    assert not any(word in badge for word in ("<script", "<style", "@import", "url(", "href"))


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["<b>&\"'", "邮件 🚨", "M" * 200])
async def test_any_name_fits(name: str, tmp_path: Path, clock: Clock) -> None:
    quoted = "'" + name.replace("'", "''") + "'"
    house = make_house(tmp_path, CONFIG.replace("name: Acme Status", f"name: {quoted}"))
    async with make_client(make_front(house, clock), PUBLIC_ROUTES) as reader:
        badge = await read(reader, "/badge.svg")
    house.store.close()
    assert words(badge)[0] == (name if len(name) <= 40 else "M" * 39 + "…")
    assert int(badge.get("width", "0")) < 520
    texts = [(float(one.get("x", 0)), float(one.get("textLength", 0))) for one in badge.iter(f"{SVG}text")]
    (left, wide), (right, long) = texts
    assert left + wide < right
    assert right + long < int(badge.get("width", "0"))


@pytest.mark.parametrize("state", list(ComponentState))
def test_each_state_has_a_shape_of_its_own_and_the_colours_of_the_page(state: ComponentState) -> None:
    css, look = (STATIC / "replycast.css").read_text(), LOOKS[state]
    light = css[: css.index("prefers-color-scheme: dark")]
    assert all(f": {colour};" in light for colour in (look.mark, look.ground, look.ink))
    assert [one.shape for one in LOOKS.values()].count(look.shape) == 1
