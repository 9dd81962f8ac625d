"""Employees with their browsers."""

from collections.abc import AsyncIterator
from functools import partial

import httpx2
import pytest

from service.web.front import Front
from tests.rooms import Clock
from tests.web.employees import Enter, employee_at


@pytest.fixture
def enter(front: Front, clock: Clock) -> Enter:
    """Give a way to enter as an employee."""
    return partial(employee_at, front, clock)


@pytest.fixture
async def sam(enter: Enter) -> AsyncIterator[httpx2.AsyncClient]:
    """Give the browser of Sam, who may publish but is no admin."""
    async with enter("sam") as client:
        yield client
