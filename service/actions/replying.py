"""What becomes of a reply: one transaction for the act, the used token, the answer and the inbox row.

Here it is decided whether the reply may act at all; `obeying` does what it says.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import Connection

from service.actions.carrying_out import queue_with_tokens
from service.actions.house import House
from service.actions.leaving import LeavingOutcome, leave_by_mail
from service.actions.obeying import Answer, Case, is_order, obey, why_not
from service.mail.authenticity import Judgement, Verdict
from service.mail.facts import incident_facts
from service.mail.replies import Reply, ReplyReason
from service.mail.tokens import hash_token
from service.mail.words import Command
from service.mail.yes_and_no import is_no, is_yes
from service.model import DeliveryKind, Employee
from service.store import credentials, deliveries, inbox_rows, incidents
from service.store.credentials import Purpose
from service.store.deliveries import NewDelivery
from service.store.inbox_rows import InboxState

MOST_ANSWERS_AN_HOUR = 60
MOST_QUESTIONS_AN_HOUR = 3
MOST_ERRORS_AN_HOUR = 5
"""Answers that only say what was wrong, per employee: two machines could otherwise answer each other for ever."""
_LAST_ONE = (
    "You had several answers like this lately: the next one may be left out, so look at the dashboard."
)


class ReplyOutcome(StrEnum):
    """What came of a reply that was not obeyed, beyond the reasons of reading it."""

    UNKNOWN_SENDER = "unknown_sender"
    NOT_AUTHENTIC = "not_authentic"
    CONFIRMATION_ASKED = "confirmation_asked"
    NOT_ASKED_AGAIN = "not_asked_again"
    NOT_CONFIRMED = "not_confirmed"
    TOKEN_UNKNOWN = "token_unknown"  # noqa: S105  the name of a reason
    TOKENS_CONFLICT = "tokens_conflict"
    SENDER_MISMATCH = "sender_mismatch"


def act_on_reply(house: House, inbox_id: int, reply: Reply, judgement: Judgement, now: datetime) -> str:
    """Let a reply have its effect, once; returns the named reason, which the inbox row keeps too.

    Automatic mail, bounces, strangers and forgeries are recorded and never answered. What the judgement rested on, and
    what the token proved, stands in the row from then on.
    """
    left = leave_by_mail(house, inbox_id, reply, now)
    if isinstance(left, LeavingOutcome):
        return left
    if left is not None and house.config.employee_by_email(reply.sender or "") is None:
        judgement = left
    with house.store.transaction() as connection:
        case = _case_of(connection, house, reply, judgement)
        answer = (
            _answer(connection, house, inbox_id, case, judgement, now) if isinstance(case, Case) else case
        )
        if isinstance(answer, Answer):
            if not answer.is_told_otherwise:
                _queue_answer(connection, house, inbox_id, reply, answer, now)
            reason, told = answer.outcome, " ".join(answer.sentences)
        else:
            reason, told = answer, _told_of(connection, house, reply, answer, judgement)
        inbox_rows.finish(
            connection,
            inbox_id,
            InboxState.DONE,
            reason=reason,
            explanation=told,
            authentic=_proven(house, judgement, case),
            evidence="; ".join(clause for clause in (judgement.evidence, _on_token(case, reply)) if clause),
        )
        return str(reason)


_HANGS_ON_EVIDENCE = {ReplyOutcome.NOT_AUTHENTIC, ReplyOutcome.CONFIRMATION_ASKED}


def _told_of(connection: Connection, house: House, reply: Reply, outcome: str, judgement: Judgement) -> str:
    """Say for the inbox what nobody is told by mail."""
    if outcome in _HANGS_ON_EVIDENCE:
        return judgement.evidence
    if outcome != ReplyReason.SENDER_UNCLEAR:
        return ""
    found = (credentials.find(connection, hash_token(one), Purpose.REPLY) for one in reply.tokens)
    token = next((one for one in found if one is not None), None)
    if token is None:
        return f"{reply.sender_fault}. Nothing was done."
    return (
        f"It answers a notification to {house.name_of(token.employee_id or '')}, but {reply.sender_fault}. "
        "Nothing was done, and nobody was answered: it cannot be told who wrote it."
    )


def _proven(house: House, judgement: Judgement, found: Case | Answer | str) -> Verdict:
    """Say what was proven of the sender: where the token alone is asked for, nothing is by one that is none."""
    rests_on_token = house.believes_token_alone and judgement.verdict is Verdict.YES
    return Verdict.UNKNOWN if rests_on_token and not isinstance(found, Case) else judgement.verdict


_ON_TOKEN = {
    ReplyOutcome.TOKEN_UNKNOWN: "no token of it is known",
    ReplyOutcome.TOKENS_CONFLICT: "its tokens are of two incidents",
    ReplyOutcome.SENDER_MISMATCH: "its token was made for somebody else",
}


def _on_token(found: Case | Answer | str, reply: Reply) -> str:
    """Say in a clause what a reply's token proves; "" where it was not looked at."""
    if isinstance(found, Case):
        asked = f"the question about #{found.token.confirms}" if found.token.confirms else found.incident.tag
        return f"its token was mailed to {found.sender.name} with {asked}"
    outcome = found.outcome if isinstance(found, Answer) else found
    if outcome == ReplyOutcome.TOKEN_UNKNOWN and not reply.tokens:
        return "it has no token"
    return next((clause for name, clause in _ON_TOKEN.items() if name == outcome), "")


