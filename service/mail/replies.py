"""Raw mail bytes → a frozen `Reply`: who orders what about which incident, and for which reason it is so taken.

Pure: never acts, never looks anything up, raises nothing but MailUnreadable. What it reads authorises nothing;
whether the token is known, the sender the right one and authentic is judged by others.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from service.errors import MailUnreadable
from service.mail.authenticity import Judgement
from service.mail.automatic import find_automatic_sign, is_bounce
from service.mail.charsets import UNKNOWN_LETTER
from service.mail.commands import mentions_command
from service.mail.html_text import html_to_lines
from service.mail.lines import fold_line, is_question
from service.mail.parsing import ParsedMail, decode_words, parse_mail
from service.mail.plain_text import cut_to_lines
from service.mail.quotes import NewText, find_new_text
from service.mail.refusals import asks, refuses
from service.mail.sender import read_sender
from service.mail.signatures import is_only_signature
from service.mail.spoken import Edit, Order, read_order
from service.mail.tokens import MOST_REFERENCES, SUBJECT_TAG, find_tokens, split_references
from service.mail.words import ENGLISH, Command, Vocabulary
from service.model import UpdateStatus

MOST_SHOWN = 80
"""Characters of the first line that are shown to its writer."""
_MOST_SUBJECT = 200
_LONGEST_MESSAGE_ID = 250
_MESSAGE_ID = re.compile(r"<[!-;=?A-Z\[-~]+@[!-;=?A-Z\[-~]+>")
_ENCRYPTED = frozenset(
    {"multipart/encrypted", "application/pgp-encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
)
_WINMAIL = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
"""What Outlook makes of a mail in its own format (TNEF): a file winmail.dat, which holds the text too."""
_REACTION = "text/vnd.google.email-reaction+json"
"""A mail with such a part is a click on a face, whatever its text says."""
_PGP_MESSAGE = "-----BEGIN PGP MESSAGE-----"
_NAME_WORD = re.compile(r"[^\W_]{2,}")
_LINK_IN_TEXT = re.compile(r"<(?:https?:|mailto:)[^<>]*>|\[(?:image|cid):[^\]]*\]")


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
    ENCRYPTED = "encrypted"
    """Only its recipient could read it (or its signature wraps it whole), and we are not equipped to."""
    WINMAIL = "winmail"
    """Its text is in winmail.dat, Outlook's own format, and nowhere else."""
    EMPTY = "empty"
    """There is no new text."""
    AMBIGUOUS = "ambiguous"
    """Its text and HTML disagree, or new text and quotes alternate."""
    GARBLED = "garbled"
    """Letters of a text for the public cannot be told: its bytes do not fit the character set that the mail names."""
    COMMAND_READ = "command_read"
    """The first line is exactly a command."""
    QUESTION = "question"
    """The first line asks."""
    NOT_EXACT = "not_exact"
    """The first line comes near a command: `please don't publish`, `publish tomorrow`."""
    TEXT_MISSING = "text_missing"
    """The first line orders an update, or a change of words, and no words follow."""
    ANY_REPLY = "any_reply"
    """It is no command, but in this installation any reply publishes that neither refuses nor asks."""
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
    span: timedelta | None
    """For a hold; None: as long as usual."""
    status: UpdateStatus | None
    """For an update that names one."""
    text: str
    """For an update or a close: what the public shall read."""
    edit: Edit | None
    """For an edit."""
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
    order: Order | None = None


def read_reply(
    raw: bytes,
    *,
    own_address: str,
    instance_id: str,
    vocabulary: Vocabulary = ENGLISH,
    any_reply_publishes: bool = False,
) -> Reply:
    """Read a mail that came to the mailbox of `own_address` (`status@acme.example`).

    Only its first 256 KiB are looked at. With `any_reply_publishes`, what is no command publishes too if it
    carries a token, unless it refuses, asks, or comes near a command that is not to publish; thanks do publish
    then. Raises MailUnreadable, naming the bound, for a mail of more than 50 parts or 10 levels or of no
    recognisable structure.
    """
    mail = parse_mail(raw)
    sender, sender_fault = read_sender(mail)
    bounce = is_bounce(mail, sender)
    sign = find_automatic_sign(mail, sender, own_address=own_address, instance_id=instance_id)
    tokens = find_tokens(mail.fields)
    any_publishes = any_reply_publishes and bool(tokens) and _REACTION not in mail.part_types
    ear = _Ear(vocabulary, _signers(mail, sender), any_publishes)
    reading = _read_bodies(mail, ear)
    never_acts = _reason_not_to_act(bounce=bounce, is_automatic=bool(sign), sender=sender)
    order = None if never_acts else reading.order
    subject = decode_words(mail.first("subject"))[:_MOST_SUBJECT]
    tag = SUBJECT_TAG.search(subject)
    return Reply(
        automatic=bounce or bool(sign),
        automatic_sign=sign or ("delivery status" if bounce else ""),
        bounce=bounce,
        tokens=tokens,
        token=tokens[0] if tokens else None,
        sender=sender,
        sender_fault=sender_fault,
        command=order.command if order else None,
        argument=order.argument if order else "",
        incident_number=order.incident_number if order else None,
        span=order.span if order else None,
        status=order.status if order else None,
        text=order.text if order else "",
        edit=order.edit if order else None,
        subject_tag=int(tag[1]) if tag else None,
        first_line=reading.new.first_line[:MOST_SHOWN],
        new_text=reading.new.text,
        reason=never_acts or (reading.reason if tokens else ReplyReason.NO_TOKEN),
        message_id=next(iter(_sound_ids(mail.first("message-id"))), None),
        references=_read_references(mail),
        subject=subject,
    )


