"""Admins put a subscriber into groups; what it hears of stays."""

import pytest

from service.actions.house import House
from service.model import Subscriber
from service.store import audit, subscribers
from tests.rooms import Clock
from tests.store.rows import add_subscriber
from tests.web.employees import Enter

pytestmark = pytest.mark.anyio
HERE = "/dashboard/subscribers/1"


def ana(house: House) -> Subscriber:
    """Read the one subscriber."""
    with house.store.reading() as connection:
        found = subscribers.get(connection, 1)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def subscribed(house: House) -> None:
    """Let Ana hear of one component, as one of the staff."""
    with house.store.transaction() as connection:
        added = add_subscriber(connection, "ana")
        subscribers.choose(connection, added.id, components=["API"], groups=["Staff"])


async def test_groups_are_saved_and_noted(enter: Enter, house: House, clock: Clock) -> None:
    async with enter("jordan") as browser:
        data = {"groups": " Gold ;Very   important;; Gold\nStaff"}
        page = (await browser.post(f"{HERE}/groups", data=data, follow_redirects=True)).text
    assert "Its groups are saved." in page
    assert 'value="Gold; Staff; Very important"' in page
    assert (set(ana(house).groups), ana(house).components) == ({"Gold", "Very important", "Staff"}, ("API",))
    with house.store.reading() as connection:
        (act,) = audit.listed(connection, act="subscriber_grouped", limit=9)
    assert (act.by, act.at) == ("jordan", clock())
    assert act.about == "a…@reader.example: Gold, Very important, Staff"


async def test_none_at_all_may_be_saved(enter: Enter, house: House) -> None:
    async with enter("jordan") as browser:
        await browser.post(f"{HERE}/groups", data={"groups": ""})
    assert ana(house).groups == ()


@pytest.mark.parametrize("typed", ["x" * 201, ";".join(map(str, range(60))), "a\x07b"])
async def test_what_cannot_be_kept_is_said_and_left_to_mend(enter: Enter, house: House, typed: str) -> None:
    async with enter("jordan") as browser:
        answer = await browser.post(f"{HERE}/groups", data={"groups": typed})
    assert answer.status_code == 422
    assert "group" in answer.text.partition('id="groups-problem"')[2]
    assert typed in answer.text
    assert ana(house).groups == ("Staff",)


async def test_others_may_not(enter: Enter, house: House) -> None:
    async with enter("sam") as browser:
        for groups in ("Gold", "x" * 999):
            answer = await browser.post(f"{HERE}/groups", data={"groups": groups})
            assert answer.status_code == 403
            assert "ana@" not in answer.text
    assert ana(house).groups == ("Staff",)


async def test_nobody_there_is_not_found(enter: Enter) -> None:
    async with enter("jordan") as browser:
        assert (
            await browser.post("/dashboard/subscribers/99/groups", data={"groups": "x"})
        ).status_code == 404
