"""What the watchdog found, above a page of the dashboard in a real Chromium: fit for everybody, in light and dark."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from service.actions.watchdog import Problem, ProblemName
from service.web.application import build
from service.web.login.letting_in import SESSION_COOKIE
from tests.rooms import Clock, make_front, make_house
from tests.web.employees import ALL_ROUTES, start_session
from tests.web.judging import judge_whole
from tests.web.serving import served

pytestmark = pytest.mark.chromium


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Serve a house with all problems that there are; gives its address and the key of a viewer's session."""
    clock = Clock()
    house = make_house(tmp_path_factory.mktemp("problems"))
    key = start_session(house, clock, "vera")
    found = tuple(Problem(name, clock() - timedelta(hours=1)) for name in ProblemName)
    application = build(replace(make_front(house, clock), problems=lambda: found), ALL_ROUTES)
    with served(application) as port:
        yield f"http://127.0.0.1:{port}", key
        application.state.public_pages.close()
    house.store.close()


def test_problems_are_fit_for_everybody(page: Page, office: tuple[str, str]) -> None:
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": office[1], "url": office[0]}])
    page.goto(f"{office[0]}/dashboard")
    assert page.get_by_role("complementary", name="Problems of this service").is_visible()
    assert page.locator(".problems p").count() == len(ProblemName)
    judge_whole(page)
