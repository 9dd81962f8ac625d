"""Those who ask for config.yaml to be read anew, and wait: each is told what came of it, however it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from service.app import reloading
from service.app.reloading import Reloader, ReloadState
from service.config import load
from service.config.differences import Reloaded
from tests.cli.running import ON_THIS_MACHINE, PATIENCE
from tests.descriptors import nothing_can_be_opened
from tests.rooms import Clock

pytestmark = pytest.mark.anyio

STOPS = Reloaded(faults=("the service is being stopped",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a config.yaml."""
    path = tmp_path / "config.yaml"
    path.write_text(ON_THIS_MACHINE)
    return path


def call_site(path: Path, name: str) -> None:
    """Change the name in the file."""
    path.write_text(ON_THIS_MACHINE.replace("name: Acme Status", f"name: {name}"))


@pytest.fixture
def reloader(path: Path, clock: Clock) -> Reloader:
    """Give what reads it."""
    return Reloader(load(path, {}), ReloadState(clock()), lambda config: config, clock)


@asynccontextmanager
async def putting_in_force(reloader: Reloader) -> AsyncIterator[None]:
    """Put each next configuration in force, as the service does."""

    async def work() -> None:
        while True:
            reloader.in_force(*await reloader.next_config())

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def test_all_who_ask_are_told_what_changed(reloader: Reloader, path: Path) -> None:
    call_site(path, "Better Status")
    asked = [asyncio.create_task(reloader.reload()) for _ in range(3)]
    async with putting_in_force(reloader):
        told = await asyncio.gather(*asked)
    assert told == [Reloaded(("site.name: Acme Status → Better Status",))] * 3


async def test_whoever_asks_while_nothing_changed_is_told_that(reloader: Reloader) -> None:
    async with putting_in_force(reloader):
        assert await reloader.reload() == Reloaded()
        assert await reloader.reload() == Reloaded()


async def test_whoever_asks_while_one_is_put_in_force_is_told_of_the_next(
    reloader: Reloader, path: Path
) -> None:
    call_site(path, "Better Status")
    first = asyncio.create_task(reloader.reload())
    found = await reloader.next_config()
    call_site(path, "Best Status")
    second = asyncio.create_task(reloader.reload())
    await asyncio.sleep(0)
    reloader.in_force(*found)
    assert (await first).changes == ("site.name: Acme Status → Better Status",)
    async with putting_in_force(reloader):
        assert (await second).changes == ("site.name: Better Status → Best Status",)


async def test_what_cannot_be_opened_just_now_is_read_again_by_itself(
    reloader: Reloader, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "LOOK", 0.01)
    call_site(path, "Better Status")
    asked, looks = asyncio.create_task(reloader.reload()), asyncio.create_task(reloader.next_config())
    with nothing_can_be_opened():
        [said] = (await asked).faults
    assert said.startswith("this process has no file descriptor left")
    assert reloader.state.failed_at is not None
    config, changes = await asyncio.wait_for(looks, PATIENCE)
    assert changes == ("site.name: Acme Status → Better Status",)
    reloader.in_force(config, changes)
    assert reloader.state.failed_at is None


async def test_whoever_has_gone_holds_up_nobody(reloader: Reloader) -> None:
    gone, stays = (asyncio.create_task(reloader.reload()) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    async with putting_in_force(reloader):
        assert await stays == Reloaded()


async def test_at_the_end_all_who_wait_or_still_ask_are_told_that_it_is_the_end(reloader: Reloader) -> None:
    waiting = asyncio.create_task(reloader.reload())
    await asyncio.sleep(0)
    reloader.end()
    assert await waiting == STOPS
    assert await reloader.reload() == STOPS
