"""Alerts by e-mail: a mail's sender and subject → the alert that it is, by the patterns of config.yaml.

Whether the sender may be believed is asked elsewhere; a mail that is no alert is somebody else's.
"""

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from service.config.settings import MailPattern, Reading
from service.errors import PostUnreadable
from service.model import Alert
from service.providers.payload import meaning
from service.providers.post import RawPost
from service.providers.victorops import meanings_of
from service.providers.wording import MAX_ENTITY_LENGTH, MAX_MESSAGE_LENGTH, lines, name_of_monitor, one_line

NAME: Final = "email"
LONGEST_SUBJECT: Final = 500
"""Characters that are looked at: a pattern of config.yaml may take its time over more."""


@dataclass(frozen=True, slots=True)
class AlertMail:
    """What is looked at of a mail."""

    sender: str
    subject: str
    text: str = ""
    sent_at: datetime | None = None


def patterns_of(sender: str, patterns: Sequence[MailPattern]) -> tuple[MailPattern, ...]:
    """Give the patterns that a sender's address fits, compared without case."""
    folded = sender.casefold()
    return tuple(
        one for one in patterns if any(fnmatch.fnmatchcase(folded, glob.casefold()) for glob in one.senders)
    )


def read_mail(mail: AlertMail, patterns: Sequence[MailPattern]) -> Alert | None:
    """Read a mail by the first of its sender's patterns that its subject fits; None: it fits none.

    Raises PostUnreadable where the subject names no monitor, or a state that means nothing.
    """
    subject = one_line(mail.subject)[:LONGEST_SUBJECT]
    for pattern in patterns:
        found = _compiled(pattern.subject).search(subject)
        if found is None:
            continue
        said = {name: one_line(value or "") for name, value in found.groupdict().items()}
        known = meanings_of(pattern.firing, pattern.recovered, pattern.acknowledged)
        return Alert(
            provider=NAME,
            monitor_name=name_of_monitor(said["monitor"], "the monitor's name in the subject"),
            state=meaning(said["state"], known, "the state in the subject"),
            entity_id=said.get("entity", "")[:MAX_ENTITY_LENGTH] or None,
            raw_state=said["state"],
            message=lines(mail.text)[:MAX_MESSAGE_LENGTH],
            sent_at=mail.sent_at,
            fields=MappingProxyType({"sender": one_line(mail.sender), "subject": subject, **said}),
        )
    return None


def read(_post: RawPost, _reading: Reading) -> tuple[Alert, ...]:
    """Refuse a post: these alerts come as mails."""
    raise PostUnreadable("alerts of `email` come as mails to the mailbox, see `mail_alerts` in config.yaml")


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
