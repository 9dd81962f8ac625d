"""The company's logo and colours, on every page, in the mails and on the exported site."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from service.actions.house import House
from service.mail.compose import PostOffice, compose
from service.model import Delivery, DeliveryKind
from service.web.front import Front
from service.web.public.exporting import Exporter
from service.web.routes import all_routes
from tests.rooms import CONFIG, Clock, make_client, make_front, make_house
from tests.web.employees import employee_at

pytestmark = pytest.mark.anyio
LOOK = 'site: {logo: logo.svg, colours: {brand: "#0A6B4F"}, '
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house with a look of its own."""
    (tmp_path / "logo.svg").write_text(SVG)
    made = make_house(tmp_path, CONFIG.replace("site: {", LOOK, 1))
    yield made
    made.store.close()


@pytest.fixture
def front(house: House, clock: Clock) -> Front:
    """Give the web's view of it."""
    return make_front(house, clock)


def addresses(page: str) -> list[str]:
    return [part.partition('"')[0] for part in page.split('"/static/brand-')[1:]]


async def files_of(client: httpx2.AsyncClient, path: str) -> dict[str, httpx2.Response]:
    page = await client.get(path, follow_redirects=True)
    return {name: await client.get(f"/static/brand-{name}") for name in addresses(page.text)}


@pytest.mark.parametrize("path", ["/", "/login", "/subscribe", "/embed", "/nothing-here"])
async def test_every_page_bears_it(front: Front, path: str) -> None:
    async with make_client(front, all_routes(with_sandbox=False)) as client:
        files = await files_of(client, path)
    kinds = {answer.headers["content-type"].partition(";")[0] for answer in files.values()}
    assert kinds == ({"text/css"} if path == "/embed" else {"text/css", "image/svg+xml"})


async def test_the_dashboard_bears_it(front: Front, clock: Clock) -> None:
    async with employee_at(front, clock, "sam") as browser:
        assert len(addresses((await browser.get("/dashboard")).text)) == 3  # icon, colours, logo


async def test_its_files_are_kept_for_good_and_can_do_nothing(front: Front) -> None:
    async with make_client(front, all_routes(with_sandbox=False)) as client:
        for name, answer in (await files_of(client, "/")).items():
            assert "immutable" in answer.headers["cache-control"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert "script" not in answer.headers["content-security-policy"]
            tag = {"if-none-match": f'W/"other", {answer.headers["etag"]}'}
            again = await client.get(f"/static/brand-{name}", headers=tag)
            assert (again.status_code, again.content) == (304, b"")
        assert (await client.get("/static/brand-none.css")).status_code == 404
        assert (await client.get("/static/replycast.css")).status_code == 200


async def test_colours_are_those_of_the_file_in_light_and_dark(front: Front) -> None:
    async with make_client(front, all_routes(with_sandbox=False)) as client:
        files = await files_of(client, "/")
    (css,) = (one.text for name, one in files.items() if name.endswith(".css"))
    light, dark = css.split("@media")
    assert "--accent: #0a6b4f;" in light
    assert "prefers-color-scheme: dark" in dark
    assert "--accent: #0a6b4f;" not in dark


async def test_without_a_look_ours_is_shown(tmp_path: Path, clock: Clock) -> None:
    house = make_house(tmp_path / "plain")
    async with make_client(make_front(house, clock), all_routes(with_sandbox=False)) as client:
        page = (await client.get("/")).text
    house.store.close()
    assert addresses(page) == []
    assert page.count('"/static/icon.svg"') == 2


def test_the_exported_site_bears_it(front: Front, clock: Clock, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    Exporter(front, folder).export(clock())
    written = {path.name for path in (folder / "static").iterdir() if path.name.startswith("brand-")}
    assert {name.rpartition(".")[2] for name in written} == {"css", "svg"}
    page = (folder / "index.html").read_text()
    for name in written:
        assert f'"static/{name}"' in page


def test_mails_have_its_colour_and_no_picture(house: House, clock: Clock) -> None:
    site = house.config.site
    office = PostOffice(site, site.name, house.own_address, house.instance_id, house.key)
    delivery = Delivery(
        id=1,
        public_id="0" * 32,
        kind=DeliveryKind.LOGIN_LINK,
        recipient="sam@acme.example",
        created_at=clock(),
        due_at=None,
        facts={"employee_name": "Sam", "minutes": 15},
    )
    said = repr(compose(delivery, office))
    ours = dataclasses.replace(office, site=dataclasses.replace(site, brand="", brand_dark=""))
    assert "#0a6b4f" in said
    assert "#0a6b4f" not in repr(compose(delivery, ours))
    assert "<img" not in said
