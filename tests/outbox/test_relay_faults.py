"""When the relay is to blame, no mail is: nothing is lost, nothing counted, and it is left in peace for a while."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.actions.house import House
from service.config.settings import Smtp
from service.mail.smtp_answers import RelayLoginRefused
from service.outbox import Relay, outcomes, sending
from service.outbox import relay as relays
from service.outbox.logins_wanted import MOST_OF_THEIR_OWN, LoginsWanted
from service.outbox.relay import retry_after
from tests.outbox.relays import (
    NOBODY_LISTENS,
    answer_by_recipient,
    look_at,
    office_of,
    queue,
    recipients_heard,
    send_due,
)
from tests.rooms import Clock
from tests.transport.scripted_relay import CLOSE, PIPELINING, scripted_relay

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


async def send(house: House, clock: Clock, relay: Relay) -> int:
    return await send_due(house.store, office_of(house), relay, clock)


@pytest.mark.anyio
async def test_a_relay_that_is_down_counts_no_attempt_and_loses_nothing(house: House, clock: Clock) -> None:
    relay = Relay(NOBODY_LISTENS)
    mails = queue(house, clock, "ana", "ben")
    for _ in range(10):
        clock.now = relay.paused_until or clock.now
        assert await send(house, clock, relay) == 2
    stand = [look_at(house, mail) for mail in mails]
    assert [(mail.attempts, mail.failed_at, mail.sent_at) for mail in stand] == [(0, None, None)] * 2
    assert all("cannot be used" in mail.last_error for mail in stand)
    async with scripted_relay() as server:
        clock.now = relay.paused_until or clock.now
        relay.smtp = server.smtp
        assert await send(house, clock, relay) == 2
    assert [look_at(house, mail).sent_at for mail in mails] == [clock()] * 2
    assert (relay.failures, relay.paused_until) == (0, None)


@pytest.mark.anyio
async def test_a_relay_that_refuses_the_login_is_not_knocked_at(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RelayLoginRefused("no login to the relay")

    monkeypatch.setattr(sending, "open_pipelined", refuse)
    relay = Relay(NOBODY_LISTENS)
    [mail] = queue(house, clock, "ana")
    await send(house, clock, relay)
    assert relay.paused_until == clock() + timedelta(minutes=15)
    assert look_at(house, mail).attempts == 0


@pytest.mark.anyio
async def test_a_relay_that_is_down_is_asked_less_and_less_often(house: House, clock: Clock) -> None:
    relay = Relay(NOBODY_LISTENS)
    queue(house, clock, "ana")
    pauses = []
    for _ in range(8):
        await send(house, clock, relay)
        assert relay.paused_until is not None
        pauses.append((relay.paused_until - clock()).total_seconds())
        clock.now = relay.paused_until - timedelta(microseconds=1)
        assert await send(house, clock, relay) == 0, "it is left in peace until then"
        clock.now = relay.paused_until
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answers",
    [
        {"greeting": "421 too busy"},
        {"greeting": CLOSE},
        {"AUTH": "535 wrong password"},
        {"MAIL": "421 too busy"},
    ],
    ids=str,
)
async def test_no_mail_fails_because_of_the_relay(
    house: House, clock: Clock, answers: dict[str, str]
) -> None:
    async with scripted_relay(answers) as server:
        relay = Relay(server.smtp_with_login)
        mails = queue(house, clock, "ana", "ben")
        for _ in range(9):
            await send(house, clock, relay)
            clock.now = relay.paused_until or clock.now
        assert [look_at(house, mail).failed_at for mail in mails] == [None, None]
        server.answers |= {"greeting": "220 relay", "AUTH": "235 welcome", "MAIL": "250 sender ok"}
        clock.move(relays.LONGEST_RETRY)
        await send(house, clock, relay)
        assert all(look_at(house, mail).sent_at for mail in mails)


@pytest.mark.anyio
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "."])
@pytest.mark.parametrize("offers", [{}, PIPELINING], ids=["one by one", "pipelining"])
async def test_a_relay_that_wants_a_login_is_no_fault_of_any_mail(
    house: House, clock: Clock, offers: dict[str, str], verb: str
) -> None:
    async with scripted_relay({**offers, verb: "530 5.7.0 authenticate first"}) as server:
        relay = Relay(server.smtp)
        mails = queue(house, clock, "ana", "ben")
        for _ in range(2 * outcomes.SUSPICIOUS_AFTER):
            await send(house, clock, relay)
            assert relay.paused_until is not None
            clock.now = relay.paused_until
        stand = [look_at(house, mail) for mail in mails]
        assert [(one.attempts, one.due_at) for one in stand] == [(0, clock())] * 2
        assert all("`mail.smtp.username`: 530 5.7.0 authenticate first" in one.last_error for one in stand)
        server.answers[verb] = "250 ok"
        await send(house, clock, relay)
        assert [look_at(house, mail).sent_at for mail in mails] == [clock()] * 2


@pytest.mark.anyio
@pytest.mark.parametrize("offers", [{}, PIPELINING], ids=["one by one", "pipelining"])
async def test_a_recipient_for_whom_alone_it_wants_a_login_stops_nobody_else_and_fails_in_the_end(
    house: House, clock: Clock, offers: dict[str, str]
) -> None:
    async with scripted_relay(offers) as server:
        answer_by_recipient(server, lambda line: "530 5.7.0 authenticate" if "<far@" in line else None)
        relay = Relay(server.smtp)
        far, *near = queue(house, clock, "far", "ana", "ben")
        await send(house, clock, relay)
        assert look_at(house, far).attempts == 0, "it may want one for all"
        assert relay.paused_until is not None
        clock.now = relay.paused_until
        await send(house, clock, relay)
        assert [look_at(house, mail).sent_at for mail in near] == [clock()] * 2
        deferred = look_at(house, far)
        assert deferred.attempts == 1
        assert not relay.is_paused(clock())
        assert deferred.due_at is not None
        assert deferred.due_at >= clock() + relays.FIRST_RETRY / 2
        assert "`mail.smtp.username`: 530 5.7.0 authenticate" in deferred.last_error
        clock.move(outcomes.USEFUL_FOR)
        await send(house, clock, relay)
        assert look_at(house, far).failed_at == clock()
        assert relay.paused_until is None


def test_a_relay_that_wants_a_login_for_many_in_a_row_wants_it_for_all() -> None:
    wanted = LoginsWanted()
    assert not wanted.is_for("r@far.example"), "nothing was taken so far"
    wanted.taken()
    many = [f"r{number}@far.example" for number in range(MOST_OF_THEIR_OWN + 1)]
    assert [wanted.is_for(one) for one in many] == [True] * MOST_OF_THEIR_OWN + [False]
    assert not wanted.is_for(many[0])
    wanted.taken()
    assert all(wanted.is_for("r@far.example") for _ in range(10 * MOST_OF_THEIR_OWN)), "one alone is its own"


def test_whom_it_took_nothing_for_goes_behind_the_others_and_then_whoever_is_at_the_same_domain() -> None:
    wanted = LoginsWanted()
    wanted.is_for("ana@far.example")
    waiting = ["ana@far.example", "ben@FAR.example", "boss@near.example"]
    assert sorted(waiting, key=wanted.likelihood) == waiting[::-1]
    wanted.taken()
    assert sorted(waiting, key=wanted.likelihood) == waiting


@pytest.mark.anyio
async def test_a_mail_that_always_ends_the_connection_steps_back(house: House, clock: Clock) -> None:
    async with scripted_relay() as server:
        answer_by_recipient(server, lambda line: CLOSE if "killer@" in line else None)
        relay = Relay(server.smtp)
        killer, ana, ben = queue(house, clock, "killer", "ana", "ben")
        for _ in range(outcomes.SUSPICIOUS_AFTER + 1):
            await send(house, clock, relay)
            clock.now = relay.paused_until or clock.now
        assert look_at(house, ana).sent_at
        assert look_at(house, ben).sent_at
        assert recipients_heard(server).count("killer@reader.example") == outcomes.SUSPICIOUS_AFTER
        stepped_back = look_at(house, killer)
        assert stepped_back.due_at is not None
        assert stepped_back.due_at > clock()
        assert look_at(house, ana).attempts == 1, "the others are not to blame"


@given(attempts=st.integers(1, 10_000))
def test_a_pause_before_the_next_attempt_keeps_its_bounds(attempts: int) -> None:
    pause = retry_after(attempts)
    assert relays.FIRST_RETRY / 2 <= pause <= relays.LONGEST_RETRY


@given(failures=st.integers(1, 200), smtp=st.just(NOBODY_LISTENS))
def test_a_relay_is_never_left_alone_for_longer_than_a_minute(failures: int, smtp: Smtp) -> None:
    relay = Relay(smtp)
    pauses = [relay.pause(NOW) - NOW for _ in range(failures)]
    assert pauses == sorted(pauses)
    assert pauses[0] == relays.FIRST_PAUSE
    assert pauses[-1] <= relays.LONGEST_PAUSE
    relay.works()
    assert relay.pause(NOW) - NOW == relays.FIRST_PAUSE
