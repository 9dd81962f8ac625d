"""The sandbox's reply mailbox: pymap's in-memory IMAP server with one user, within our own event loop.

For trying out and tests only: pymap is no longer maintained, so nothing else of the service may know it.
"""

import asyncio
import secrets
import ssl
from argparse import Namespace
from asyncio import StreamReader, StreamWriter
from typing import Final

from proxyprotocol.result import ProxyResultLocal
from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, Identity, Login
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import UserMetadata
from pysasl import SASLAuth
from pysasl.hashing import Cleartext
from pysasl.mechanism.login import LoginMechanism
from pysasl.mechanism.plain import PlainMechanism

from service.config.settings import Imap, Secret, Security

LOOPBACK: Final = "127.0.0.1"
KEPT: Final = 1000
"""Processed replies that stay readable; older ones are forgotten."""
STOP_PATIENCE: Final = 2.0
"""Seconds that open connections get to end by themselves."""
_WAYS_TO_LOG_IN: Final = SASLAuth([PlainMechanism(), LoginMechanism()])


class _Settings(Config):
    @property
    def greeting(self) -> bytes:
        """Greet without asking the name service who we are."""
        return b"Replycast sandbox ready"

    @property
    def tls_auth(self) -> SASLAuth:
        """Offer pymap's own ways to log in, which it finds by searching all installed packages at each connection."""
        return _WAYS_TO_LOG_IN


class ReplyMailbox:
    """A mailbox on a loopback port; `imap` holds the settings to read it with. `start` makes it."""

    def __init__(self, imap: Imap, server: asyncio.Server, owner: Identity, door: "_Door") -> None:
        self.imap = imap
        self._server = server
        self._owner = owner
        self._door = door

    @classmethod
    async def start(cls, *, port: int = 0) -> "ReplyMailbox":
        """Listen on the loopback interface; 0 takes a free port. Raises OSError where the port is taken."""
        username, password = f"replies-{secrets.token_hex(4)}", secrets.token_urlsafe(18)
        settings = _Settings(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            host=LOOPBACK,
            port=port,
            demo_data=False,
            demo_user=username,
            demo_password=password,
            tls_enabled=False,
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
            hash_context=Cleartext(),
            cpu_subsystem=Subsystem.for_asyncio(),
            reject_dnsbl=False,
        )
        login = Login(settings)
        owner = Identity(username, login, None, frozenset())
        await owner.set(UserMetadata(settings, username, password=password))
        door = _Door(IMAPServer(login, settings))
        server = await asyncio.start_server(door.let_in, LOOPBACK, port)
        port = server.sockets[0].getsockname()[1]
        imap = Imap(LOOPBACK, port, Security.NONE, username, Secret(password))
        return cls(imap, server, owner, door)

    async def put(self, raw: bytes) -> None:
        """Append a mail to the folder that is read, as a mail server does when it delivers."""
        async with self._owner.new_session() as session:
            inbox = await session.mailbox_set.get_mailbox(self.imap.folder)
            await inbox.append(AppendMessage(raw), recent=True)
            try:
                processed = await session.mailbox_set.get_mailbox(self.imap.processed_folder)
            except KeyError:
                return
            uids = [message.uid async for message in processed.messages()]
            await processed.delete(uids[:-KEPT])

    async def stop(self) -> None:
        """Stop listening and end all connections; when it returns no task is left."""
        self._server.close()
        await self._door.close()
        await self._server.wait_closed()


class _Door:
    """Lets IMAP clients in and remembers them, so that stopping can wait until all are gone."""

    def __init__(self, serve: IMAPServer) -> None:
        self._serve = serve
        self._inside: dict[asyncio.Task[None] | None, StreamWriter] = {}

    async def let_in(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        self._inside[task] = writer
        try:
            await self._serve(reader, writer, SocketInfo.get(writer, ProxyResultLocal()))
        except RuntimeError:
            if not writer.is_closing():  # uvloop raises it where pymap says BYE to a client that has gone
                raise
        finally:
            writer.close()
            del self._inside[task]

    async def close(self) -> None:
        for writer in self._inside.values():
            writer.close()  # reads as the client's leaving: pymap then ends its tasks for this client itself
        tasks = [task for task in self._inside if task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_PATIENCE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
