"""What a believed reply of an employee does: from command to order, and the sentence that comes back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service import workflow
from service.actions.audience import count_audience
from service.actions.deciding import order_about
from service.actions.house import House
from service.actions.telling import describe, explain
from service.errors import NotAllowed
from service.mail.commands import comes_near
from service.mail.replies import Reply, ReplyReason
from service.mail.words import Command
from service.model import Employee, Incident, Phase, UpdateStatus
from service.store import credentials, narrative
from service.store.credentials import Token
from service.workflow import Event, Reason

DEFAULT_HOLD = timedelta(minutes=30)
_USES_THE_TOKEN_UP = {Command.PUBLISH, Command.DISCARD, Command.EDIT, Command.UPDATE, Command.CLOSE}
"""A hold publishes nothing and changes no word, so that its mail can still be answered."""
_TELLS_MORE = {Phase.PUBLISHED, Phase.RECOVERED}
"""Phases in which updates and a closing comment reach the public."""
_BEFORE_PUBLICATION = {Command.PUBLISH: "publish", Command.DISCARD: "discard", Command.HOLD: "hold 30m"}
_IN_PUBLIC = {Command.UPDATE: "update: We are still looking into it", Command.CLOSE: "close"}
_ANYWHERE = {Command.STATUS: "status", Command.HELP: "help"}
"""One line of each command that works, the first of a phase where nothing tells which was meant."""
_HELP = (
    "The first line of your answer must be one command, and nothing else on it but what belongs to it.",
    "publish tells the status page and whoever subscribed to it; discard tells nobody; hold 30m asks again later.",
    "update: and close:, with the text behind them, tell more or end it; status says how it stands.",
    "To change the words first, write subject: or message: and the new text; it is mailed back to be published.",
)
_ASK_FOR_HELP = 'Answer with "help" to read all that works.'
_COLON_SAYS_SO = "Where the public shall read what stands behind the command, put a colon between them."
_WHY_NOT = {
    ReplyReason.EMPTY: "Your answer has no text of its own above the quoted mail.",
    ReplyReason.AMBIGUOUS: "It cannot be told which words of your answer are new.",
    ReplyReason.ENCRYPTED: "Your mail is encrypted, or signed as a whole, and cannot be read here.",
    ReplyReason.GARBLED: "Letters of your text cannot be read: they do not fit the character set that your mail names.",
    ReplyReason.WINMAIL: (
        "Your mail program sent its text as winmail.dat, in a format of Outlook's own that cannot be read here: "
        "send it as plain text or HTML."
    ),
    ReplyReason.QUESTION: "Your answer asks, and a question never acts.",
    ReplyReason.TEXT_MISSING: (
        "The text that belongs to your command is missing, or part of it stands below a blank line."
    ),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an employee is told; errors are limited, and some steps are told by another mail."""

    employee: Employee
    outcome: str
    sentences: tuple[str, ...]
    incident: Incident | None = None
    valid_line: str = ""
    is_error: bool = True
    is_told_otherwise: bool = False
    text_version: int = 0
    """Of the text that the answered mail showed; 0: none, so that an answer to the answer cannot publish."""


@dataclass(frozen=True, slots=True)
class Case:
    """A reply by whom its token was made for, about the token's incident."""

    sender: Employee
    token: Token
    incident: Incident
    reply: Reply

    def refused(self, outcome: str, *sentences: str, valid_line: str = "") -> Answer:
        """Say why nothing was done."""
        return Answer(
            self.sender, outcome, sentences, self.incident, valid_line, text_version=self.text_version
        )

    @property
    def text_version(self) -> int:
        """The version of the text that the answered mail showed."""
        return self.token.text_version or 0


def is_order(reply: Reply) -> bool:
    """Tell whether a reply would change something, so that its sender must be believed first."""
    return reply.command not in {None, Command.HELP, Command.STATUS}


