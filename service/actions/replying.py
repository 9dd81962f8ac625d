"""What becomes of an employee's reply: one transaction for the act, the used token, the answer and the inbox row."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from service import workflow
from service.actions.carrying_out import queue_with_tokens
from service.actions.deciding import order_within
from service.actions.house import House
from service.actions.telling import explain
from service.errors import NotAllowed
from service.mail.commands import Command
from service.mail.facts import incident_facts
from service.mail.replies import Reply, ReplyReason
from service.mail.tokens import hash_token
from service.model import DeliveryKind, Employee, Incident
from service.store import credentials, deliveries, inbox_rows, incidents
from service.store.credentials import Purpose, Token
from service.store.deliveries import NewDelivery
from service.store.inbox_rows import InboxState
from service.workflow import Decision

MOST_ERRORS_AN_HOUR = 5
"""Answers that only say what was wrong, per sender: two machines could otherwise answer each other for ever."""


class ReplyOutcome(StrEnum):
    """What came of a reply, beyond the reasons of `workflow` and of reading it."""

    UNKNOWN_SENDER = "unknown_sender"
    TOKEN_UNKNOWN = "token_unknown"  # noqa: S105  the name of a reason
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  as above
    TOKEN_USED = "token_used"  # noqa: S105  as above
    TOKENS_CONFLICT = "tokens_conflict"
    SENDER_MISMATCH = "sender_mismatch"
    WRONG_INCIDENT = "wrong_incident"
    NOT_ALLOWED = "not_allowed"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an employee is told; `is_error` ones are limited."""

    employee: Employee
    outcome: str
    sentences: tuple[str, ...]
    incident: Incident | None = None
    valid_line: str = ""
    is_error: bool = True


_PUBLISH_LINE = "publish"
_HELP = (
    "The first line of your answer must be one command and nothing else.",
    "Write publish there to tell the status page and all subscribers, or discard to tell nobody.",
)
_NOT_A_COMMAND = {
    ReplyReason.EMPTY: "Your answer has no text of its own above the quoted mail.",
}


def act_on_reply(house: House, inbox_id: int, reply: Reply, now: datetime) -> str:
    """Let a reply have its effect, once; returns the named reason, which the inbox row keeps too.

    Automatic mail, bounces and strangers are recorded and never answered.
    """
    with house.store.transaction() as connection:
        answer = _answer(connection, house, reply, now)
        if isinstance(answer, str):
            inbox_rows.finish(connection, inbox_id, InboxState.DONE, reason=answer)
            return answer
        _queue_answer(connection, house, inbox_id, reply, answer, now)
        told = " ".join(answer.sentences)
        inbox_rows.finish(connection, inbox_id, InboxState.DONE, reason=answer.outcome, explanation=told)
        return answer.outcome


def _answer(connection: Connection, house: House, reply: Reply, now: datetime) -> _Answer | str:
    if reply.reason in {ReplyReason.BOUNCE, ReplyReason.AUTOMATIC, ReplyReason.SENDER_UNCLEAR}:
        return reply.reason.value
    sender = house.config.employee_by_email(reply.sender or "")
    if sender is None:
        return ReplyOutcome.UNKNOWN_SENDER
    found = [credentials.find(connection, hash_token(one), Purpose.REPLY) for one in reply.tokens]
    tokens = [token for token in found if token is not None]
    if not tokens:
        return _without_token(connection, sender, reply)
    if len({token.incident_id for token in tokens}) > 1:
        said = "Your mail answers notifications of two incidents at once, so nothing was done."
        return _Answer(sender, ReplyOutcome.TOKENS_CONFLICT, (said, "Answer each of them by itself."))
    ours = next((token for token in tokens if token.employee_id == sender.id), None)
    if ours is None:
        owner = house.name_of(tokens[0].employee_id or "")
        said = f"The notification that you answered was sent to {owner}, and only {owner} can answer it."
        return _Answer(sender, ReplyOutcome.SENDER_MISMATCH, (said, "You can decide on the dashboard."))
    incident = incidents.get(connection, ours.incident_id or 0)
    if incident is None:
        return ReplyOutcome.TOKEN_UNKNOWN
    return _obey(connection, house, _Case(sender, ours, incident, reply), now)


