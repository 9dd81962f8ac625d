"""What the tests in a real browser order: which route each of them must post to, and which routes that are.

A test names them as `@pytest.mark.orders("POST /dashboard/open/now")`, as `tests/web/doors.py` has them, and then
has to go there with the keys alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from types import ModuleType
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response
from starlette.routing import Match, Route

from service.model import Role
from service.web.routes import all_routes
from tests.web.doors import CLASSED, Open

BY_PEOPLE: Final = frozenset(
    door
    for door, way in CLASSED.items()
    if door.startswith("POST ")
    and (isinstance(way, Role) or way in {Open.ANYBODY, Open.HOLDER, Open.SANDBOX})
)
"""All that a person orders with a browser."""
ON_EACH_SCREEN: Final = {"page", "sheet"}
"""The fixtures that see to it."""
_ROUTES: Final = [route for route in all_routes(with_sandbox=True) if isinstance(route, Route)]


def orders_named(test: pytest.Item) -> set[str]:
    """Give what a test says that it orders."""
    mark = test.get_closest_marker("orders")
    return set(mark.args if mark else ())


@contextmanager
def seen_to_be_ordered(page: Page, test: pytest.Item) -> Iterator[None]:
    """Fail a test in whose page nothing was posted, or not with success, to a route that it says it orders."""
    done: set[str] = set()
    page.on("response", lambda answer: done.update(_door_of(answer)))
    yield
    missing = orders_named(test) - done
    assert not missing, f"never ordered in this test: {missing}"


def _door_of(answer: Response) -> Iterator[str]:
    request = answer.request
    # what a script sends is no form that somebody filled in
    if request.method != "POST" or answer.status >= 400 or not request.is_navigation_request():
        return
    asked = {
        "type": "http",
        "method": "POST",
        "path": urlsplit(request.url).path,
        "root_path": "",
        "headers": [],
    }
    for route in _ROUTES:
        if route.matches(asked)[0] is Match.FULL:
            yield f"POST {route.path}"
            return


def orders_of(module: ModuleType) -> Iterator[Sequence[str]]:
    """Give what each test of a module orders on each screen."""
    for name, test in vars(module).items():
        if name.startswith("test_") and signature(test).parameters.keys() & ON_EACH_SCREEN:
            yield from (mark.args for mark in getattr(test, "pytestmark", ()) if mark.name == "orders")
