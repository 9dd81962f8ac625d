"""Turns whatever goes wrong with an IMAP connection into MailboxUnavailable: one line, without the password."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from imapclient.exceptions import IMAPClientError

from service.config.settings import Imap
from service.errors import MailboxUnavailable
from service.mail.oauth import plain_line

FAULTS: Final = (IMAPClientError, OSError, ValueError, LookupError, TypeError, RecursionError, MemoryError)
"""What IMAPClient raises: refusals and aborts, sockets and TLS, answers that cannot be parsed."""


@contextmanager
def faults(imap: Imap, *secrets: str) -> Iterator[None]:
    """Raise MailboxUnavailable for what goes wrong within; none of `secrets` is in its text."""
    try:
        yield
    except FAULTS as fault:
        text = f"the mailbox {imap.host}:{imap.port} cannot be used: {plain(fault, imap, *secrets)}"
        raise MailboxUnavailable(text) from None


def plain(fault: BaseException, imap: Imap, *secrets: str) -> str:
    """Give the reason as one printable line."""
    return plain_line(str(fault) or type(fault).__name__, imap.password.reveal(), *secrets)[:300]
