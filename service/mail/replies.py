"""Raw mail bytes → a frozen `Reply`: who orders what about which incident, and for which reason it is so taken.

Pure: never acts, never looks anything up, raises nothing but MailUnreadable. What it reads authorises nothing;
whether the token is known, the sender the right one and authentic is judged by others.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from service.errors import MailUnreadable
from service.mail.automatic import find_automatic_sign, is_bounce
from service.mail.commands import (
    Command,
    NewText,
    Spoken,
    find_new_text,
    is_question,
    mentions_command,
    read_command,
)
from service.mail.parsing import ParsedMail, decode_words, parse_mail, read_sender
from service.mail.plain_text import cut_to_lines, html_to_lines
from service.mail.tokens import MOST_REFERENCES, find_tokens, split_references

MOST_SHOWN = 80
"""Characters of the first line that are shown to its writer."""
_MOST_SUBJECT = 200
_LONGEST_MESSAGE_ID = 250
_MESSAGE_ID = re.compile(r"<[!-;=?A-Z\[-~]+@[!-;=?A-Z\[-~]+>")
_SUBJECT_TAG = re.compile(r"\[INC-([0-9]{1,9})\]", re.IGNORECASE)


class ReplyReason(StrEnum):
    """What a mail is taken for. The first that holds, in this order, is its reason."""

    BOUNCE = "bounce"
    """It says that a mail of ours was not delivered."""
    AUTOMATIC = "automatic"
    """A machine wrote it."""
    SENDER_UNCLEAR = "sender_unclear"
    """From is not exactly one sound address."""
    NO_TOKEN = "no_token"  # noqa: S105 - the name of a reason
    """It answers none of our mails; its command, if any, is read all the same."""
    EMPTY = "empty"
    """There is no new text."""
    AMBIGUOUS = "ambiguous"
    """Its text and HTML disagree, or new text and quotes alternate."""
    COMMAND_READ = "command_read"
    """The first line is exactly a command."""
    QUESTION = "question"
    """The first line asks."""
    NOT_EXACT = "not_exact"
    """The first line comes near a command: `please don't publish`, `publish tomorrow`."""
    NO_COMMAND = "no_command"
    """The first line is something else."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What one mail says, and what it is taken for."""

    automatic: bool
    """Also true of every bounce."""
    automatic_sign: str
    """The header field, mostly, that says so; "" for a person's mail."""
    bounce: bool
    tokens: tuple[str, ...]
    """Distinct, lower-case, the most trusted place first; whether they agree is for the store's reader."""
    token: str | None
    """The first of `tokens`."""
    sender: str | None
    """The one address of From, its domain in lower case; None if it is unclear."""
    sender_fault: str
    """Why the sender is unclear, or ""."""
    command: Command | None
    """Always None for a bounce, an automatic mail and an unclear sender: those never act."""
    argument: str
    """The rest of the command's line."""
    incident_number: int | None
    """The number named with the command; the token's incident must have it."""
    subject_tag: int | None
    """The number in the subject's `[INC-12]`: good for a polite answer, never for an act."""
    first_line: str
    """What was read, cut to 80 characters."""
    new_text: str
    """What the person wrote, as far as it can be told."""
    reason: ReplyReason
    message_id: str | None
    """Of this mail, sound enough for In-Reply-To; else None."""
    references: tuple[str, ...]
    """The last of its References, or its In-Reply-To, at most 20, each sound."""
    subject: str


class _Reading(NamedTuple):
    reason: ReplyReason
    new: NewText
    spoken: Spoken | None = None


