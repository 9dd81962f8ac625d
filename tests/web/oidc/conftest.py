"""A house whose employees may log in at a provider, that provider, and browsers."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from service.actions.house import House
from service.web.application import build
from service.web.front import Front
from service.web.login.oidc_provider import Provider
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.employees import ALL_ROUTES
from tests.web.oidc.identity_provider import OIDC, Browse, IdentityProvider


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house whose employees may log in at a provider."""
    made = make_house(tmp_path, CONFIG + OIDC)
    yield made
    made.store.close()


@pytest.fixture
def front(house: House, clock: Clock) -> Front:
    """Give the web's view of it."""
    return make_front(house, clock)


@pytest.fixture
def provider(clock: Clock) -> IdentityProvider:
    """Give the provider."""
    return IdentityProvider(clock)


@pytest.fixture
def browse(front: Front, provider: IdentityProvider) -> Browse:
    """Give browsers that were never here before."""
    application = build(front, ALL_ROUTES)
    oidc = front.house.config.login.oidc
    assert oidc is not None
    application.state.oidc = Provider(oidc, front.house.config.site.url, provider.transport())
    return lambda: httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=application), base_url=front.house.config.site.url
    )


@pytest.fixture
async def browser(browse: Browse) -> AsyncIterator[httpx2.AsyncClient]:
    """Give one of them."""
    async with browse() as client:
        yield client
