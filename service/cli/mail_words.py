"""Says for a person what a mail would be taken for, from the object of `replycast explain-reply`. It judges nothing."""

from collections.abc import Mapping
from typing import Any, Final

from service.config.settings import Policy
from service.mail.authenticity import Verdict
from service.mail.leaving import REASON as UNSUBSCRIBE
from service.mail.replies import ReplyReason
from service.mail.words import Command
from service.providers.wording import shown

_UNREADABLE: Final = "unreadable"
_NOBODY_ANSWERED: Final = {
    _UNREADABLE: "it cannot be read, or is larger or deeper than any honest mail",
    ReplyReason.BOUNCE: "it says that a mail of ours was not delivered, which is noted of that delivery",
    ReplyReason.AUTOMATIC: "a machine wrote it",
    ReplyReason.SENDER_UNCLEAR: "its From is not exactly one sound address",
}
"""Why a mail orders nothing, and is not answered either."""
_ANSWERED: Final = {
    ReplyReason.NO_TOKEN: "it answers none of our mails, or the token of that mail was lost on the way",
    ReplyReason.ENCRYPTED: "it is encrypted, so that its text cannot be read",
    ReplyReason.WINMAIL: "its text is in winmail.dat alone, which is Outlook's own format",
    ReplyReason.EMPTY: "there is no new text in it",
    ReplyReason.AMBIGUOUS: "its text and its HTML disagree, or new text stands among quotes",
    ReplyReason.QUESTION: "its first line asks something",
    ReplyReason.NOT_EXACT: "its first line comes near a command, but is not exactly one",
    ReplyReason.GARBLED: "letters of its text do not fit the character set that it names",
    ReplyReason.TEXT_MISSING: "its first line orders something for which words are missing",
    ReplyReason.NO_COMMAND: "its first line is no command",
}
"""Why a mail orders nothing; an employee would be told so."""
_ACTS: Final = {
    Command.PUBLISH: "publish the incident",
    Command.DISCARD: "discard the incident",
    Command.HOLD: "hold the incident, so that nothing happens by itself for a while",
    Command.UPDATE: "post an update",
    Command.CLOSE: "close the incident",
    Command.EDIT: "change the text to be published, which is then mailed back",
    Command.STATUS: "be answered with how the incident stands",
    Command.HELP: "be answered with the commands that there are",
}
_HARMLESS: Final = {Command.STATUS, Command.HELP}


def mail_in_words(explained: Mapping[str, Any], policy: Policy, evidence: str = "") -> str:
    """Give a list of what was found in a mail, and a sentence that says what would happen under a policy."""
    found = {name: shown(text) for name, text in _found(explained, evidence).items() if text}
    width = max(map(len, found)) + 2
    lines = [f"{name:{width}}{text}" for name, text in found.items()]
    return "\n".join([*lines, _outcome(explained, policy)])


def _found(explained: Mapping[str, Any], evidence: str) -> dict[str, str]:
    reason = {"reason": explained["reason"]}
    if explained["reason"] == _UNREADABLE:
        return reason
    machine = "a mail server (bounce)" if explained["bounce"] else "a machine"
    return reason | {
        "sender": explained["sender"] or "unclear",
        "authentic": explained["authentic"],
        "evidence": evidence,
        "written by": machine if explained["automatic"] else "a person",
        "token": explained["token"] or "none",
        "command": explained["command"] or "none",
        "argument": explained["argument"],
        "new text": explained["new_text"],
    }


def _outcome(explained: Mapping[str, Any], policy: Policy) -> str:
    reason, verdict = explained["reason"], explained["authentic"]
    if why := _NOBODY_ANSWERED.get(reason):
        return f"Nothing would be done: {why}. Nobody would be answered."
    if reason == UNSUBSCRIBE:
        return (
            "The subscription would end whose unsubscribe address it was sent to, or else the sender's own if the"
            " mail is authentic. Nobody would be answered."
        )
    if verdict == Verdict.NO:
        why = "the mail server that is trusted says that it does not come from its sender"
        return f"Nothing would be done: {why}. Nobody would be answered."
    if why := _ANSWERED.get(reason):
        return f"Nothing would be done: {why}. An employee would be told so."
    command = Command(explained["command"])
    act, sender = _ACTS[command], shown(explained["sender"])
    condition = f"if its token is that of a notification to {sender} which can still be answered"
    if command in _HARMLESS or verdict == Verdict.YES or policy is Policy.TOKEN_ONLY:
        return f"It would {act}, {condition}."
    return (
        f"It would be asked back, {condition}: nothing proves that {sender} wrote it as an answer to"
        f" that notification. Only an answer to that question would {act}."
    )
