"""Logging in by XOAUTH2 to a mailbox and a relay that really check the token."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from service.config.settings import Imap, OAuth, Secret, Smtp
from service.errors import MailboxLoginRefused, MailboxUnavailable, RelayUnavailable
from service.mail.oauth import AccessTokens
from service.mail.sandbox import Sandbox
from service.mail.smtp import Session, open_session
from service.mail.smtp_answers import RelayLoginRefused
from tests.transport.bearer_imap import BearerDoor, bearer_door
from tests.transport.bearer_relay import BearerRelay, bearer_relay
from tests.transport.oauth_double import REFRESH_TOKEN, OAuthDouble, oauth_double
from tests.transport.rows import NOW, Rows, mail, running
from tests.transport.scripted_relay import scripted_relay

PutReply = Callable[[bytes], None]
MAIL = b"Subject: hello\n\nHello.\n"
REVOKED = Secret("revoked")


@pytest.fixture
def double() -> Iterator[OAuthDouble]:
    with oauth_double() as running_double:
        yield running_double


@pytest.fixture
def door(sandbox: Sandbox, double: OAuthDouble) -> Iterator[BearerDoor]:
    double.owner = sandbox.imap.username
    with bearer_door(sandbox.imap, double.lets_in) as open_door:
        yield open_door


def read_once(rows: Rows, imap: Imap) -> int:
    reader = rows.reader(imap)
    try:
        return reader.poll_once()
    finally:
        reader.close()


@pytest.mark.parametrize("refresh_token", [REFRESH_TOKEN, ""], ids=["user", "application"])
def test_a_mailbox_is_read_by_an_access_token(
    double: OAuthDouble, door: BearerDoor, put_reply: PutReply, refresh_token: str
) -> None:
    rows = Rows()
    put_reply(mail("one"))
    assert read_once(rows, door.imap(double.oauth(refresh_token=refresh_token))) == 1
    assert rows.subjects == ["one"]
    assert door.logins == double.given


def test_the_token_is_kept_from_one_connection_to_the_next(double: OAuthDouble, door: BearerDoor) -> None:
    reader = Rows().reader(door.imap(double.oauth()))
    for _ in range(3):
        reader.poll_once()
        reader.close()
    assert (len(door.logins), len(double.asked)) == (3, 1)


def test_a_token_that_ended_meanwhile_is_renewed_before_the_login(
    double: OAuthDouble, door: BearerDoor
) -> None:
    rows = Rows()
    reader = rows.reader(door.imap(double.oauth()))
    reader.poll_once()
    reader.close()
    double.let_pass(3600)
    rows.now += timedelta(seconds=3600)
    reader.poll_once()
    reader.close()
    assert door.logins == double.given
    assert len(double.given) == 2


def test_a_token_that_is_refused_before_its_time_is_renewed_once(
    double: OAuthDouble, door: BearerDoor
) -> None:
    reader = Rows().reader(door.imap(double.oauth()))
    reader.poll_once()
    reader.close()
    double.let_pass(3600)
    reader.poll_once()
    reader.close()
    assert door.logins == [double.given[0], *double.given]
    assert door.answers_to_refusals == [b"\r\n"]


def test_a_login_refused_twice_is_given_up_with_the_status_and_without_the_token(
    double: OAuthDouble, door: BearerDoor
) -> None:
    double.owner = "somebody else"
    with pytest.raises(MailboxLoginRefused, match=r"Invalid credentials.*\(status 400\)") as refusal:
        read_once(Rows(), door.imap(double.oauth()))
    assert door.logins == double.given
    assert len(double.given) == 2
    assert not any(token in str(refusal.value) for token in double.given)


def test_a_refused_login_waits_a_quarter_of_an_hour(double: OAuthDouble, door: BearerDoor) -> None:
    double.owner = "somebody else"
    rows = Rows()
    with running(rows.reader(door.imap(double.oauth()))) as stop:
        while not rows.warnings and not stop.wait(0.01):
            pass
    assert [warning.rpartition("; ")[2] for warning in rows.warnings] == ["trying again in 15 minutes"]
    assert len(door.logins) == 2


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ("refresh_token", MailboxLoginRefused, "no longer takes the refresh token"),
        ("client_secret", MailboxLoginRefused, "does not take this client_id and client_secret"),
        ("outage", MailboxUnavailable, "is out of order: 503"),
    ],
)
def test_without_a_token_the_mailbox_is_not_knocked_at(
    double: OAuthDouble, door: BearerDoor, change: str, error: type[Exception], sentence: str
) -> None:
    oauth = double.oauth(**({change: "something else"} if change != "outage" else {}))
    double.answer_instead = (503, b"") if change == "outage" else None
    with pytest.raises(error, match=sentence):
        read_once(Rows(), door.imap(oauth))
    assert door.logins == []


def test_a_mailbox_that_offers_no_such_login_is_told_so(double: OAuthDouble, door: BearerDoor) -> None:
    door.offers = b"IMAP4rev1 AUTH=PLAIN"
    with pytest.raises(
        MailboxLoginRefused, match="offers no login by XOAUTH2: check host, port and security"
    ):
        read_once(Rows(), door.imap(double.oauth()))


def test_a_server_in_trouble_is_no_refused_login(double: OAuthDouble, door: BearerDoor) -> None:
    double.owner = "somebody else"
    door.refusal = b" NO [UNAVAILABLE] try again later\r\n"
    with pytest.raises(MailboxUnavailable, match="try again later"):
        read_once(Rows(), door.imap(double.oauth()))
    assert len(double.given) == 1


def test_a_server_that_repeats_our_token_does_not_get_it_into_the_log(
    double: OAuthDouble, door: BearerDoor
) -> None:
    double.owner = "somebody else"
    told = b64encode(
        f"user={door.imap(double.oauth()).username}\x01auth=Bearer access.token-2\x01\x01".encode()
    )
    door.refusal = b" NO you sent access.token-2, that is " + told + b"\r\n"
    with pytest.raises(MailboxLoginRefused, match=r"you sent \*\*\*, that is \*\*\*"):
        read_once(Rows(), door.imap(double.oauth()))


@pytest.mark.parametrize("farewell", ["BYE", "NO"])
def test_a_session_whose_token_ends_is_followed_by_one_with_another(
    double: OAuthDouble, door: BearerDoor, put_reply: PutReply, farewell: str
) -> None:
    door.says_bye = farewell == "BYE"
    rows = Rows()
    put_reply(mail("one"))
    with running(rows.reader(door.imap(double.oauth()), idle_slice=0.05)):
        rows.next_mail()
        double.let_pass(3600)
        put_reply(mail("two"))
        rows.next_mail()
    assert rows.subjects == ["one", "two"]
    assert set(door.logins) == set(double.given)
    assert len(double.given) == 2


def test_no_secret_is_logged(
    double: OAuthDouble, door: BearerDoor, put_reply: PutReply, caplog: pytest.LogCaptureFixture
) -> None:
    # by name too: where a command ran before in this process, it has made these loggers quiet
    for name in ("", "httpx2", "httpcore2", "imapclient"):
        caplog.set_level(logging.DEBUG, logger=name)
    put_reply(mail("one"))
    oauth = double.oauth()
    read_once(Rows(), door.imap(oauth))
    said = [b64encode(f"user={double.owner}\x01auth=Bearer {double.given[0]}\x01\x01".encode()).decode()]
    secrets = [oauth.client_secret.reveal(), oauth.refresh_token.reveal(), *double.given, *said]
    assert caplog.records
    assert not any(secret in caplog.text for secret in secrets)


@asynccontextmanager
async def session_with(
    smtp: Smtp, oauth: OAuth, tokens: AccessTokens | None = None
) -> AsyncIterator[Session]:
    """Open a session with new tokens, or with those of an earlier one."""
    used = tokens or AccessTokens(oauth, username=smtp.username)
    async with open_session(smtp, tokens=used, now=NOW) as session:
        yield session


async def send(session: Session) -> None:
    await session.send(sender="status@acme.example", recipient="ana@acme.example", message=MAIL)


@pytest.fixture
async def relay(double: OAuthDouble) -> AsyncIterator[BearerRelay]:
    async with bearer_relay(double.lets_in) as running_relay:
        yield running_relay


@pytest.mark.anyio
@pytest.mark.parametrize("refresh_token", [REFRESH_TOKEN, ""], ids=["user", "application"])
async def test_mails_are_sent_by_an_access_token(
    double: OAuthDouble, relay: BearerRelay, refresh_token: str
) -> None:
    oauth = double.oauth(refresh_token=refresh_token)
    async with session_with(relay.smtp(double.owner, oauth), oauth) as session:
        await send(session)
    assert len(relay.taken) == 1
    assert relay.logins == double.given


@pytest.mark.anyio
async def test_a_relays_token_is_kept_and_where_it_is_refused_renewed_once(
    double: OAuthDouble, relay: BearerRelay
) -> None:
    oauth = double.oauth()
    smtp = relay.smtp(double.owner, oauth)
    tokens = AccessTokens(oauth, username=smtp.username)
    for seconds in (0, 0, 3600):
        double.let_pass(seconds)
        async with session_with(smtp, oauth, tokens) as session:
            await send(session)
    first, second = double.given
    assert relay.logins == [first, first, first, second]
    assert relay.answers_to_refusals == [b""]


@pytest.mark.anyio
async def test_a_relay_that_refuses_twice_is_left_alone(double: OAuthDouble, relay: BearerRelay) -> None:
    oauth = double.oauth()
    smtp = relay.smtp("somebody@else.example", oauth)
    with pytest.raises(
        RelayLoginRefused, match=r"refused the access token .* 535 .*\(status 401\)"
    ) as refusal:
        async with session_with(smtp, oauth):
            pass
    assert relay.logins == double.given
    assert len(double.given) == 2
    assert not any(token in str(refusal.value) for token in double.given)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ("refresh_token", RelayLoginRefused, "no longer takes the refresh token"),
        ("client_secret", RelayLoginRefused, "does not take this client_id and client_secret"),
        ("outage", RelayUnavailable, "is out of order: 503"),
    ],
)
async def test_without_a_token_the_relay_is_not_knocked_at(
    double: OAuthDouble, relay: BearerRelay, change: str, error: type[Exception], sentence: str
) -> None:
    oauth = double.oauth(**({change: "something else"} if change != "outage" else {}))
    double.answer_instead = (503, b"") if change == "outage" else None
    with pytest.raises(error, match=sentence):
        async with session_with(relay.smtp(double.owner, oauth), oauth):
            pass
    assert relay.logins == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answers", "error", "sentence"),
    [
        ({}, RelayUnavailable, "offers no login by XOAUTH2"),
        ({"EHLO": "250 AUTH XOAUTH2", "AUTH": "454 4.7.0 later"}, RelayUnavailable, "454 4.7.0 later"),
        ({"EHLO": "250 AUTH XOAUTH2", "AUTH": "close"}, RelayUnavailable, "cannot be used"),
        ({"EHLO": "250 AUTH XOAUTH2", "AUTH": "535 no access.token-2"}, RelayLoginRefused, r"no \*\*\*"),
    ],
)
async def test_a_relay_that_does_not_play_along_is_named(
    double: OAuthDouble, answers: dict[str, str], error: type[Exception], sentence: str
) -> None:
    oauth = double.oauth()
    async with scripted_relay(answers and {**answers, "EHLO": f"250-relay\r\n{answers['EHLO']}"}) as relay:
        smtp = Smtp("127.0.0.1", relay.port, relay.smtp.security, double.owner, oauth=oauth)
        with pytest.raises(error, match=sentence) as fault:
            async with session_with(smtp, oauth):
                pass
    assert type(fault.value) is error


@pytest.mark.anyio
async def test_a_relay_is_not_blocked_while_its_token_is_asked_for(
    double: OAuthDouble, relay: BearerRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    oauth = double.oauth()
    loop, ticked = asyncio.get_running_loop(), asyncio.Event()
    answer = double.answer

    def answer_late(form: dict[str, str]) -> tuple[int, bytes]:
        asyncio.run_coroutine_threadsafe(ticked_by(ticked), loop).result(10)
        return answer(form)

    monkeypatch.setattr(double, "answer", answer_late)
    async with session_with(relay.smtp(double.owner, oauth), oauth) as session:
        await send(session)
    assert ticked.is_set()


async def ticked_by(event: asyncio.Event) -> None:
    """Show that the event loop runs."""
    event.set()
