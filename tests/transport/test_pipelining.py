"""The session for bulk mail against a relay that answers as told: in step whatever it says, one mail under way."""

import asyncio
import re
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.config.settings import Secret, Security, Smtp
from service.errors import RecipientRefused, RecipientRefusedForNow, RelayUnavailable, ReplycastError
from service.mail.compose import Envelope
from service.mail.pipelining import PipelinedSession, open_pipelined
from service.mail.sandbox import Sandbox
from service.mail.smtp_answers import RelayWantsLogin
from tests.outbox.relays import answer_by_recipient
from tests.transport.loop_clock import LoopClock
from tests.transport.scripted_relay import CLOSE, PIPELINING, SILENCE, ScriptedRelay, scripted_relay

pytestmark = pytest.mark.anyio

WITHOUT: Final = {"EHLO": "250 relay"}
BOTH: Final = pytest.mark.parametrize("offers", [PIPELINING, WITHOUT], ids=["pipelining", "one by one"])
FRIENDLY: Final = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 ok", ".": "250 ok", "RSET": "250 ok"}


def mail(name: str, text: bytes = b"Hello.") -> Envelope:
    return Envelope(
        "status@acme.example", f"{name}@reader.example", b"Subject: hello\r\n\r\n" + text + b"\r\n"
    )


async def send_all(session: PipelinedSession, *mails: Envelope) -> list[str]:
    """Send mails, each announced by the one before; gives the answers."""
    following = [*mails[1:], None]
    return [await session.send(one, then=then) for one, then in zip(mails, following, strict=True)]


def commands(relay: ScriptedRelay) -> list[str]:
    return relay.heard_commands()[1:]


@BOTH
async def test_many_mails_arrive_in_their_order(offers: dict[str, str]) -> None:
    async with scripted_relay(offers) as relay:
        async with open_pipelined(relay.smtp) as session:
            assert await send_all(session, *map(mail, "abc")) == ["250 2.0.0 queued as 7"] * 3
        assert commands(relay) == [*["MAIL", "RCPT", "DATA", "."] * 3, "QUIT"]
        assert [line for line in relay.heard if line.startswith("RCPT")] == [
            f"RCPT TO:<{name}@reader.example>" for name in "abc"
        ]


class SilentOnSecond(dict[str, str]):
    """A relay's answers that stop at the second DATA."""

    asked = 0

    def get(self, verb: str, otherwise: Any = None) -> Any:  # noqa: ANN401  dict's own signature
        """Answer a command."""
        self.asked += verb == "DATA"
        return SILENCE if self.asked > 1 else super().get(verb, otherwise)


async def test_the_next_envelope_goes_ahead_but_nothing_of_its_text() -> None:
    async with scripted_relay(PIPELINING) as relay, open_pipelined(relay.smtp) as session:
        relay.answers = SilentOnSecond(relay.answers)
        await session.send(mail("a"), then=mail("b", b"The second."))
        await relay.is_silent.wait()
        assert commands(relay) == ["MAIL", "RCPT", "DATA", ".", "MAIL", "RCPT", "DATA"]
        assert "The second." not in relay.heard


async def test_without_pipelining_nothing_goes_ahead() -> None:
    async with scripted_relay(WITHOUT) as relay, open_pipelined(relay.smtp) as session:
        await session.send(mail("a"), then=mail("b"))
        assert commands(relay) == ["MAIL", "RCPT", "DATA", "."]


async def test_an_announced_mail_that_is_not_sent_ends_the_session_without_a_word() -> None:
    async with scripted_relay(PIPELINING) as relay:
        async with open_pipelined(relay.smtp) as session:
            await session.send(mail("a"), then=mail("b"))
        assert "QUIT" not in commands(relay)
        async with open_pipelined(relay.smtp) as session:
            await session.send(mail("a"), then=mail("b"))
            with pytest.raises(RelayUnavailable, match="another mail"):
                await session.send(mail("c"))


