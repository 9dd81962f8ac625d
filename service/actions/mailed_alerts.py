"""Taking in an alert that came as a mail. Who its sender is must be proven, since a From is easily made up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from service.actions.alerts import take_alerts
from service.actions.house import House
from service.config.settings import MailPattern, Policy
from service.errors import PostUnreadable
from service.mail.authenticity import Judgement, Verdict, judge
from service.mail.leaving import read_leaving
from service.mail.parsing import decode_words, parse_mail
from service.mail.replies import Reply
from service.providers.email import NAME, AlertMail, patterns_of, read_mail
from service.store import inbox_rows
from service.store.inbox_rows import InboxRow, InboxState

ALERT: Final = "alert"
"""What such a mail is taken for."""
NOT_AUTHENTIC: Final = "not_authentic"
UNREADABLE: Final = "unreadable"


def take_mailed_alert(house: House, row: InboxRow, reply: Reply, now: datetime) -> str | None:
    """Let a mail that is an alert have its effect and finish its row; gives the reason, or None where it is none.

    Never one of an employee, of ourselves, or that answers a notification. A monitoring product's mails are automatic
    ones as a rule. It may wait for the DNS.
    """
    patterns = _patterns(house, reply)
    if not patterns or read_leaving(row.raw, reply) is not None:
        return None
    judgement = _judgement(house, row.raw, reply.sender or "", now)
    believed = tuple(one for one in patterns if _is_believed(judgement, one))
    if not believed:
        return _refuse(house, row, judgement, NOT_AUTHENTIC, judgement.evidence)
    try:
        alert = read_mail(_mail(row.raw, reply), believed)
    except PostUnreadable as error:
        return _refuse(house, row, judgement, UNREADABLE, str(error))
    if alert is None:
        return None
    with house.store.transaction() as connection:
        inbox_rows.name_provider(
            connection, row.id, NAME, authentic=judgement.verdict, evidence=judgement.evidence
        )
    take_alerts(house, row.id, (alert,), row.received_at)
    return ALERT


def _patterns(house: House, reply: Reply) -> Sequence[MailPattern]:
    sender = reply.sender
    if not house.config.mail_alerts or reply.bounce or reply.tokens or sender is None:
        return ()
    if house.config.employee_by_email(sender) or sender.casefold() == house.own_address.casefold():
        return ()
    return patterns_of(sender, house.config.mail_alerts)


def _judgement(house: House, raw: bytes, sender: str, now: datetime) -> Judgement:
    """Judge the sender as if a token were not enough, for there is none."""
    proof = replace(house.authenticity, policy=Policy.REQUIRE)
    return judge(raw, sender, proof, house.look_up, now=now, own_address=house.own_address)


def _is_believed(judgement: Judgement, pattern: MailPattern) -> bool:
    if pattern.authentic:
        return judgement.verdict is Verdict.YES
    return judgement.verdict is not Verdict.NO


def _mail(raw: bytes, reply: Reply) -> AlertMail:
    mail = parse_mail(raw)
    try:
        sent_at = parsedate_to_datetime(mail.first("date"))
        sent_at = sent_at.replace(tzinfo=UTC) if sent_at.tzinfo is None else sent_at.astimezone(UTC)
    except (ValueError, OverflowError):
        sent_at = None
    return AlertMail(reply.sender or "", decode_words(mail.first("subject")), reply.new_text, sent_at)


def _refuse(house: House, row: InboxRow, judgement: Judgement, reason: str, explanation: str) -> str:
    with house.store.transaction() as connection:
        inbox_rows.finish(
            connection,
            row.id,
            InboxState.REFUSED,
            reason=reason,
            explanation=explanation,
            authentic=judgement.verdict,
            evidence=judgement.evidence,
        )
    return reason
