"""What stands in the key file may move into config.yaml: it stays the key that mails were signed with."""

from dataclasses import replace

import pytest

from service.app.own_files import key_file
from service.config import Secret
from service.model import SubscriberState
from service.store import subscribers
from tests.stories.world import ANA, JORDAN, World

pytestmark = pytest.mark.anyio


async def test_links_in_mails_that_were_sent_work_when_the_text_of_the_key_file_is_a_setting(
    world: World,
) -> None:
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=5)
    await world.answer(world.mails(JORDAN)[0], "publish")
    ways = world.mails(ANA)[-1].header("List-Unsubscribe")
    await world.stop()
    file = key_file(world.config)
    world.config = replace(world.config, secret_key=Secret(file.read_text().strip()))
    file.unlink()
    await world.start()
    link = next(way.strip(" <>") for way in ways.split(",") if "http" in way)
    await world.client.post(link, data={"List-Unsubscribe": "One-Click"})
    with world.service.house.store.reading() as connection:
        ana = subscribers.find_by_address(connection, ANA)
    assert ana is not None
    assert ana.state is SubscriberState.UNSUBSCRIBED
    assert not file.exists()
