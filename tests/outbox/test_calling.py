"""Webhooks are called by whoever claimed them: what was taken is noted, and no slip ends a subscription."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.actions.subscriber_admin import add_webhook
from service.actions.subscribing import unsubscribe
from service.calls.calling import Caller
from service.errors import RecipientRefusedForNow
from service.mail.compose import unsubscribe_token
from service.model import Subscriber
from service.outbox import calling
from service.outbox.calling import call_due
from service.store import subscribers
from tests.rooms import Clock
from tests.web.outages import Outages

pytestmark = pytest.mark.anyio
A, B = "https://a.hook.example/", "https://b.hook.example/"


class Noting(Caller):
    """Calls nobody, and notes whom it was to call."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.refusal: RecipientRefusedForNow | None = None

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