@BOTH
@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"MAIL": "451 later"}, RecipientRefusedForNow),
        ({"MAIL": "552 too large"}, RecipientRefused),
        ({"MAIL": "552 too large", "RCPT": "503 MAIL first", "DATA": "503 RCPT first"}, RecipientRefused),
        ({"RCPT": "550 5.1.1 no such user", "DATA": "554 no valid recipients"}, RecipientRefused),
        ({"RCPT": "450 4.2.0 greylisted", "DATA": "503 RCPT first"}, RecipientRefusedForNow),
        ({"RCPT": "550 5.1.1 no such user", ".": "554 no valid recipients"}, RecipientRefused),
        ({"DATA": "451 not now"}, RecipientRefusedForNow),
        ({"DATA": "554 no"}, RecipientRefused),
        ({".": "554 5.7.1 spam"}, RecipientRefused),
        ({".": "451-4.3.0 queue file\r\n451 4.3.0 write error"}, RecipientRefusedForNow),
    ],
    ids=str,
)
async def test_after_a_refused_mail_the_next_one_goes_out(
    offers: dict[str, str], answers: dict[str, str], error: type[ReplycastError]
) -> None:
    async with scripted_relay({**offers, **answers}) as relay, open_pipelined(relay.smtp) as session:
        first_said = next(iter(answers.values())).split("\r\n")[0]
        with pytest.raises(error, match=re.escape(first_said.replace("-", " ", 1))):
            await session.send(mail("a"))
        assert not session.is_in_doubt
        relay.answers |= FRIENDLY
        if session.is_open:
            assert await send_all(session, mail("b"), mail("c")) == ["250 ok"] * 2
        else:
            assert answers == {"MAIL": first_said}
            assert offers is PIPELINING, "the relay wants a text, and an empty mail must reach nobody"


async def test_where_a_refused_mail_was_announced_the_others_arrive_whole() -> None:
    async with scripted_relay(PIPELINING) as relay, open_pipelined(relay.smtp) as session:
        answer_by_recipient(relay, lambda line: "550 no such user" if "<b@" in line else None)
        first, refused, last = mail("a"), mail("b", b"not sent"), mail("c", b"the last")
        await session.send(first, then=refused)
        with pytest.raises(RecipientRefused, match="550 no such user"):
            await session.send(refused, then=last)
        assert await session.send(last) == "250 2.0.0 queued as 7"
        assert commands(relay) == ["MAIL", "RCPT", "DATA", "."] * 3, "an empty text ended the second"
        assert "not sent" not in relay.heard
        assert "the last" in relay.heard


@BOTH
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize(
    "answer",
    ["421 4.3.2 going down", CLOSE, SILENCE, "nonsense", "530 5.7.0 log in", "999 x", "199 x"],
)
async def test_what_is_no_fault_of_the_mail_ends_the_session(
    offers: dict[str, str], verb: str, answer: str
) -> None:
    async with (
        scripted_relay({**offers, verb: answer}) as relay,
        open_pipelined(relay.smtp, command_timeout=0.2, data_timeout=0.2) as session,
    ):
        with pytest.raises(RelayUnavailable):
            await session.send(mail("a"), then=mail("b"))
        assert not session.is_open
        assert session.is_in_doubt == (verb == "." and answer in {CLOSE, SILENCE, "nonsense"})
        with pytest.raises(RelayUnavailable):
            await session.send(mail("b"))


@BOTH
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "."])
async def test_a_relay_that_waits_for_more_than_there_is_ends_the_session(
    offers: dict[str, str], verb: str
) -> None:
    async with scripted_relay({**offers, verb: "334 go on"}) as relay, open_pipelined(relay.smtp) as session:
        with pytest.raises(RelayUnavailable, match="334 go on"):
            await session.send(mail("a"), then=mail("b"))
        assert (session.is_open, session.is_in_doubt) == (False, False)


@BOTH
@pytest.mark.parametrize(
    "answers",
    [
        {"MAIL": "200 ok"},
        {"RCPT": "251 forwarded"},
        {"RCPT": "252 cannot verify, will try"},
        {"RCPT": "299 ok"},
        {"DATA": "350 go on"},
        {".": "200 Ok: queued as 7"},
        {".": "202 taken"},
        {"RCPT": "550 no such user", "RSET": "200 forgotten"},
    ],
    ids=str,
)
async def test_of_an_answer_the_first_digit_decides(offers: dict[str, str], answers: dict[str, str]) -> None:
    taken = answers.get(".", "250 2.0.0 queued as 7")
    async with scripted_relay({**offers, **answers}) as relay, open_pipelined(relay.smtp) as session:
        if "RSET" in answers:
            relay.answers["DATA"] = "503 RCPT first"
            with pytest.raises(RecipientRefused):
                await session.send(mail("x"))
            relay.answers |= {"RCPT": "250 ok", "DATA": "354 go on"}
        assert await send_all(session, mail("a"), mail("b")) == [taken] * 2


@BOTH
async def test_an_answer_that_trickles_in_gets_no_more_time(
    offers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        scripted_relay({**offers, ".": SILENCE}) as relay,
        open_pipelined(relay.smtp, data_timeout=300) as session,
    ):
        sending = asyncio.create_task(session.send(mail("a")))
        await relay.is_silent.wait()
        clock = LoopClock(monkeypatch)
        for _ in range(4):
            session.data_received(b"250-still looking\r\n")
            await clock.move(100)
        assert sending.done()
        with pytest.raises(RelayUnavailable, match="it did not answer in time"):
            await sending
        assert session.is_in_doubt


