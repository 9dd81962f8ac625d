"""An employee who answers each mail that asks for a decision at once: a program that puts replies into the mailbox."""

import re
import smtplib
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from queue import SimpleQueue
from threading import Event, Thread
from typing import Final, Self

from sqlalchemy import Connection, select

from service.mail.sandbox_client import SandboxMail, reply_to
from service.store.inbox_rows import Door, InboxState
from service.store.schema import inbox
from tests.mailservers.processes import LOOPBACK
from tests.rooms import OWN_ADDRESS

ADDRESS: Final = "jordan@acme.example"
_INCIDENT: Final = re.compile(r"INC-\d+")
_AGAIN: Final = 0.05
"""Seconds before a mail server that did not take a reply is asked once more."""


def deliver_by_lmtp(port: int) -> Callable[[str, bytes], None]:
    """Give what puts a mail into a mailbox of a Dovecot; it raises OSError or SMTPException where it is away."""

    def deliver(recipient: str, raw: bytes) -> None:
        with smtplib.LMTP(LOOPBACK, port, timeout=5) as client:
            client.sendmail(ADDRESS, [recipient], raw)

    return deliver


class Employee:
    """Publishes every incident that he is asked about, by one reply each, during a block."""

    def __init__(self, deliver: Callable[[str, bytes], None]) -> None:
        self.replies: set[str] = set()
        """The Message-ID of each reply that is in the mailbox for sure."""
        self._deliver = deliver
        self._asked: SimpleQueue[SandboxMail | None] = SimpleQueue()
        self._answered: set[str] = set()
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, whether a server that is away has taken all replies or not."""
        self._stop.set()
        self._asked.put(None)
        self._thread.join()

    def got(self, recipient: str, raw: bytes) -> None:
        """Hear of a mail that was sent to anybody."""
        subject = str(message_from_bytes(raw)["Subject"])
        named = _INCIDENT.search(subject)
        if recipient == ADDRESS and named is not None and named[0] not in self._answered:
            self._answered.add(named[0])
            self._asked.put(SandboxMail(1, OWN_ADDRESS, recipient, raw))

    def left_to_do(self, connection: Connection) -> str:
        """Say which replies have had no effect yet; "" where there are none."""
        waiting = self.replies - self._done(connection).keys()
        return f"{len(waiting)} replies wait" if waiting or not self._asked.empty() else ""

    def broken_promises(self, connection: Connection) -> list[str]:
        """Say which replies were not taken once."""
        done = self._done(connection)
        return [
            *(f"the reply {one} was lost" for one in self.replies - done.keys()),
            *(f"the reply {one} counted {times} times" for one, times in done.items() if times > 1),
        ]

    def count_done(self, connection: Connection) -> int:
        """Count the replies that were worked off."""
        return len(self._done(connection))

    def _done(self, connection: Connection) -> Counter[str]:
        taken = select(inbox.c.raw).where(inbox.c.door == Door.MAIL, inbox.c.state == InboxState.DONE)
        return Counter(str(message_from_bytes(row.raw)["Message-ID"]) for row in connection.execute(taken))

    def _run(self) -> None:
        while not self._stop.is_set() and (asked := self._asked.get()) is not None:
            raw = reply_to(asked, "publish", now=datetime.now(UTC))
            to, message_id = (str(message_from_bytes(raw)[name]) for name in ("To", "Message-ID"))
            while not self._stop.is_set():
                try:
                    self._deliver(to, raw)
                except (OSError, smtplib.SMTPException):
                    time.sleep(_AGAIN)  # between two tries
                else:
                    self.replies.add(message_id)
                    break