def _without_token(connection: Connection, sender: Employee, reply: Reply) -> _Answer:
    incident = incidents.get(connection, reply.subject_tag) if reply.subject_tag else None
    said = "Your mail cannot be matched to a notification: the hidden mark of it was lost on the way."
    mend = "Answer the notification itself, with all its recipients and references, or use the dashboard."
    return _Answer(sender, ReplyOutcome.TOKEN_UNKNOWN, (said, mend), incident)


@dataclass(frozen=True, slots=True)
class _Case:
    """A reply of whom its token was made for, about the token's incident."""

    sender: Employee
    token: Token
    incident: Incident
    reply: Reply

    def refused(self, outcome: str, *sentences: str, valid_line: str = "") -> _Answer:
        return _Answer(self.sender, outcome, sentences, self.incident, valid_line)


def _obey(connection: Connection, house: House, case: _Case, now: datetime) -> _Answer:
    reply, incident = case.reply, case.incident
    if reply.command is Command.HELP:
        return _Answer(case.sender, ReplyOutcome.HELP, _HELP, incident, is_error=False)
    if reply.command is None:
        said = _NOT_A_COMMAND.get(reply.reason, "The first line of your answer is not a command.")
        return case.refused(reply.reason.value, f"{said} Nothing was done.", valid_line=_PUBLISH_LINE)
    if reply.incident_number not in {None, incident.id}:
        said = f"You named INC-{reply.incident_number}, but answered the notification of {incident.tag}."
        return case.refused(ReplyOutcome.WRONG_INCIDENT, said, "Nothing was done.")
    if case.token.expires_at <= now:
        said = "This notification is too old to be answered. Nothing was done; decide on the dashboard."
        return case.refused(ReplyOutcome.TOKEN_EXPIRED, said)
    if case.token.used_at is not None and incident.phase.is_open and not incident.phase.is_public:
        said = "This notification was answered before. Nothing was done; decide on the dashboard."
        return case.refused(ReplyOutcome.TOKEN_USED, said)
    try:
        decision = _order(connection, house, case, now)
    except NotAllowed as error:
        return case.refused(ReplyOutcome.NOT_ALLOWED, f"{error}.")
    if not decision.reason.is_refusal:
        credentials.use(connection, case.token.hash, now)
    sentences = (explain(house, decision),)
    return _Answer(case.sender, decision.reason, sentences, decision.incident, is_error=False)


def _order(connection: Connection, house: House, case: _Case, now: datetime) -> Decision:
    by = case.sender
    is_publish = case.reply.command is Command.PUBLISH
    event = workflow.Publish(by.id) if is_publish else workflow.Discard(by.id)
    return order_within(connection, house, case.incident.id, by, event, now)


def _queue_answer(
    connection: Connection, house: House, inbox_id: int, reply: Reply, answer: _Answer, now: datetime
) -> None:
    address = answer.employee.email
    occasion = f"answer:{inbox_id}"
    if answer.is_error:
        prefix = f"answer-error:{answer.employee.id}:"
        lately = now - timedelta(hours=1)
        if deliveries.count_of_occasions(connection, prefix, lately) >= MOST_ERRORS_AN_HOUR:
            return
        about = answer.incident.tag if answer.incident else "none"
        occasion = f"{prefix}{answer.outcome}:{about}:{now:%Y-%m-%d}"
    facts = {
        "employee_name": answer.employee.name,
        "first_line": reply.first_line,
        "outcome": str(answer.outcome),
        "sentences": list(answer.sentences),
        "valid_line": answer.valid_line,
        "incident": incident_facts(answer.incident, names=house.names) if answer.incident else None,
        "subject": reply.subject,
        "in_reply_to": reply.message_id,
        "references": list(reply.references),
    }
    mail = NewDelivery(
        public_id=house.new_id(),
        occasion=occasion,
        kind=DeliveryKind.ANSWER,
        recipient=address,
        facts=facts,
        incident_id=answer.incident.id if answer.incident else None,
        employee_id=answer.employee.id,
    )
    queue_with_tokens(connection, house, [mail], now, text_version=None)