@BOTH
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("code", ["530", "534", "535", "538"])
async def test_a_relay_that_wants_a_login_says_what_is_to_be_set(
    offers: dict[str, str], verb: str, code: str
) -> None:
    async with (
        scripted_relay({**offers, verb: f"{code} 5.7.0 log in"}) as relay,
        open_pipelined(relay.smtp) as session,
    ):
        with pytest.raises(RelayWantsLogin) as fault:
            await session.send(mail("a"), then=mail("b"))
        assert not session.is_in_doubt
    assert f"without `mail.smtp.security` or `mail.smtp.username`: {code} 5.7.0" in str(fault.value)


async def test_an_answer_that_nobody_asked_for_ends_the_session() -> None:
    async with scripted_relay({**PIPELINING, ".": "250 ok\r\n250 ok"}) as relay:
        async with open_pipelined(relay.smtp) as session:
            await session.send(mail("a"))
            with pytest.raises(RelayUnavailable):
                await session.send(mail("b"))
        assert commands(relay).count("DATA") == 1, "its answer would be taken for another's"


async def test_an_answer_without_end_ends_the_session() -> None:
    async with (
        scripted_relay({**PIPELINING, "RCPT": "\r\n".join(["250-and so on"] * 20_000)}) as relay,
        open_pipelined(relay.smtp) as session,
    ):
        with pytest.raises(RelayUnavailable, match="without end"):
            await session.send(mail("a"))


async def test_a_cancelled_mail_leaves_no_answer_for_the_next() -> None:
    async with scripted_relay({**PIPELINING, ".": SILENCE}) as relay, open_pipelined(relay.smtp) as session:
        sending = asyncio.create_task(session.send(mail("a"), then=mail("b")))
        await relay.is_silent.wait()
        sending.cancel()
        await asyncio.wait({sending})
        assert sending.cancelled()
        assert (session.is_open, session.is_in_doubt) == (False, True)


@BOTH
@pytest.mark.parametrize(
    "recipient",
    ["", "ana", "a@b@acme.example", "ana@acme.example\r\nRCPT TO:<eve@evil.example>", "ä@b.example"],
)
async def test_what_is_no_address_never_reaches_the_wire(offers: dict[str, str], recipient: str) -> None:
    unfit = Envelope("status@acme.example", recipient, b"a: b\r\n\r\nc\r\n")
    async with scripted_relay(offers) as relay, open_pipelined(relay.smtp) as session:
        await session.send(mail("a"), then=unfit)
        with pytest.raises(RecipientRefused):
            await session.send(unfit, then=mail("c"))
        assert commands(relay) == ["MAIL", "RCPT", "DATA", "."]
        assert await session.send(mail("c"))


async def test_a_login_is_made_before() -> None:
    offers = {"EHLO": "250-relay\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN"}
    async with scripted_relay(offers) as relay, open_pipelined(relay.smtp_with_login) as session:
        assert await send_all(session, mail("a"), mail("b"))
        assert commands(relay)[0] == "AUTH"


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_relay_without_tls_is_not_spoken_to_in_clear(security: Security) -> None:
    async with scripted_relay(PIPELINING) as relay:
        with pytest.raises(RelayUnavailable):
            async with open_pipelined(Smtp("127.0.0.1", relay.port, security, "ana", Secret("s3cret"))):
                pytest.fail("it was opened")
        assert not {"AUTH", "MAIL"} & set(relay.heard_commands())


TEXTS = st.lists(st.sampled_from([b".", b"..", b".x", b"x", b"", b"x."]), min_size=1, max_size=6)


@given(mails=st.lists(TEXTS, min_size=1, max_size=3))
def test_a_text_arrives_as_it_was_sent(mails: list[list[bytes]]) -> None:
    sent = [b"a: b\r\n\r\n" + b"".join(line + b"\r\n" for line in lines) for lines in mails]

    async def scenario() -> list[bytes]:
        sandbox = await Sandbox.start(own_address="status@acme.example")
        envelopes = [Envelope("", f"{number}@acme.example", raw) for number, raw in enumerate(sent)]
        async with open_pipelined(sandbox.smtp) as session:
            await send_all(session, *envelopes)
        await sandbox.stop()
        return [kept.raw for kept in sandbox.mails]

    assert asyncio.run(scenario()) == sent


async def test_an_answer_to_data_that_is_none_is_no_success() -> None:
    async with (
        scripted_relay({**PIPELINING, "DATA": "250 ok"}) as relay,
        open_pipelined(relay.smtp) as session,
    ):
        with pytest.raises(RelayUnavailable, match="250 ok to DATA"):
            await session.send(mail("a"))