def obey(connection: Connection, house: House, case: Case, now: datetime) -> Answer:
    """Do what the reply says, if the token and the incident's phase still allow it."""
    reply, incident = case.reply, case.incident
    if reply.command is Command.HELP:
        return Answer(case.sender, "help", _HELP, incident, is_error=False, text_version=case.text_version)
    if reply.command is Command.STATUS:
        stands = describe(house, incident, count_audience(connection, house, incident))
        version = case.text_version
        return Answer(case.sender, "status", stands, incident, is_error=False, text_version=version)
    if reply.command is None:
        why = _WHY_NOT.get(reply.reason, "The first line of your answer is not a command.")
        meant = comes_near(reply.first_line, house.vocabulary.words)
        may_tell = meant in _IN_PUBLIC and incident.phase in _TELLS_MORE
        needs_colon = may_tell and reply.reason is ReplyReason.NOT_EXACT and ":" not in reply.first_line
        sentences = (f"{why} Nothing was done.", *((_COLON_SAYS_SO,) if needs_colon else ()), _ASK_FOR_HELP)
        valid_line = _valid_line(incident.phase, meant)
        return case.refused(reply.reason.value, *sentences, valid_line=valid_line)
    return why_not(case, now) or _order(connection, house, case, now)


def _valid_line(phase: Phase, meant: Command | None) -> str:
    """Give a line that works in a phase: that of the command which was perhaps meant, if it works there."""
    lines = _IN_PUBLIC if phase in _TELLS_MORE else _BEFORE_PUBLICATION
    first = next(iter(lines.values()))
    return {**lines, **_ANYWHERE}.get(meant, first) if meant else first


def why_not(case: Case, now: datetime) -> Answer | None:
    """Say why an order cannot act whoever sent it: another incident, too late, or used before."""
    number, incident = case.reply.incident_number, case.incident
    if number not in {None, incident.id}:
        said = f"You named INC-{number}, but answered the notification of {incident.tag}."
        return case.refused("wrong_incident", said, "Nothing was done.")
    if case.token.expires_at <= now:
        said = "This notification is too old to be answered. Nothing was done; decide on the dashboard."
        return case.refused("token_expired", said)
    if _is_used_up(case):
        said = "The notification that you answered was used before, so nothing was done."
        is_newest = case.text_version in {0, incident.text_version}
        which = "this mail" if is_newest else "the newest mail that shows its text"
        return case.refused("token_used", said, f"Answer {which} instead.")
    return None


def _is_used_up(case: Case) -> bool:
    """Publish and discard are left to `decide` once somebody decided: it can say who and when."""
    if case.token.used_at is None:
        return False
    if case.reply.command in {Command.PUBLISH, Command.DISCARD}:
        return case.incident.phase.is_open and not case.incident.phase.is_public
    return case.reply.command in _USES_THE_TOKEN_UP


def _order(connection: Connection, house: House, case: Case, now: datetime) -> Answer:
    event = _event(connection, case)
    try:
        decision = order_about(connection, house, case.incident, case.sender, event, now)
    except NotAllowed as error:
        return case.refused("not_allowed", f"{error}.")
    if not decision.reason.is_refusal and case.reply.command in _USES_THE_TOKEN_UP:
        credentials.use(connection, case.token.hash, now)
    return Answer(
        case.sender,
        decision.reason,
        (explain(house, decision),),
        decision.incident,
        is_error=decision.reason.is_refusal and case.token.used_at is not None,
        # the new version itself is mailed to its author too, once there are mails about it at all
        is_told_otherwise=decision.reason is Reason.EDITED and decision.incident.notified_at is not None,
        # an "ok" to "it is held" is no publication: nobody reads the text in that answer
        text_version=0 if decision.reason is Reason.HELD else case.text_version,
    )


def _event(connection: Connection, case: Case) -> Event:
    by, reply = case.sender.id, case.reply
    match reply.command:
        case Command.DISCARD:
            return workflow.Discard(by)
        case Command.HOLD:
            return workflow.Hold(by, reply.span or DEFAULT_HOLD)
        case Command.EDIT if reply.edit is not None:
            edit = reply.edit
            return workflow.Edit(by, edit.subject, edit.message, case.text_version)
        case Command.UPDATE:
            status = reply.status or _last_status(connection, case.incident)
            return workflow.PostUpdate(by, status, reply.text)
        case Command.CLOSE:
            return workflow.Close(by, reply.text)
        case _:
            return workflow.Publish(by, case.text_version)


def _last_status(connection: Connection, incident: Incident) -> UpdateStatus:
    posted = narrative.updates_of(connection, [incident.id])[incident.id]
    going_on = [update.status for update in posted if update.status is not UpdateStatus.RESOLVED]
    return going_on[-1] if going_on else UpdateStatus.INVESTIGATING
