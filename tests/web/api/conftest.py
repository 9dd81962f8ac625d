"""A program with a token that may do everything."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from service.web.front import Front
from tests.web.api.programs import program_at


@pytest.fixture
async def program(front: Front) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a program that may do everything."""
    async with program_at(front) as client:
        yield client
