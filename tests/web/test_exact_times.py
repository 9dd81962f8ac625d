"""Every moment that a page shows can be read exactly, on hover and without a script."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from service.actions.house import House
from service.actions.watchdog import Problem, ProblemName
from service.web.front import Front
from service.web.public.routes import ROUTES as PUBLIC_ROUTES
from tests.rooms import Clock, make_client
from tests.web.employees import employee_at
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio

MOMENT = re.compile(r'<time datetime="(?P<at>\d{4}-\d\d-\d\dT[^"]+)"(?P<rest>[^>]*)>')


def titled(text: str) -> list[bool]:
    """Tell of each moment of a page whether its title is its ISO form."""
    return [f'title="{one["at"]}"' in one["rest"] for one in MOMENT.finditer(text)]


@pytest.mark.parametrize("path", ["/", "/incidents/1", "/history"])
async def test_the_public_reads_each_moment_exactly(
    front: Front, house: House, clock: Clock, path: str
) -> None:
    outages = Outages(house, clock)
    over = outages.published()
    clock.move(timedelta(hours=2))
    outages.close(over)
    outages.tell(outages.published(), "We look into it.")
    async with make_client(front, PUBLIC_ROUTES) as reader:
        found = titled((await reader.get(path)).text)
    assert found
    assert all(found)


async def test_employees_read_exactly_since_when_a_problem_is_there(front: Front, clock: Clock) -> None:
    since = clock() - timedelta(hours=1)
    problems = (Problem(ProblemName.NO_WEBHOOK, since),)
    async with employee_at(replace(front, problems=lambda: problems), clock, "vera") as vera:
        banner = (await vera.get("/dashboard")).text.partition('class="problems"')[2].partition("</aside>")[0]
    assert titled(banner) == [True]
