"""How we come to a relay: by what name, with what patience, what we make of a refusal, and with how many logins."""

import asyncio
from dataclasses import replace

import pytest

from service.config.settings import Smtp
from service.errors import RelayUnavailable
from service.mail.smtp import open_session
from service.mail.smtp_answers import RelayLoginRefused
from service.mail.smtp_login import CONNECT_TIMEOUT, GREETING_TIMEOUT
from tests.transport.loop_clock import LoopClock
from tests.transport.scripted_relay import CLOSE, LATER, SILENCE, scripted_relay

pytestmark = pytest.mark.anyio

TRY_LATER = "421 4.7.0 Try again later, closing connection. (EHLO)"


async def come_and_go(smtp: Smtp) -> None:
    async with open_session(smtp):
        pass


async def test_a_relay_is_greeted_by_our_own_name() -> None:
    async with scripted_relay() as relay:
        await come_and_go(replace(relay.smtp, own_name="status.acme.example"))
        assert relay.heard == ["EHLO status.acme.example", "QUIT"]


@pytest.mark.parametrize("code", ["500", "502", "504", "550"])
async def test_a_relay_that_does_not_know_ehlo_is_greeted_as_of_old_by_the_same_name(code: str) -> None:
    async with scripted_relay({"EHLO": f"{code} what?"}) as relay:
        await come_and_go(replace(relay.smtp, own_name="status.acme.example"))
        assert relay.heard == ["EHLO status.acme.example", "HELO status.acme.example", "QUIT"]


@pytest.mark.parametrize("refusal", [TRY_LATER, "450 4.7.1 not you, not now"])
async def test_a_relay_that_refuses_the_greeting_for_now_is_not_greeted_otherwise(refusal: str) -> None:
    async with scripted_relay({"EHLO": refusal}) as relay:
        with pytest.raises(RelayUnavailable) as fault:
            await come_and_go(relay.smtp)
        assert relay.heard == ["EHLO localhost"]
    assert f"answered `EHLO localhost` with {refusal}" in str(fault.value)


@pytest.mark.parametrize("second", ["503 5.5.1 bad sequence", CLOSE])
async def test_of_two_refused_greetings_the_first_one_is_told(second: str) -> None:
    async with scripted_relay({"EHLO": "550 5.7.1 no such host", "HELO": second}) as relay:
        with pytest.raises(RelayUnavailable, match=r"550 5\.7\.1 no such host"):
            await come_and_go(relay.smtp)


async def test_why_the_greeting_was_refused_is_told_where_a_login_was_to_follow() -> None:
    async with scripted_relay({"EHLO": "550 5.7.1 no such host"}) as relay:
        with pytest.raises(RelayUnavailable, match=r"550 5\.7\.1 no such host"):
            await come_and_go(relay.smtp_with_login)
        assert relay.heard_commands() == ["EHLO"]


async def test_a_relay_that_lets_new_ones_wait_on_purpose_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with scripted_relay({"greeting": LATER}) as relay:
        coming = asyncio.create_task(come_and_go(relay.smtp))
        await relay.is_silent.wait()
        await LoopClock(monkeypatch).move(3 * CONNECT_TIMEOUT)
        assert not coming.done()
        relay.is_free.set()
        await coming


async def test_a_relay_that_never_greets_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_relay({"greeting": SILENCE}) as relay:
        coming = asyncio.create_task(come_and_go(relay.smtp))
        await relay.is_silent.wait()
        await LoopClock(monkeypatch).move(GREETING_TIMEOUT)
        assert coming.done()
        with pytest.raises(RelayUnavailable, match="did not greet us within 60 s"):
            await coming


async def test_a_relay_that_hangs_up_before_its_greeting_is_told_without_inner_words() -> None:
    async with scripted_relay({"greeting": CLOSE}) as relay:
        with pytest.raises(RelayUnavailable, match=rf"127\.0\.0\.1:{relay.port} cannot be used: \w") as fault:
            await come_and_go(relay.smtp)
    assert "None" not in str(fault.value)


async def test_a_wrong_password_is_one_failed_login() -> None:
    async with scripted_relay({"AUTH": "535 5.7.8 wrong"}) as relay:
        with pytest.raises(RelayLoginRefused):
            await come_and_go(relay.smtp_with_login)
        assert relay.heard_commands() == ["EHLO", "AUTH"]


async def test_a_login_that_the_relay_cannot_judge_now_is_not_tried_otherwise() -> None:
    async with scripted_relay({"AUTH": "454 4.7.0 later"}) as relay:
        with pytest.raises(RelayUnavailable):
            await come_and_go(relay.smtp_with_login)
        assert relay.heard_commands() == ["EHLO", "AUTH"]


async def test_a_way_to_log_in_that_is_offered_but_not_known_is_no_failed_login() -> None:
    async with scripted_relay({"AUTH": "504 5.5.4 unrecognised mechanism"}) as relay:
        with pytest.raises(RelayUnavailable, match="unrecognised mechanism"):
            await come_and_go(relay.smtp_with_login)
        assert [line.split()[1] for line in relay.heard if line.startswith("AUTH")] == ["PLAIN", "LOGIN"]


async def test_a_relay_without_logins_is_told_with_what_to_look_at() -> None:
    async with scripted_relay({"EHLO": "250 relay"}) as relay:
        with pytest.raises(RelayUnavailable, match="offers no login by password: check host, port"):
            await come_and_go(relay.smtp_with_login)
