"""A fault of config.yaml may quote a secret that stands in the wrong place: only admins read its words."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.actions.house import House
from service.web.dashboard.config_file import WITHHELD
from service.web.dashboard.monitor_words import slug_of
from tests.rooms import CONFIG, make_house
from tests.web.employees import Enter

pytestmark = pytest.mark.anyio

SECRET = "hunter2-is-no-password"
MISPLACED = {
    "as a key": CONFIG + f"{SECRET}: smtp\n",
    "as a value": CONFIG.replace("auto_close: true", f"auto_close: {SECRET}"),
    "as a key of the monitor": CONFIG.replace("auto_close: true", f"{SECRET}: true"),
}


@pytest.fixture(params=MISPLACED)
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    """Give a house whose config.yaml became faulty while it ran."""
    made = make_house(tmp_path, CONFIG)
    made.config.path.write_text(MISPLACED[request.param])
    yield made
    made.store.close()


def pages(house: House) -> list[str]:
    return ["/dashboard/monitors", f"/dashboard/monitors/{slug_of(house.config.monitors[0])}"]


@pytest.mark.parametrize("employee", ["vera", "sam"])
async def test_others_read_that_there_are_faults_and_where(employee: str, enter: Enter, house: House) -> None:
    async with enter(employee) as client:
        for path in pages(house):
            text = (await client.get(path)).text
            assert "would not start" in text
            assert f": {WITHHELD}" in text
            assert SECRET not in text


async def test_admins_read_what_is_wrong(enter: Enter, house: House) -> None:
    async with enter("jordan") as jordan:
        for path in pages(house):
            text = (await jordan.get(path)).text
            assert SECRET in text
            assert WITHHELD not in text