def _case_of(connection: Connection, house: House, reply: Reply, judgement: Judgement) -> Case | Answer | str:
    """Find what a reply is about, if its sender is an employee and not refuted."""
    if reply.reason in {ReplyReason.BOUNCE, ReplyReason.AUTOMATIC, ReplyReason.SENDER_UNCLEAR}:
        return reply.reason.value
    sender = house.config.employee_by_email(reply.sender or "")
    if sender is None:
        return ReplyOutcome.UNKNOWN_SENDER
    if judgement.verdict is Verdict.NO:
        return ReplyOutcome.NOT_AUTHENTIC
    return _find_case(connection, house, sender, reply)


def _answer(
    connection: Connection, house: House, inbox_id: int, case: Case, judgement: Judgement, now: datetime
) -> Answer | str:
    if case.token.confirms is not None:
        return _confirm(connection, house, case, now)
    if not is_order(case.reply):
        return obey(connection, house, case, now)
    if judgement.verdict is Verdict.UNKNOWN:
        # what could not act anyway needs no question, which would give it a fresh token
        return why_not(case, now) or _ask_to_confirm(connection, house, inbox_id, case, judgement, now)
    return obey(connection, house, case, now)


def _find_case(connection: Connection, house: House, sender: Employee, reply: Reply) -> Case | Answer | str:
    found = [credentials.find(connection, hash_token(one), Purpose.REPLY) for one in reply.tokens]
    tokens = [token for token in found if token is not None]
    if not tokens:
        incident = incidents.get(connection, reply.subject_tag) if reply.subject_tag else None
        said = "Your mail cannot be matched to a notification: the hidden mark of it was lost on the way."
        mend = "Answer the notification itself, with all its recipients and references, or use the dashboard."
        return Answer(sender, ReplyOutcome.TOKEN_UNKNOWN, (said, mend), incident)
    if len({token.incident_id for token in tokens}) > 1:
        said = "Your mail answers notifications of two incidents at once, so nothing was done."
        return Answer(sender, ReplyOutcome.TOKENS_CONFLICT, (said, "Answer each of them by itself."))
    ours = next((token for token in tokens if token.employee_id == sender.id), None)
    if ours is None:
        owner = house.name_of(tokens[0].employee_id or "")
        said = f"The notification that you answered was sent to {owner}, and only {owner} can answer it."
        return Answer(sender, ReplyOutcome.SENDER_MISMATCH, (said, "You can decide on the dashboard."))
    incident = incidents.get(connection, ours.incident_id or 0)
    return Case(sender, ours, incident, reply) if incident else ReplyOutcome.TOKEN_UNKNOWN


