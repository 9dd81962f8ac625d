"""Where somebody is led after logging in: always to a page that is there."""

from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.routing import Route

from service.web.dashboard import routes as dashboard
from service.web.dashboard.monitor_words import slug_of
from service.web.front import Front
from tests.rooms import Clock, make_client
from tests.web.employees import ALL_ROUTES, start_session
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

FORMS = [one for one in dashboard.ROUTES if "POST" in (one.methods or set())]


def path_of(route: Route, front: Front) -> str:
    slug = slug_of(front.house.config.monitors[0])
    names = {"{id}": "1", "{update}": "1", "{name}": "x", "{slug}": slug}
    path = route.path
    for name, text in names.items():
        path = path.replace(name, text)
    return path


async def is_there(browser: httpx2.AsyncClient, path: str) -> bool:
    answer = await browser.get(path)
    # what the form was about may be gone, and the page then says so in its own words
    return answer.status_code == 200 or "There is no" in answer.text


@pytest.mark.parametrize("route", FORMS, ids=lambda route: route.path)
async def test_who_sends_a_form_after_the_session_ended_comes_back_to_its_page(
    route: Route, front: Front, clock: Clock, outages: Outages
) -> None:
    outages.published()
    async with make_client(front, ALL_ROUTES) as browser:
        away = await browser.post(path_of(route, front))
        assert away.status_code == 303
        (wanted,) = parse_qs(urlsplit(away.headers["location"]).query)["next"]
        browser.cookies.set("replycast_session", start_session(front.house, clock, "jordan"))
        back = await browser.get(away.headers["location"])
        assert back.headers["location"] == wanted
        assert path_of(route, front).startswith(wanted)
        assert await is_there(browser, wanted)


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/dashboard/inbox?q=x&state=refused", "/dashboard/inbox?q=x&state=refused"),
        ("/dashboard/sessions/0f3a/revoke", "/dashboard/sessions"),
        ("/dashboard/sessions/others/revoke?x=1", "/dashboard/sessions"),
        ("/dashboard/nowhere/at/all", "/dashboard"),
        ("/logout", "/dashboard"),
        ("/api/v1/incidents", "/dashboard"),
        ("/static/replycast.css", "/dashboard"),
        ("//evil.example/", "/dashboard"),
    ],
)
async def test_what_is_no_page_leads_to_the_nearest_above_it(
    wanted: str, led_to: str, front: Front, clock: Clock
) -> None:
    async with make_client(front, ALL_ROUTES) as browser:
        browser.cookies.set("replycast_session", start_session(front.house, clock, "jordan"))
        answer = await browser.get("/login", params={"next": wanted})
        assert (answer.status_code, answer.headers["location"]) == (303, led_to)
