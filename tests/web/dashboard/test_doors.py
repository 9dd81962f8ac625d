"""Who may see and order what on the employees' pages."""

import pkgutil
from dataclasses import replace
from importlib import import_module

import httpx2
import pytest
from starlette.routing import Route

from service import web
from service.actions.house import House
from service.model import Phase
from service.web.front import Front
from tests.rooms import Clock
from tests.web.employees import ALL_ROUTES, ROUTES_FOR_EMPLOYEES, Enter, employee_at, page_of, phase_of
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio


def test_no_page_of_the_dashboard_is_forgotten_by_these_tests() -> None:
    found = pkgutil.walk_packages(web.__path__, f"{web.__name__}.")
    rooms = [import_module(one.name) for one in found]
    lists = [room.routes for room in rooms if isinstance(getattr(room, "routes", None), list)]
    there = {one.path for routes in lists for one in routes if isinstance(one, Route)}
    tested = {one.path for one in ALL_ROUTES}
    assert {path for path in there if path.startswith("/dashboard")} == {
        path for path in tested if path.startswith("/dashboard")
    }


@pytest.mark.parametrize("route", ROUTES_FOR_EMPLOYEES, ids=lambda route: route.path)
async def test_who_is_not_logged_in_gets_no_further_than_the_login(
    route: object, enter: Enter, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    path, methods = route.path.replace("{id}", "1").replace("{update}", "1"), route.methods or set()  # type: ignore[attr-defined]  # a Route
    async with enter(None) as stranger:
        for method in methods:
            answer = await stranger.request(method, path)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/login?next=/dashboard")
            assert incident.subject not in answer.text
    assert phase_of(house, incident) is Phase.WAITING


FOR_EVERYBODY = {
    "/dashboard/simulate/day",
    "/dashboard/inbox/{id}/dry",
    "/dashboard/sessions/others/revoke",
    "/dashboard/sessions/{name}/revoke",
}
"""What nothing comes of, and one's own sessions; `test_arrival` and `test_sessions` say whose else."""
ORDERS = [
    route
    for route in ROUTES_FOR_EMPLOYEES
    if "POST" in (route.methods or set()) and route.path not in FOR_EVERYBODY
]


@pytest.mark.parametrize("route", ORDERS, ids=lambda route: route.path)
@pytest.mark.parametrize("phase", ["waiting", "published", "closed"])
@pytest.mark.parametrize("form", [{}, {"text": "Hi", "status": "identified", "comment": "x" * 30_000}])
async def test_a_viewer_orders_nothing(
    route: object, phase: str, form: dict[str, str], enter: Enter, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    if phase != "waiting":
        outages.publish(incident)
    if phase == "closed":
        outages.close(incident)
    async with enter("vera") as vera:
        answer = await vera.post(route.path.replace("{id}", "1").replace("{update}", "1"), data=form)  # type: ignore[attr-defined]  # a Route
        assert answer.status_code == 403
        assert "Vera Moss may look, but not publish" in answer.text or "is for admins" in answer.text
        page = await vera.get(page_of(incident))
    assert phase_of(house, incident) == phase
    assert page.text.count("<form") == 1  # that to log out
    assert "Hi" not in page.text


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/inbox", "/dashboard/incidents/1"])
async def test_a_viewer_sees_everything_and_no_browser_keeps_it(
    path: str, enter: Enter, outages: Outages
) -> None:
    outages.fire()
    async with enter("vera") as vera:
        answer = await vera.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


async def test_who_is_no_longer_an_employee_is_out(
    front: Front, enter: Enter, clock: Clock, house: House
) -> None:
    async with enter("sam") as sam:
        key = sam.cookies["replycast_session"]
    left = {name: one for name, one in house.config.employees.items() if name != "sam"}
    without = replace(house, config=replace(house.config, employees=left))
    async with employee_at(replace(front, house=without), clock, None) as client:
        client.cookies.set("replycast_session", key)
        assert (await client.get("/dashboard")).status_code == 303


async def test_another_site_cannot_publish_with_an_employees_browser(
    sam: httpx2.AsyncClient, house: House, outages: Outages
) -> None:
    incident = outages.fire()
    forged = {"sec-fetch-site": "cross-site"}
    assert (await sam.post(page_of(incident, "publish"), headers=forged)).status_code == 403
    assert phase_of(house, incident) is Phase.WAITING


@pytest.mark.parametrize(
    "path", ["/dashboard/incidents/", "/dashboard/inbox/"], ids=["an incident", "an arrival"]
)
@pytest.mark.parametrize("number", ["7", "x", "-1", "9" * 18, "9" * 30, "9" * 5000, "%C2%B2"])
async def test_what_is_not_there_is_not_found(path: str, number: str, sam: httpx2.AsyncClient) -> None:
    assert (await sam.get(path + number)).status_code == 404


async def test_an_order_about_what_is_not_there_is_not_found(sam: httpx2.AsyncClient) -> None:
    assert (await sam.post("/dashboard/incidents/7/publish")).status_code == 404
