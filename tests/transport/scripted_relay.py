"""An SMTP server that answers as a test tells it to, to see what the session makes of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from service.config.settings import Secret, Security, Smtp

CLOSE = "close"
"""Stands for an answer: the connection is lost."""
SILENCE = "silence"
"""Stands for an answer: there is none."""
LATER = "later"
"""Stands for an answer: the friendly one, once the test sets `is_free`."""

PIPELINING = {"EHLO": "250-relay\r\n250-8BITMIME\r\n250 PIPELINING"}
"""The answers of a relay that takes commands ahead."""

BeforeAnswer = Callable[[str, str], Awaitable[None]]
"""Awaited before an answer: the command, and to whom the mail is."""

_ANSWERS = {
    "greeting": "220 relay",
    "EHLO": "250-relay\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN",
    "HELO": "250 relay",
    "AUTH": "235 welcome",
    "MAIL": "250 sender ok",
    "RCPT": "250 recipient ok",
    "DATA": "354 go on",
    ".": "250 2.0.0 queued as 7",
    "RSET": "250 forgotten",
    "QUIT": "221 bye",
}


class ScriptedRelay:
    """A running server; `answers` may be changed at any time, `heard` holds all lines received."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.answers = {**_ANSWERS, **answers}
        self.heard: list[str] = []
        self.port = 0
        self.most_conversations = 1_000
        """How many it holds at once; more of them are told 421."""
        self.conversations = 0
        self.before: BeforeAnswer | None = None
        self.is_silent = asyncio.Event()
        """Set once it owes an answer that it will not give, or not yet."""
        self.is_free = asyncio.Event()

    @property
    def smtp(self) -> Smtp:
        """Settings to send through it."""
        return Smtp("127.0.0.1", self.port, Security.NONE)

    @property
    def smtp_with_login(self) -> Smtp:
        """Settings to log in and send through it."""
        return Smtp("127.0.0.1", self.port, Security.NONE, "ana", Secret("s3cret word"))

    def heard_commands(self) -> list[str]:
        """The first words of the commands, without those of the mail."""
        return [line.split()[0] for line in self.heard if line.split() and line.split()[0] in self.answers]

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation."""
        self.conversations += 1
        try:
            if self.conversations > self.most_conversations:
                writer.write(b"421 4.7.0 too many connections\r\n")
                return
            await self._say(writer, "greeting")
            in_mail, recipient = False, ""
            while received := await reader.readline():
                line = received.decode("utf-8", "replace").rstrip("\r\n")
                self.heard.append(line)
                if (in_mail and line != ".") or not line:
                    continue
                verb = line.split()[0].upper()
                if verb == "RCPT":
                    recipient = line.split("<")[1].split(">")[0]
                if self.before is not None:
                    await self.before(verb, recipient)
                await self._say(writer, verb)
                in_mail = verb == "DATA" and self.answers["DATA"].startswith("3")
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            self.conversations -= 1
            writer.close()

    async def _say(self, writer: asyncio.StreamWriter, verb: str) -> None:
        answer = self.answers.get(verb, "500 what?")
        if answer == CLOSE:
            raise ConnectionResetError
        if answer == SILENCE:
            self.is_silent.set()
            await asyncio.Event().wait()
        if answer == LATER:
            self.is_silent.set()
            await self.is_free.wait()
            answer = _ANSWERS[verb]
        writer.write(answer.encode("utf-8", "surrogateescape") + b"\r\n")
        await writer.drain()


@asynccontextmanager
async def scripted_relay(answers: Mapping[str, str] | None = None) -> AsyncIterator[ScriptedRelay]:
    """Run a relay whose answers differ from a friendly one's as `answers` says, by command."""
    relay = ScriptedRelay(answers or {})
    conversations: set[asyncio.Task[None]] = set()

    async def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        await relay.talk(reader, writer)

    server = await asyncio.start_server(let_in, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