def _confirm(connection: Connection, house: House, case: Case, now: datetime) -> Answer:
    """Do what the reply in question ordered, if it was the employee's: only who reads the mailbox has this token.

    Nothing but a plain yes or the order itself confirms, and a plain no ends it, whatever was ordered: whatever else is
    said, and whatever any reply would do elsewhere, does nothing.
    """
    row = inbox_rows.get(connection, case.token.confirms or 0)
    meant = house.read_reply(row.raw) if row else None
    said = case.reply
    is_exact = said.reason is ReplyReason.COMMAND_READ
    is_against_it = meant is None or meant.command is not Command.DISCARD or is_no(said.first_line)
    if is_exact and said.command is Command.DISCARD and is_against_it:
        credentials.use(connection, case.token.hash, now)
        told = (
            "Nothing was done. Somebody has the notification that was sent to you: tell your administrator."
        )
        return Answer(case.sender, ReplyOutcome.NOT_CONFIRMED, (told,), case.incident, is_error=False)
    is_same = is_exact and meant is not None and said.command is meant.command and said.text == meant.text
    if meant is None or not is_order(meant) or not (is_same or _says_yes(said)):
        told = "Nothing was done: only yes confirms what was ordered, and no ends it."
        return case.refused(ReplyOutcome.NOT_CONFIRMED, told, valid_line="yes")
    answer = obey(connection, house, Case(case.sender, case.token, case.incident, meant), now)
    credentials.use(connection, case.token.hash, now)
    return answer


def _says_yes(reply: Reply) -> bool:
    is_exact = reply.reason is ReplyReason.COMMAND_READ and reply.command is Command.PUBLISH
    return is_exact and is_yes(reply.first_line)


def _ask_to_confirm(
    connection: Connection, house: House, inbox_id: int, case: Case, judgement: Judgement, now: datetime
) -> Answer | str:
    prefix = f"confirm-reply:{case.sender.id}:{case.incident.tag}:"
    if deliveries.count_of_occasions(connection, prefix, now - timedelta(hours=1)) >= MOST_QUESTIONS_AN_HOUR:
        said = "It cannot be told whether your mail really came from you, and you were asked before."
        return case.refused(ReplyOutcome.NOT_ASKED_AGAIN, said, "Decide on the dashboard.")
    facts = {
        "employee_name": case.sender.name,
        "first_line": case.reply.first_line,
        "evidence": judgement.evidence,
        "has_button": case.reply.command in {Command.PUBLISH, Command.DISCARD}
        and not case.incident.phase.is_public,
        "incident": incident_facts(case.incident, names=house.names),
    }
    mail = NewDelivery(
        public_id=house.new_id(),
        occasion=f"{prefix}{inbox_id}",
        kind=DeliveryKind.CONFIRM_REPLY,
        recipient=case.sender.email,
        facts=facts,
        incident_id=case.incident.id,
        employee_id=case.sender.id,
    )
    version = case.token.text_version
    queue_with_tokens(connection, house, [mail], now, text_version=version, confirms=inbox_id)
    return ReplyOutcome.CONFIRMATION_ASKED


def _queue_answer(
    connection: Connection, house: House, inbox_id: int, reply: Reply, answer: Answer, now: datetime
) -> None:
    prefix = f"answer:{answer.employee.id}:"
    lately = now - timedelta(hours=1)
    if deliveries.count_of_occasions(connection, prefix, lately) >= MOST_ANSWERS_AN_HOUR:
        return
    occasion, sentences = f"{prefix}{inbox_id}", list(answer.sentences)
    if answer.is_error:
        prefix = f"answer-error:{answer.employee.id}:"
        before = deliveries.count_of_occasions(connection, prefix, lately)
        if before >= MOST_ERRORS_AN_HOUR:
            return
        if before == MOST_ERRORS_AN_HOUR - 1:
            sentences.append(_LAST_ONE)
        # a machine says the same again and again, a person who mistypes does not
        about, line = answer.incident.tag if answer.incident else "none", reply.first_line.casefold()
        said = sha256(line.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        occasion = f"{prefix}{answer.outcome}:{about}:{said}:{now:%Y-%m-%d}"
    facts = {
        "employee_name": answer.employee.name,
        "first_line": reply.first_line,
        "outcome": str(answer.outcome),
        "sentences": sentences,
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
        recipient=answer.employee.email,
        facts=facts,
        incident_id=answer.incident.id if answer.incident else None,
        employee_id=answer.employee.id,
    )
    # an answer shows no text: whoever publishes by answering it publishes what the answered mail showed
    queue_with_tokens(connection, house, [mail], now, text_version=answer.text_version)
