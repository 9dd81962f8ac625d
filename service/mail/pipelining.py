"""An SMTP session for bulk mail: commands are sent ahead where the relay offers PIPELINING (RFC 2920).

The end of one mail goes out together with the envelope of the next, whose text goes out only with the next call:
so at most one mail a session is ever under way. Opening and logging in are `smtp`'s. It never decides about
trying again.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final, NamedTuple, cast

import aiosmtplib

from service.config.settings import Smtp
from service.errors import RecipientRefused, RelayUnavailable
from service.mail.compose import Envelope
from service.mail.oauth import AccessTokens
from service.mail.smtp import DATA_TIMEOUT, QUIT_TIMEOUT, check_address, dotted, mail_options
from service.mail.smtp_answers import fault_of, is_go_on, is_refusal, is_taken, plain
from service.mail.smtp_login import COMMAND_TIMEOUT, connected

_ANSWER_LIMIT: Final = 64 * 1024
"""Bytes of one answer; more is no SMTP."""
_GOING_AWAY = 421
"""RFC 5321 section 3.8: the one answer that may come unasked."""
_CODE_LENGTH: Final = 3
_AFTER_CODE: Final = (b" ", b"-", b"\r", b"")
_COMMANDS_OF_ENVELOPE: Final = 3
_DATA: Final = b"DATA\r\n"


class _Answer(NamedTuple):
    code: int
    text: bytes

    def __str__(self) -> str:
        return f"{self.code} {plain(self.text.decode('utf-8', 'replace'))}".strip()


class PipelinedSession(asyncio.Protocol):
    """An open connection to the relay, which it reads itself; `open_pipelined` makes and ends it."""

    def __init__(
        self, client: aiosmtplib.SMTP, smtp: Smtp, *, command_timeout: float, data_timeout: float
    ) -> None:
        self.is_pipelining = client.supports_extension("pipelining")
        self.is_in_doubt = False
        """Whether a mail went out whole of which the relay has not said what becomes of it."""
        self.mails = 0
        """How many mails it said what becomes of."""
        self._client = client
        self._smtp = smtp
        self._command_timeout = command_timeout
        self._data_timeout = data_timeout
        self._ahead: Envelope | None = None
        self._owed = 0
        """Answers that are still to come."""
        self._received = b""
        self._lines: list[bytes] = []
        self._answers: deque[_Answer] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._fault = ""
        # uvloop's transports are of no class of asyncio
        self._transport = cast("asyncio.Transport", client.transport)
        self._transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether another mail may be sent; after RelayUnavailable it is False."""
        return not self._fault and not self._transport.is_closing()

    async def send(self, envelope: Envelope, *, then: Envelope | None = None) -> str:
        """Hand over one mail (lines ending in CRLF) and give the relay's answer, `250 Ok: queued …`.

        `then` is the mail of the next call: its envelope is sent ahead where the relay allows it, but nothing
        of its text. Raises RecipientRefused and RecipientRefusedForNow, after both of which the next mail may
        be sent; and RelayUnavailable, of those RelayWantsLogin, after which the session is over and `is_in_doubt`
        tells whether the relay may have taken the mail all the same.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead is not envelope:
            self.close("another mail was to follow")
        opening = b"" if ahead is envelope else self._opening(envelope)
        if not self.is_open:
            raise RelayUnavailable(f"the relay has ended this session{self._because()}")
        in_step = False
        try:
            if self.is_pipelining:
                answer = await self._pipelined(envelope, opening, then)
            else:
                answer = await self._one_by_one(envelope, opening)
            in_step = is_taken(answer.code) or is_refusal(answer.code)
        finally:
            if not in_step:  # cancelled or broken half-way: the next answer would be taken for another's
                self.close("it was broken off half-way")
        self.mails += in_step
        if is_taken(answer.code):
            return str(answer)
        raise fault_of(self._smtp, answer.code, str(answer))

    async def _pipelined(self, envelope: Envelope, opening: bytes, then: Envelope | None) -> _Answer:
        if opening:
            self._write(opening, answers=_COMMANDS_OF_ENVELOPE)
        mail = await self._answer(self._command_timeout)
        rcpt = await self._answer(self._command_timeout)
        data = await self._answer(self._command_timeout)
        for answer in (mail, rcpt):
            if not is_taken(answer.code):
                return await self._step_over(refusal=answer, rcpt=rcpt, data=data, then=then)
        if not is_go_on(data.code):
            refusal = _out_of_step(data) if is_taken(data.code) else data
            return await self._step_over(refusal=refusal, rcpt=rcpt, data=data, then=then)
        self.is_in_doubt = True
        self._write_and_open(_text(envelope), then)
        taken = await self._answer(self._data_timeout)
        self.is_in_doubt = False
        return taken

    async def _step_over(
        self, *, refusal: _Answer, rcpt: _Answer, data: _Answer, then: Envelope | None
    ) -> _Answer:
        """Bring the relay back to where the next mail may begin; gives the refusal."""
        if not is_refusal(refusal.code):
            return refusal
        if is_go_on(data.code) and is_taken(rcpt.code):
            self.close("the relay wants the text of a mail that it refused")
        elif is_go_on(data.code):
            # RFC 2920 section 3.1: where no recipient was taken, an empty text ends the mail
            self._write_and_open(b".\r\n", then)
            await self._answer(self._data_timeout)
        else:
            self._write_and_open(b"RSET\r\n", then)
            if not is_taken((await self._answer(self._command_timeout)).code):
                self.close("the relay does not forget a refused mail")
        return refusal

    async def _one_by_one(self, envelope: Envelope, opening: bytes) -> _Answer:
        answer, command = _Answer(0, b""), b""
        for command in opening.splitlines(keepends=True):
            answer = await self._exchange(command, self._command_timeout)
            if not is_taken(answer.code):
                break
        if is_go_on(answer.code) and command == _DATA:
            self.is_in_doubt = True
            answer = await self._exchange(_text(envelope), self._data_timeout)
            self.is_in_doubt = False
        elif is_taken(answer.code):
            return _out_of_step(answer)
        elif is_refusal(answer.code) and not is_taken(
            (await self._exchange(b"RSET\r\n", self._command_timeout)).code
        ):
            self.close("the relay does not forget a refused mail")
        return answer

    def _opening(self, envelope: Envelope) -> bytes:
        """Write the commands that open a mail; raises RecipientRefused for what this relay cannot be told."""
        sender, recipient = envelope.sender, envelope.recipient
        if sender:
            check_address(sender)
        check_address(recipient)
        options = b"".join(
            b" " + option for option in mail_options(self._client, sender, recipient, envelope.message)
        )
        opening = b"MAIL FROM:<%b>%b\r\nRCPT TO:<%b>\r\n" % (sender.encode(), options, recipient.encode())
        return opening + _DATA

    def _write_and_open(self, text: bytes, then: Envelope | None) -> None:
        """End this mail and, in the same packet, begin the next."""
        if then is not None:
            with suppress(RecipientRefused):  # it is raised when the mail is sent
                self._write(text + self._opening(then), answers=1 + _COMMANDS_OF_ENVELOPE)
                self._ahead = then
                return
        self._write(text, answers=1)

    async def _exchange(self, command: bytes, seconds: float) -> _Answer:
        self._write(command, answers=1)
        return await self._answer(seconds)

    def _write(self, text: bytes, *, answers: int) -> None:
        self._owed += answers
        self._transport.write(text)

    async def _answer(self, seconds: float) -> _Answer:
        """Wait for the whole of the next answer. They come in the order of the commands (RFC 2920 section 3.2)."""
        if not self._answers:
            loop = asyncio.get_running_loop()
            too_late = loop.call_later(seconds, self.close, "it did not answer in time")
            try:
                while not self._answers:
                    if self._fault:
                        where = f"{self._smtp.host}:{self._smtp.port}"
                        raise RelayUnavailable(f"the relay {where}{self._because()}")
                    self._waiter = loop.create_future()
                    await self._waiter
            finally:
                too_late.cancel()
        return self._answers.popleft()

    async def quit(self) -> None:
        """Take leave, where no mail is under way."""
        if self.is_open and not self._owed and self._ahead is None:
            with suppress(RelayUnavailable):
                await self._exchange(b"QUIT\r\n", QUIT_TIMEOUT)

    def close(self, why: str) -> None:
        """Hang up."""
        self._fault = self._fault or why
        self._transport.abort()
        self._wake()

    def data_received(self, data: bytes) -> None:
        """Take what the relay said."""
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            if self._fault:  # what follows would be taken for the answer to something else
                return
            self._take_line(line)
        if (self._received or self._lines) and self._unfinished() > _ANSWER_LIMIT:
            self.close("it answers without end")
        self._wake()

    def _unfinished(self) -> int:
        return len(self._received) + sum(map(len, self._lines))

    def _take_line(self, line: bytes) -> None:
        code, between, text = line[:_CODE_LENGTH], line[3:4], line[_CODE_LENGTH + 1 :]
        if not (len(code) == _CODE_LENGTH and code.isdigit() and between in _AFTER_CODE):
            self.close(f"answered {plain(line.decode('utf-8', 'replace'))!r}, which is no SMTP")
            return
        if between == b"-" or self._lines:
            self._lines.append(text)
            if between == b"-":
                return
            text, self._lines = b" ".join(self._lines), []
        self._owed -= 1
        answer = _Answer(int(code), text)
        if self._owed < 0:
            self.close(f"answered unasked: {answer}" if answer.code != _GOING_AWAY else f"said {answer}")
        else:
            self._answers.append(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that it is over."""
        self._fault = self._fault or f"closed the connection ({exc})".replace(" (None)", "")
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _because(self) -> str:
        return f": {self._fault}" if self._fault else ""


@asynccontextmanager
async def open_pipelined(
    smtp: Smtp,
    *,
    tokens: AccessTokens | None = None,
    now: datetime | None = None,
    command_timeout: float = COMMAND_TIMEOUT,
    data_timeout: float = DATA_TIMEOUT,
) -> AsyncIterator[PipelinedSession]:
    """Open a session as `smtp.connected` does, whose errors it raises; close it at the end."""
    async with connected(smtp, tokens=tokens, now=now, command_timeout=command_timeout) as client:
        session = PipelinedSession(client, smtp, command_timeout=command_timeout, data_timeout=data_timeout)
        yield session
        await session.quit()


def _out_of_step(answer: _Answer) -> _Answer:
    """Give what stands for an answer that fits no question, and so ends the session."""
    return _Answer(0, f"{answer} to DATA".encode())


def _text(envelope: Envelope) -> bytes:
    """Give the text of a mail as it goes out after DATA."""
    return envelope.message + b".\r\n" if envelope.is_dotless else dotted(envelope.message)