def read_reply(raw: bytes, *, own_address: str, instance_id: str) -> Reply:
    """Read a mail that came to the mailbox of `own_address` (`status@acme.example`).

    Only its first 256 KiB are looked at. Raises MailUnreadable, naming the bound, for a mail of more than 50
    parts or 10 levels or of no recognisable structure.
    """
    mail = parse_mail(raw)
    sender, sender_fault = read_sender(mail)
    bounce = is_bounce(mail, sender)
    sign = find_automatic_sign(mail, sender, own_address=own_address, instance_id=instance_id)
    tokens = find_tokens(mail.fields)
    reading = _read_bodies(mail)
    never_acts = _reason_not_to_act(bounce=bounce, is_automatic=bool(sign), sender=sender)
    spoken = None if never_acts else reading.spoken
    subject = decode_words(mail.first("subject"))[:_MOST_SUBJECT]
    tag = _SUBJECT_TAG.search(subject)
    return Reply(
        automatic=bounce or bool(sign),
        automatic_sign=sign or ("delivery status" if bounce else ""),
        bounce=bounce,
        tokens=tokens,
        token=tokens[0] if tokens else None,
        sender=sender,
        sender_fault=sender_fault,
        command=spoken.command if spoken else None,
        argument=spoken.argument if spoken else "",
        incident_number=spoken.incident_number if spoken else None,
        subject_tag=int(tag[1]) if tag else None,
        first_line=reading.new.first_line[:MOST_SHOWN],
        new_text=reading.new.text,
        reason=never_acts or (reading.reason if tokens else ReplyReason.NO_TOKEN),
        message_id=next(iter(_sound_ids(mail.first("message-id"))), None),
        references=_read_references(mail),
        subject=subject,
    )


def explain(reply: Reply) -> dict[str, object]:
    """Give the JSON object of `replycast explain-reply`; authenticity is not judged yet: always unknown."""
    return {
        "automatic": reply.automatic,
        "bounce": reply.bounce,
        "token": reply.token,
        "sender": reply.sender,
        "authentic": "unknown",
        "command": None if reply.command is None else reply.command.value,
        "argument": reply.argument,
        "new_text": reply.new_text,
        "reason": reply.reason.value,
    }


def explain_unreadable(error: MailUnreadable) -> dict[str, object]:  # noqa: ARG001 - its text goes to stderr
    """Give the object of `explain` for a mail that cannot be read: the same keys, the reason `unreadable`."""
    return {
        "automatic": False,
        "bounce": False,
        "token": None,
        "sender": None,
        "authentic": "unknown",
        "command": None,
        "argument": "",
        "new_text": "",
        "reason": "unreadable",
    }


def _reason_not_to_act(*, bounce: bool, is_automatic: bool, sender: str | None) -> ReplyReason | None:
    if bounce:
        return ReplyReason.BOUNCE
    if is_automatic:
        return ReplyReason.AUTOMATIC
    return ReplyReason.SENDER_UNCLEAR if sender is None else None


def _read_bodies(mail: ParsedMail) -> _Reading:
    """Read text and HTML apart; a command counts only if the forms that are there agree on it.

    In HTML alone nothing below a quote counts, for there the client's own marks are all there is to go by.
    """
    has_text = mail.text is not None and bool(mail.text.strip())
    has_html = mail.html is not None and bool(mail.html.strip())
    by_text = _judge(find_new_text(cut_to_lines(mail.text or "")))
    if not has_html:
        return by_text
    by_html = _judge(find_new_text(html_to_lines(mail.html or ""), may_stand_below=has_text))
    if not has_text:
        return by_html
    if by_text.spoken != by_html.spoken:
        return _Reading(ReplyReason.AMBIGUOUS, by_text.new if by_text.new.first_line else by_html.new)
    return by_html if by_text.reason is ReplyReason.EMPTY else by_text


def _judge(new: NewText) -> _Reading:
    if not new.first_line:
        return _Reading(ReplyReason.EMPTY, new)
    if new.is_among_quotes:
        return _Reading(ReplyReason.AMBIGUOUS, new)
    if spoken := read_command(new.first_line):
        return _Reading(ReplyReason.COMMAND_READ, new, spoken)
    if is_question(new.first_line):
        return _Reading(ReplyReason.QUESTION, new)
    is_near = mentions_command(new.first_line)
    return _Reading(ReplyReason.NOT_EXACT if is_near else ReplyReason.NO_COMMAND, new)


def _read_references(mail: ParsedMail) -> tuple[str, ...]:
    ids = _sound_ids(mail.first("references")) or _sound_ids(mail.first("in-reply-to"))
    return tuple(dict.fromkeys(ids))[-MOST_REFERENCES:]


def _sound_ids(value: str) -> list[str]:
    """Keep what is surely a message id (RFC 5322, section 3.6.4): `<[a` makes the standard library raise."""
    return [
        reference
        for reference in split_references(value)
        if len(reference) <= _LONGEST_MESSAGE_ID and _MESSAGE_ID.fullmatch(reference)
    ]