def explain(reply: Reply, judgement: Judgement) -> dict[str, object]:
    """Give the JSON object of `replycast explain-reply`."""
    return {
        "automatic": reply.automatic,
        "bounce": reply.bounce,
        "token": reply.token,
        "sender": reply.sender,
        "authentic": judgement.verdict.value,
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


def _signers(mail: ParsedMail, sender: str | None) -> frozenset[str]:
    """Give the words of the sender's name and mailbox, by which a signature is known."""
    if sender is None:
        return frozenset()
    name = decode_words(mail.first("from")).rpartition("<")[0]
    local_part = sender.partition("@")[0].partition("+")[0]
    return frozenset(_NAME_WORD.findall(fold_line(f"{name} {local_part}")))


@dataclass(frozen=True, slots=True)
class _Ear:
    """What a body is listened to with."""

    vocabulary: Vocabulary
    signers: frozenset[str]
    any_reply_publishes: bool

    def judge(self, new: NewText) -> _Reading:
        if not new.first_line:
            return _Reading(ReplyReason.EMPTY, new)
        if new.is_among_quotes:
            return _Reading(ReplyReason.AMBIGUOUS, new)
        if is_question(new.first_line):
            return _Reading(ReplyReason.QUESTION, new)
        if order := read_order(new, self.vocabulary, self.signers):
            if order.lacks_text:
                return _Reading(ReplyReason.TEXT_MISSING, new)
            if any(UNKNOWN_LETTER in text for text in _texts(order)):
                return _Reading(ReplyReason.GARBLED, new)
            return _Reading(ReplyReason.COMMAND_READ, new, order)
        if self.any_reply_publishes and not is_only_signature(new.first_line, self.signers):
            return self._judge_any(new)
        is_near = mentions_command(new.first_line, self.vocabulary.words)
        return _Reading(ReplyReason.NOT_EXACT if is_near else ReplyReason.NO_COMMAND, new)

    def _judge_any(self, new: NewText) -> _Reading:
        if asks(new, self.vocabulary):
            return _Reading(ReplyReason.QUESTION, new)
        if refuses(new, self.vocabulary):
            return _Reading(ReplyReason.NOT_EXACT, new)
        return _Reading(ReplyReason.ANY_REPLY, new, Order(Command.PUBLISH))


def _read_bodies(mail: ParsedMail, ear: _Ear) -> _Reading:
    """Read text and HTML apart; a command counts only if the forms that are there agree on it.

    In HTML alone nothing below a quote counts, for there the client's own marks are all there is to go by.
    """
    if mail.part_types & _ENCRYPTED or (mail.text or "").lstrip().startswith(_PGP_MESSAGE):
        return _Reading(ReplyReason.ENCRYPTED, NewText("", ""))
    has_text = mail.text is not None and bool(mail.text.strip())
    has_html = mail.html is not None and bool(mail.html.strip())
    if not has_text and not has_html and mail.part_types & _WINMAIL:
        return _Reading(ReplyReason.WINMAIL, NewText("", ""))
    by_text = ear.judge(find_new_text(cut_to_lines(mail.text or ""), ear.vocabulary))
    if not has_html:
        return by_text
    in_html = find_new_text(html_to_lines(mail.html or ""), ear.vocabulary, may_stand_below=has_text)
    by_html = ear.judge(in_html)
    if not has_text:
        return by_html
    if not _agree(by_text.order, by_html.order):
        return _Reading(ReplyReason.AMBIGUOUS, by_text.new if by_text.new.first_line else by_html.new)
    return by_html if by_text.reason is ReplyReason.EMPTY else by_text


def _agree(one: Order | None, other: Order | None) -> bool:
    """Compare two readings of a mail; line breaks, links and the marks of bold words differ between text and HTML."""
    if one is None or other is None:
        return one is other
    essence = (one.command, one.incident_number, one.span, one.status)
    if essence != (other.command, other.incident_number, other.span, other.status):
        return False
    return _words(one) == _words(other)


def _words(order: Order) -> list[list[str]]:
    return [re.findall(r"\w+", _LINK_IN_TEXT.sub(" ", text)) for text in _texts(order)]


def _texts(order: Order) -> tuple[str, str, str]:
    """Give what the public would read."""
    edit = order.edit or Edit()
    return order.text, edit.subject or "", edit.message or ""


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
