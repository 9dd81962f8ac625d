"""Postfix and Dovecot together, as a company has them: what is sent to acme.example lies in a mailbox."""

import itertools
import shutil
import smtplib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.config.settings import Imap, Security, Smtp
from tests.mailservers import dovecot, postfix, processes

DOMAIN = "acme.example"
ADDRESSES = tuple(
    f"{name}@{DOMAIN}"
    for name in ("status", "jordan", "sam", "ana", "lee", dovecot.PREFIXED, *(f"box{n}" for n in range(60)))
)
"""Everybody who has a mailbox; `box…` are for tests that want one nobody else uses."""


@dataclass(frozen=True)
class MailServers:
    """A running Postfix that delivers to a running Dovecot; each can be stopped and started for an outage."""

    dovecot: dovecot.Dovecot
    postfix: postfix.Postfix
    certificate: Path
    """What a client must trust (SSL_CERT_FILE) to use STARTTLS or TLS."""
    unused: Iterator[str]

    @property
    def smtp(self) -> Smtp:
        """Settings to send by."""
        return self.postfix.smtp()

    @property
    def lmtp_port(self) -> int:
        """Where Dovecot takes mails for its mailboxes."""
        return self.dovecot.lmtp_port

    def imap_for(self, address: str, *, security: Security = Security.NONE) -> Imap:
        """Settings to read this address's mailbox."""
        return self.dovecot.imap_for(address, security=security)

    def new_address(self) -> str:
        """Give an address whose mailbox is empty and used by nobody else."""
        return next(self.unused)

    def deliver(self, recipient: str, raw: bytes, *, sender: str = f"ana@{DOMAIN}") -> None:
        """Put a mail into a mailbox at once, without Postfix's queue."""
        with smtplib.LMTP(processes.LOOPBACK, self.lmtp_port) as client:
            client.sendmail(sender, [recipient], raw)


@contextmanager
def running_mail_servers() -> Iterator[MailServers]:
    """Start both in a temporary directory and end them afterwards; raise ServersMissing without them."""
    root = Path(tempfile.mkdtemp(prefix="replycast-mail-"))
    root.chmod(0o755)  # the servers' own users must get through
    try:
        for name in ("dovecot", "postfix"):
            (root / name).mkdir()
        certificate, key = processes.certificate(root)
        imap_server = dovecot.configure(root / "dovecot", ADDRESSES, certificate, key)
        relay = postfix.configure(
            root / "postfix",
            ADDRESSES,
            certificate,
            key,
            lmtp_port=imap_server.lmtp_port,
            auth_port=imap_server.auth_port,
        )
        try:
            imap_server.start()
            relay.start()
            boxes = (address for address in ADDRESSES if address.startswith("box"))
            yield MailServers(imap_server, relay, certificate, itertools.chain(boxes))
        finally:
            relay.stop()
            imap_server.stop()
    finally:
        shutil.rmtree(root)
