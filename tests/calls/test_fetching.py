"""Getting what stands at a URL: bounded in time and size, and only from public addresses."""

import pytest

from service.calls import calling
from service.calls.calling import open_caller
from service.errors import RecipientRefused, RecipientRefusedForNow
from tests.calls.receiver import Receiver, receiving

pytestmark = pytest.mark.anyio


async def fetch(receiver: Receiver, most: int = 100) -> bytes:
    """Get what the receiver, which is on loopback, has."""
    async with open_caller(may_be_private=True) as caller:
        return await caller.fetch(receiver.url, most=most)


async def test_what_stands_there_is_given() -> None:
    async with receiving() as receiver:
        receiver.status, receiver.text = 200, b"-----BEGIN"
        assert await fetch(receiver) == b"-----BEGIN"


async def test_what_is_larger_than_asked_for_is_refused() -> None:
    async with receiving() as receiver:
        receiver.status, receiver.text = 200, b"x" * 101
        with pytest.raises(RecipientRefusedForNow, match="more than 100 bytes"):
            await fetch(receiver)


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_any_other_answer_is_refused_and_no_redirect_followed(status: int) -> None:
    async with receiving() as receiver:
        receiver.status, receiver.extra = status, b"Location: /elsewhere\r\n"
        with pytest.raises(RecipientRefusedForNow, match=f"it answered {status}"):
            await fetch(receiver)
    assert len(receiver.calls) == 1


async def test_no_answer_is_waited_for_no_longer_than_the_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "TIMEOUT", 0.05)
    async with receiving() as receiver:
        receiver.status = None
        with pytest.raises(RecipientRefusedForNow, match="no answer within"):
            await fetch(receiver)


async def test_an_address_of_our_own_network_is_not_called() -> None:
    async with receiving() as receiver, open_caller(may_be_private=False) as caller:
        with pytest.raises(RecipientRefused, match="own network"):
            await caller.fetch(receiver.url, most=100)
    assert receiver.calls == []


async def test_where_nobody_listens_it_is_refused_for_now() -> None:
    async with receiving() as receiver:
        url = receiver.url
    async with open_caller(may_be_private=True) as caller:
        with pytest.raises(RecipientRefusedForNow, match="cannot be called"):
            await caller.fetch(url, most=100)
