"""Webhooks are called by whoever claimed them: what was taken is noted, and no slip ends a subscription."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select

from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.actions.subscriber_admin import add_webhook
from service.actions.subscribing import unsubscribe
from service.calls.calling import Caller
from service.errors import MachineExhausted, RecipientRefusedForNow, TemporaryFault
from service.mail.compose import unsubscribe_token
from service.model import Subscriber
from service.outbox import calling
from service.outbox.calling import call_due
from service.store import subscribers
from service.store.schema import deliveries
from tests.rooms import Clock
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio
A, B = "https://a.hook.example/", "https://b.hook.example/"


class Noting(Caller):
    """Calls nobody, and notes whom it was to call."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.refusal: TemporaryFault | None = None

    async def call(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Note it."""
        del body, headers
        self.called.append(url)
        if self.refusal is not None:
            raise self.refusal


def hook(house: House, clock: Clock, url: str) -> Subscriber:
    return add_webhook(house, url, None, clock())


async def call_all(house: House, clock: Clock, caller: Caller) -> None:
    while queue_next_chunk(house, clock()):
        pass
    while await call_due(house.store, house.config.site, house.key, caller, clock):
        pass


async def test_what_there_was_nothing_left_to_call_with_is_called_again_and_no_attempt_of_the_webhook(
    house: House, clock: Clock
) -> None:
    one, caller = hook(house, clock, A), Noting()
    Outages(house, clock).published()
    caller.refusal = MachineExhausted("this process has no file descriptor left")
    with pytest.raises(MachineExhausted):
        await call_all(house, clock, caller)
    with house.store.reading() as connection:
        assert subscribers.failing(connection, [one.id]) == frozenset()
    caller.refusal = None
    await call_all(house, clock, caller)
    assert caller.called == [A, A]
    with house.store.reading() as connection:
        said = select(deliveries.c.attempts, deliveries.c.sent_at).where(deliveries.c.recipient == A)
        [(attempts, sent_at)] = connection.execute(said).all()
    assert (attempts, sent_at) == (1, clock())


async def test_whoever_leaves_after_the_claim_is_not_called(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, caller, claim = hook(house, clock, A), Noting(), calling._claim  # noqa: SLF001  between two steps of it

    def claim_and_leave(*given: object) -> object:
        claimed = claim(*given)  # type: ignore[arg-type]  # as it is called
        unsubscribe(house, unsubscribe_token(house.key, left.public_id))
        return claimed

    Outages(house, clock).published()
    monkeypatch.setattr(calling, "_claim", claim_and_leave)
    await call_all(house, clock, caller)
    assert caller.called == []


async def test_a_slip_in_each_of_two_incidents_ends_no_subscription(house: House, clock: Clock) -> None:
    one, caller, outages = hook(house, clock, A), Noting(), Outages(house, clock)
    caller.refusal = RecipientRefusedForNow("it answered 503")
    first = outages.published()
    await call_all(house, clock, caller)
    outages.close(first)
    await call_all(house, clock, caller)
    clock.move(timedelta(days=10))
    outages.published()
    await call_all(house, clock, caller)
    with house.store.reading() as connection:
        found = subscribers.get(connection, one.id)
    assert found is not None
    assert found.suppressed_at is None


async def is_given_up(house: House, clock: Clock, caller: Caller, one: Subscriber, tries: int) -> bool:
    """Let the webhook be called so often, an hour after each other, and tell whether it is given up then."""
    for _ in range(tries):
        await call_all(house, clock, caller)
        clock.move(timedelta(hours=1))
    with house.store.reading() as connection:
        found = subscribers.get(connection, one.id)
    assert found is not None
    return found.suppressed_at is not None


async def test_a_time_in_which_nobody_called_counts_against_no_webhook(house: House, clock: Clock) -> None:
    one, caller, outages = hook(house, clock, A), Noting(), Outages(house, clock)
    caller.refusal = RecipientRefusedForNow("it answered 503")
    first = outages.published()
    assert not await is_given_up(house, clock, caller, one, 1)
    outages.close(first)
    assert not await is_given_up(house, clock, caller, one, 1)
    clock.move(timedelta(days=14))
    outages.published()
    assert not await is_given_up(house, clock, caller, one, 48)
    assert await is_given_up(house, clock, caller, one, 25)


async def test_a_webhook_that_takes_something_meanwhile_is_not_given_up(house: House, clock: Clock) -> None:
    one, caller, outages = hook(house, clock, A), Noting(), Outages(house, clock)
    caller.refusal = RecipientRefusedForNow("it answered 503")
    outages.published()
    assert not await is_given_up(house, clock, caller, one, 48)
    with house.store.transaction() as connection:
        subscribers.note_call(connection, one.id, clock(), is_taken=True)
    assert not await is_given_up(house, clock, caller, one, 48)
