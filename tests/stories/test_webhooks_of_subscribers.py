"""Webhooks hear what mails say: signed, tried again, and given up when nothing has been taken for days."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import update

from service.actions import maintaining
from service.actions.subscriber_admin import add_webhook
from service.calls.signing import KEY_PREFIX, signing_key
from service.model import Channel, Subscriber
from service.store import deliveries, schema, subscribers
from service.workflow.maintenance import Plan
from tests.calls.receiver import Receiver, receiving
from tests.rooms import CONFIG, Clock
from tests.stories.world import ANA, JORDAN, World, make_world

pytestmark = pytest.mark.anyio
PRIVATE = CONFIG + "subscribers: {private_webhooks: true}\n"


@dataclass(slots=True)
class Hooked:
    """A world with one webhook that hears of everything, and one subscriber by mail."""

    world: World
    receiver: Receiver

    @property
    def hook(self) -> Subscriber:
        """The webhook as it is stored."""
        with self.world.service.house.store.reading() as connection:
            found = subscribers.find_by_address(connection, self.receiver.url)
        assert found is not None
        return found

    def heard(self) -> list[str]:
        """Give what it was told, in order."""
        return [orjson.loads(call.body)["type"] for call in self.receiver.calls]

    async def publish(self) -> None:
        """Let an incident be published."""
        await self.world.fire()
        await self.world.after(minutes=5)
        await self.world.answer(self.world.mails(JORDAN)[0], "publish")


@pytest.fixture
async def hooked(tmp_path: Path, clock: Clock) -> AsyncIterator[Hooked]:
    """Give the world and its webhook."""
    async with make_world(tmp_path, clock, PRIVATE) as world, receiving() as receiver:
        house = world.service.house
        add_webhook(house, receiver.url, house.config.employees["jordan"], clock())
        yield Hooked(world, receiver)


async def test_a_webhook_hears_of_the_whole_incident_and_can_prove_who_calls(hooked: Hooked) -> None:
    await hooked.publish()
    await hooked.world.recover()
    assert hooked.heard() == ["incident.published", "incident.resolved"]
    states = [orjson.loads(call.body)["incident"]["components"][0]["state"] for call in hooked.receiver.calls]
    assert states == ["major_outage", "operational"]
    call = hooked.receiver.calls[0]
    house = hooked.world.service.house
    secret = b64decode(signing_key(house.key, hooked.hook.public_id).removeprefix(KEY_PREFIX))
    said = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    proof = b64encode(hmac.new(secret, said, hashlib.sha256).digest()).decode()
    assert call.headers["webhook-signature"] == f"v1,{proof}"
    assert b"jordan" not in call.body.lower()


async def test_a_chat_reads_that_a_maintenance_was_called_off(hooked: Hooked, clock: Clock) -> None:
    house = hooked.world.service.house
    sam, begins = house.config.employees["sam"], clock() + timedelta(days=1)
    with house.store.transaction() as connection:
        connection.execute(update(schema.subscribers).values(channel=Channel.SLACK))
    wanted = Plan("New disks", "We **replace** them.", ("Email",), begins, begins + timedelta(hours=2))
    planned = maintaining.plan(house, wanted, sam, clock()).maintenance
    await hooked.world.after(minutes=1)
    maintaining.cancel(house, planned.id, sam, clock())
    await hooked.world.after(minutes=1)
    said = [orjson.loads(call.body) for call in hooked.receiver.calls]
    assert [one["text"].partition("] ")[2] for one in said] == [
        "Scheduled: New disks",
        "Cancelled: New disks",
    ]
    assert said[0]["blocks"][1]["text"]["text"] == "We *replace* them."


async def test_the_approval_mail_counts_webhooks_apart(hooked: Hooked) -> None:
    await hooked.world.subscribe(ANA)
    await hooked.world.fire()
    await hooked.world.after(minutes=5)
    assert "1 subscriber by mail and 1 webhook would read" in hooked.world.mails(JORDAN)[0].text


async def test_a_failed_call_is_tried_again_with_the_same_id(hooked: Hooked) -> None:
    hooked.receiver.status = 500
    await hooked.publish()
    hooked.receiver.status = 200
    await hooked.world.after(minutes=10)
    first, *_, last = hooked.receiver.calls
    assert first.headers["webhook-id"] == last.headers["webhook-id"]
    assert hooked.hook.failing_since is None
    count = len(hooked.receiver.calls)
    await hooked.world.after(hours=10)
    assert len(hooked.receiver.calls) == count, "it was taken"


async def test_a_webhook_that_takes_nothing_for_days_is_given_up_and_shown(hooked: Hooked) -> None:
    hooked.receiver.status, hooked.receiver.text = 500, b"broken"
    await hooked.publish()
    for _ in range(20):
        await hooked.world.after(hours=4)
    assert hooked.hook.suppressed_because == "it answered 500 broken"
    count = len(hooked.receiver.calls)
    await hooked.world.recover()
    await hooked.world.after(hours=4)
    assert len(hooked.receiver.calls) == count


async def test_gone_is_believed_at_once(hooked: Hooked) -> None:
    hooked.receiver.status = 410
    await hooked.publish()
    assert hooked.hook.suppressed_at is not None
    assert len(hooked.receiver.calls) == 1


async def test_what_is_not_published_is_told_to_no_webhook(hooked: Hooked) -> None:
    await hooked.world.fire()
    await hooked.world.after(minutes=5)
    await hooked.world.answer(hooked.world.mails(JORDAN)[0], "discard")
    await hooked.world.after(hours=1)
    assert hooked.receiver.calls == []


async def test_a_webhook_of_our_own_network_is_not_called_unless_config_says_so(
    tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock) as world, receiving() as receiver:
        # it was added while config.yaml let it
        house = replace(
            world.service.house, config=replace(world.service.house.config, private_webhooks=True)
        )
        add_webhook(house, receiver.url, house.config.employees["jordan"], clock())
        hooked = Hooked(world, receiver)
        await hooked.publish()
        assert receiver.calls == []
        assert "our own network" in hooked.hook.suppressed_because


async def test_a_restart_between_claim_and_answer_calls_again(hooked: Hooked, clock: Clock) -> None:
    hooked.receiver.status = 500
    await hooked.publish()
    with hooked.world.service.house.store.transaction() as connection:
        later = clock() + timedelta(hours=9)
        assert deliveries.claim_calls(connection, later, lease=timedelta(hours=1), limit=9)
        deliveries.end_leases(connection, clock())
    hooked.receiver.status = 200
    await hooked.world.after(seconds=1)
    assert hooked.hook.failing_since is None


async def test_readers_by_mail_do_not_wait_for_a_webhook(hooked: Hooked) -> None:
    await hooked.world.subscribe(ANA)
    hooked.receiver.status = 503
    await hooked.publish()
    assert "Email" in hooked.world.mails(ANA)[-1].subject
