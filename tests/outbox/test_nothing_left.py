"""A machine that has nothing left to open files with is to blame for no mail: all wait, and are sent as they are."""

import errno
from collections.abc import Callable

import pytest
from jinja2 import FileSystemLoader

from service.actions.house import House
from service.errors import MachineExhausted, StoreUnavailable, TemporaryFault
from service.mail.rendering import environment
from service.model import DeliveryKind
from service.outbox import Courier, Relay, composing, sending
from service.outbox.composing import FEW
from tests.descriptors import nothing_can_be_opened
from tests.outbox.relays import (
    NOBODY_LISTENS,
    deliveries_to,
    fan_out_all,
    look_at,
    office_of,
    queue,
    recipients_heard,
    subscribe,
)
from tests.rooms import Clock
from tests.transport.scripted_relay import scripted_relay
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def nothing_is_read_yet() -> None:
    """Let each test read the templates anew."""
    environment.cache_clear()


async def test_a_mail_whose_template_cannot_be_opened_is_sent_once_it_can(house: House, clock: Clock) -> None:
    async with (
        scripted_relay() as server,
        Courier(house.store, office_of(house), Relay(server.smtp), clock) as courier,
    ):
        queue(house, clock, "jordan", kind=DeliveryKind.LOGIN_LINK)
        await courier.send_due()
        mails = queue(house, clock, "ana", "ben")
        with nothing_can_be_opened():
            for _ in range(3):
                with pytest.raises(MachineExhausted, match="no file descriptor left"):
                    await courier.send_due()
        assert await courier.send_due() == 2
    assert recipients_heard(server) == [f"{name}@reader.example" for name in ("jordan", "ana", "ben")]
    stand = [look_at(house, mail) for mail in mails]
    assert [(one.sent_at, one.failed_at, one.attempts) for one in stand] == [(clock(), None, 1)] * 2


async def test_that_there_is_nothing_left_to_connect_with_is_no_fault_of_the_relay(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "KEPT_FOR", 0.0)
    async with scripted_relay() as server:
        relay = Relay(server.smtp)
        async with Courier(house.store, office_of(house), relay, clock) as courier:
            queue(house, clock, "ana")
            await courier.send_due()
            await courier.send_due()  # which ends the session
            [mail] = queue(house, clock, "ben")
            with nothing_can_be_opened(), pytest.raises(MachineExhausted, match="no file descriptor left"):
                await courier.send_due()
            assert (relay.paused_until, relay.fails_since) == (None, None)
            assert await courier.send_due() == 1
    assert (look_at(house, mail).sent_at, look_at(house, mail).attempts) == (clock(), 1)


async def test_where_no_event_loop_can_be_made_nothing_is_claimed(house: House, clock: Clock) -> None:
    [mail] = queue(house, clock, "ana")
    async with (
        scripted_relay() as server,
        Courier(house.store, office_of(house), Relay(server.smtp), clock) as courier,
    ):
        with nothing_can_be_opened(), pytest.raises(MachineExhausted, match="no file descriptor left"):
            await courier.send_due()
        assert look_at(house, mail).attempts == 0
        assert await courier.send_due() == 1


async def test_a_fan_out_that_cannot_begin_takes_no_connection_from_those_who_come_meanwhile(
    house: House, clock: Clock
) -> None:
    subscribe(house, clock, "ana")
    Outages(house, clock).published()
    with nothing_can_be_opened():
        for _ in range(3):
            with pytest.raises(MachineExhausted):
                await fan_out_all(house, clock, Relay(NOBODY_LISTENS))
        queue(house, clock, "ben")
    async with scripted_relay() as server:
        await fan_out_all(house, clock, Relay(server.smtp))
    assert recipients_heard(server) == ["ana@reader.example"]


def cannot_be_opened(*_: object) -> None:
    raise OSError(errno.EMFILE, "Too many open files")


def cannot_be_read(*_: object) -> None:
    raise StoreUnavailable("the database cannot be used just now: unable to open database file")


@pytest.mark.parametrize("readers", [FEW, 3 * FEW])
@pytest.mark.parametrize(
    ("of", "name", "fails", "fault"),
    [
        (FileSystemLoader, "get_source", cannot_be_opened, MachineExhausted),
        (composing, "_facts_of", cannot_be_read, StoreUnavailable),
    ],
    ids=["its template cannot be opened", "its update cannot be read"],
)
async def test_an_update_reaches_all_at_once_when_what_kept_it_from_being_composed_is_over(
    house: House,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    readers: int,
    of: object,
    name: str,
    fails: Callable[..., None],
    fault: type[TemporaryFault],
) -> None:
    names = [f"r{number}" for number in range(readers)]
    subscribe(house, clock, *names)
    Outages(house, clock).published()
    async with scripted_relay() as server:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(of, name, fails)
            with pytest.raises(fault):
                await fan_out_all(house, clock, Relay(server.smtp))
        await fan_out_all(house, clock, Relay(server.smtp))
    assert sorted(recipients_heard(server)) == sorted(f"{name}@reader.example" for name in names)
    stand = [one for name in names for one in deliveries_to(house, name)]
    assert [(one.sent_at, one.failed_at, one.attempts) for one in stand] == [(clock(), None, 1)] * readers
