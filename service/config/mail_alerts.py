"""The section `mail_alerts`: which mails of the mailbox are alerts, by their senders and subjects."""

import re
from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from service.config.document import Document, texts
from service.config.kinds import OneOrMoreNames, Section, Truth
from service.config.settings import MailPattern
from service.config.webhook_form import BY_MAIL
from service.errors import Fault

_NEEDED: Final = ("monitor", "state")
_GROUPS: Final = frozenset({*_NEEDED, "entity"})


def _subject(text: str) -> str:
    try:
        groups = re.compile(text).groupindex
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"is no regular expression: {error}") from error
    for name in _NEEDED:
        if name not in groups:
            raise ValueError(f"does not say what is the {name}: put (?P<{name}>…) around it")
    if unknown := sorted(set(groups) - _GROUPS):
        raise ValueError(f"has a group `{unknown[0]}`: only monitor, state and entity mean something")
    return text


Subject = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=1000), AfterValidator(_subject)
]


class MailPatternForm(Section):
    """Mails of one monitoring product."""

    sender: OneOrMoreNames
    subject: Subject
    firing: OneOrMoreNames | None = None
    recovered: OneOrMoreNames | None = None
    acknowledged: OneOrMoreNames | None = None
    authentic: Truth = True

    def build(self) -> MailPattern:
        """Give what mails are compared with."""
        return MailPattern(
            senders=tuple(self.sender),
            subject=self.subject,
            firing=tuple(self.firing or ()),
            recovered=tuple(self.recovered or ()),
            acknowledged=tuple(self.acknowledged or ()),
            authentic=self.authentic,
        )


MailAlertsForm = Annotated[list[MailPatternForm], Field(default_factory=list)]


def check_mail_alerts(document: Document) -> list[Fault]:
    """Report a monitor whose alerts come by mail where no mail is one."""
    return list(_without_patterns(document))


def _without_patterns(document: Document) -> Iterator[Fault]:
    if isinstance(document.tree, dict) and document.tree.get("mail_alerts"):
        return
    for keys, provider in texts(document.tree, "monitors", "*", "provider"):
        if provider == BY_MAIL:
            text = f"`{BY_MAIL}` needs `mail_alerts` with `sender` and `subject`, which say which mails are alerts"
            yield document.fault(keys, text)
