"""The session against a relay that answers as told, and against the sandbox."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.config.settings import Secret, Security, Smtp
from service.errors import (
    RecipientRefused,
    RecipientRefusedForNow,
    RelayUnavailable,
    ReplycastError,
)
from service.mail.sandbox import Sandbox
from service.mail.smtp import Session, open_session
from tests.transport.scripted_relay import CLOSE, SILENCE, scripted_relay

pytestmark = pytest.mark.anyio

MAIL = b"Subject: hello\n\nHello.\n"


async def send(session: Session, recipient: str = "ana@acme.example", message: bytes = MAIL) -> str:
    return await session.send(sender="status@acme.example", recipient=recipient, message=message)


async def test_the_answer_of_the_relay_is_given_back() -> None:
    async with scripted_relay() as relay, open_session(relay.smtp) as session:
        assert await send(session) == "250 2.0.0 queued as 7"


async def test_one_session_sends_many_mails() -> None:
    async with scripted_relay() as relay:
        async with open_session(relay.smtp) as session:
            for _ in range(3):
                await send(session)
        assert relay.heard_commands() == ["EHLO", *["MAIL", "RCPT", "DATA", "."] * 3, "QUIT"]


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"RCPT": "550 5.1.1 no such user"}, RecipientRefused),
        ({"RCPT": "553 bad"}, RecipientRefused),
        ({"RCPT": "450 4.2.0 greylisted"}, RecipientRefusedForNow),
        ({"RCPT": "452 too many"}, RecipientRefusedForNow),
        ({"MAIL": "552 too large"}, RecipientRefused),
        ({"MAIL": "451 later"}, RecipientRefusedForNow),
        ({"DATA": "554 no"}, RecipientRefused),
        ({".": "554 5.7.1 spam"}, RecipientRefused),
        ({".": "451 4.3.0 queue file"}, RecipientRefusedForNow),
    ],
)
async def test_after_a_refused_mail_the_next_one_goes_out(
    answers: dict[str, str], error: type[ReplycastError]
) -> None:
    async with scripted_relay(answers) as relay, open_session(relay.smtp) as session:
        (refusal,) = answers.values()
        with pytest.raises(error, match=refusal):
            await send(session)
        relay.answers |= {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 ok", ".": "250 ok"}
        assert session.is_open
        assert await send(session) == "250 ok"
        assert "RSET" in relay.heard_commands()


@pytest.mark.parametrize(
    "answers",
    [
        {"MAIL": "200 ok"},
        {"RCPT": "252 cannot verify, will try"},
        {"DATA": "350 go on"},
        {".": "200 Ok: queued as 7"},
        {"RSET": "200 forgotten"},
    ],
    ids=str,
)
async def test_of_an_answer_the_first_digit_decides(answers: dict[str, str]) -> None:
    async with scripted_relay(answers) as relay, open_session(relay.smtp) as session:
        if "RSET" in answers:
            relay.answers["RCPT"] = "550 no such user"
            with pytest.raises(RecipientRefused):
                await send(session)
            relay.answers["RCPT"] = "250 ok"
        assert await send(session) == answers.get(".", "250 2.0.0 queued as 7")
        assert await send(session)


async def test_an_answer_to_data_that_is_none_is_no_success() -> None:
    async with scripted_relay({"DATA": "250 ok"}) as relay, open_session(relay.smtp) as session:
        with pytest.raises(RelayUnavailable, match="250 ok to DATA"):
            await send(session)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize(
    "answer", ["421 4.3.2 going down", CLOSE, SILENCE, "nonsense", "530 5.7.0 log in", "999 x"]
)
async def test_what_is_no_fault_of_the_mail_ends_the_session(verb: str, answer: str) -> None:
    async with (
        scripted_relay({verb: answer}) as relay,
        open_session(relay.smtp, command_timeout=0.2, data_timeout=0.2) as session,
    ):
        with pytest.raises(RelayUnavailable):
            await send(session)
        assert not session.is_open
        with pytest.raises(RelayUnavailable):
            await send(session)


@pytest.mark.parametrize(
    "answers",
    [
        {"greeting": "554 not you"},
        {"greeting": "421 busy"},
        {"greeting": CLOSE},
        {"greeting": "hello?"},
        {"EHLO": "502 no", "HELO": "502 no"},
        {"EHLO": CLOSE},
        {"AUTH": "535 5.7.8 wrong"},
        {"AUTH": "454 later"},
        {"AUTH": CLOSE},
        {"EHLO": "250 relay without AUTH"},
    ],
)
async def test_a_session_that_cannot_be_opened_says_so(answers: dict[str, str]) -> None:
    async with scripted_relay(answers) as relay:
        with pytest.raises(RelayUnavailable):
            async with open_session(relay.smtp_with_login):
                pytest.fail("it was opened")


@pytest.mark.parametrize("answer", ["535 you said s3cret word", "535 \udcff"])
async def test_no_error_holds_the_password_or_what_cannot_be_stored(answer: str) -> None:
    async with scripted_relay({"AUTH": answer}) as relay:
        with pytest.raises(RelayUnavailable) as fault:
            async with open_session(relay.smtp_with_login):
                pytest.fail("it was opened")
    assert "s3cret word" not in str(fault.value)
    assert str(fault.value).isprintable()


async def test_a_relay_without_ehlo_is_used_with_helo() -> None:
    async with scripted_relay({"EHLO": "502 no"}) as relay, open_session(relay.smtp) as session:
        assert await send(session)


async def test_a_relay_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(RelayUnavailable, match=r"127\.0\.0\.1:1"):
        async with open_session(Smtp("127.0.0.1", 1, Security.NONE)):
            pytest.fail("it was opened")


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_relay_without_tls_is_not_spoken_to_in_clear(security: Security) -> None:
    async with scripted_relay() as relay:
        with pytest.raises(RelayUnavailable):
            async with open_session(Smtp("127.0.0.1", relay.port, security, "ana", Secret("s3cret"))):
                pytest.fail("it was opened")
        assert not {"AUTH", "MAIL"} & set(relay.heard_commands())


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "ana",
        "ana@",
        "@acme.example",
        "a@b@acme.example",
        "ana@acme.example\r\nRCPT TO:<eve@evil.example>",
        "ana\n@acme.example",
        " ana@acme.example",
        "ana @acme.example",
        "Ana <ana@acme.example>",
        "<ana@acme.example>",
        "ana@acme.example>",
        "ana@acme.example,eve@evil.example",
        '"ana ray"@acme.example',
        "ana\x00@acme.example",
        "ana\u2028@acme.example",
        "ana\udcff@acme.example",
        "a" * 250 + "@acme.example",
    ],
)
async def test_what_is_no_address_never_reaches_the_wire(recipient: str) -> None:
    async with scripted_relay() as relay, open_session(relay.smtp) as session:
        with pytest.raises(RecipientRefused):
            await send(session, recipient)
        assert relay.heard_commands() == ["EHLO"]
        assert await send(session)


@given(st.text(alphabet='ab@.+<>\r\n "\\,;:()\x00é', max_size=12))
def test_a_recipient_goes_out_unchanged_or_not_at_all(recipient: str) -> None:
    async def scenario() -> list[str]:
        async with scripted_relay() as relay, open_session(relay.smtp) as session:
            try:
                await send(session, recipient)
            except RecipientRefused:
                return []
            return [line for line in relay.heard if line.startswith("RCPT")]

    assert asyncio.run(scenario()) in ([], [f"RCPT TO:<{recipient}>"])


@pytest.mark.parametrize(
    ("recipient", "message", "option"),
    [
        ("ana@acme.example", "Subject: ü\n\nü".encode(), " BODY=8BITMIME"),
        ("änä@acme.example", MAIL, " SMTPUTF8"),
        ("ana@acme.example", MAIL, ""),
    ],
)
async def test_8bit_is_asked_for_only_where_needed(recipient: str, message: bytes, option: str) -> None:
    async with scripted_relay() as relay, open_session(relay.smtp) as session:
        await send(session, recipient, message)
        assert f"MAIL FROM:<status@acme.example>{option}" in relay.heard


@pytest.mark.parametrize(
    ("recipient", "message", "reason"),
    [("ana@acme.example", "ü".encode(), "8BITMIME"), ("änä@acme.example", MAIL, "SMTPUTF8")],
)
async def test_8bit_is_not_put_to_a_relay_that_does_not_take_it(
    recipient: str, message: bytes, reason: str
) -> None:
    async with scripted_relay({"EHLO": "250 relay"}) as relay, open_session(relay.smtp) as session:
        with pytest.raises(RecipientRefused, match=reason):
            await send(session, recipient, message)
        assert await send(session)


async def test_a_cancelled_mail_leaves_no_answer_for_the_next() -> None:
    async with scripted_relay({".": SILENCE}) as relay, open_session(relay.smtp) as session:
        sending = asyncio.create_task(send(session))
        await relay.is_silent.wait()
        sending.cancel()
        await asyncio.wait({sending})
        assert sending.cancelled()
        assert not session.is_open


@pytest.mark.parametrize("message", [b"a: b\n\n.\n..\nend", b"a: b\r\n\r\n.\r\n..\r\nend\r\n"])
async def test_the_sandbox_receives_a_mail_as_it_was_sent(message: bytes) -> None:
    sandbox = await Sandbox.start(own_address="status@acme.example")
    async with open_session(sandbox.smtp) as session:
        await session.send(sender="", recipient="ana@acme.example", message=message)
    await sandbox.stop()
    (kept,) = sandbox.mails
    assert (kept.number, kept.sender, kept.recipient) == (1, "", "ana@acme.example")
    assert kept.raw == b"a: b\r\n\r\n.\r\n..\r\nend\r\n"
