"""One post or mail, as employees see it: as received, what it was read as, and what it would come to now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.actions import replaying
from service.actions.foretelling import Foretold, foretell_post
from service.actions.house import House
from service.actions.simulation import GivenPost, Simulation
from service.actions.simulation_posts import long_enough
from service.config.spans import format_span
from service.config.suggestion import suggest_monitor
from service.errors import MailUnreadable, NotFound, PostUnreadable, ProviderUnknown
from service.mail.authenticity import Judgement
from service.mail.bounces import read_bounce
from service.mail.leaving import read_leaving
from service.mail.replies import Reply
from service.model import Employee, Role
from service.providers import email
from service.store import audit, inbox_rows, narrative
from service.store.inbox_headlines import Headline
from service.store.inbox_rows import Door, InboxRow
from service.web.dashboard.incident_view import raw_text
from service.web.dashboard.monitor_previews import run
from service.web.dashboard.words import reason_words
from service.web.front import front_of, page
from service.web.login.mail_link import ordered_by_employees, row_id, shown_to_employees
from service.web.rates import TOO_MANY_SIMULATIONS, Simulations

RAW_SHOWN: Final = 64 * 1024
"""Bytes."""
MOST_SUGGESTED: Final = 3
"""Monitors to paste, of a post with many names."""


@dataclass(frozen=True, slots=True)
class ReadPost:
    """What a post is read as, with the config.yaml that runs now."""

    alerts: tuple[Foretold, ...] = ()
    complaint: str = ""
    """What is wrong with it, or with those of its alerts that are not told."""
    suggested: tuple[str, ...] = ()
    """For names that no monitor takes: what to paste into config.yaml."""


@dataclass(frozen=True, slots=True)
class ReadMail:
    """What a mail is read as."""

    reply: Reply | None = None
    kind: str = ""
    complaint: str = ""
    judgement: Judgement | None = None
    """Whether its sender may be believed, where that was looked at anew."""


@shown_to_employees
def show_arrival(request: Request, employee: Employee) -> Response:
    """Show one post or mail as it was received, and what it is read as."""
    return _arrival_page(request, employee, _row(request))


def _arrival_page(
    request: Request,
    employee: Employee,
    row: InboxRow,
    *,
    simulated: Simulation | None = None,
    is_judged: bool = False,
    problem: str = "",
) -> Response:
    """Show an arrival.

    A mail is shown whole only to admins: it quotes the token that lets one approve in another's name.
    """
    front = front_of(request)
    house = front.house
    is_post, is_admin = row.door is Door.WEBHOOK, employee.role is Role.ADMIN
    with house.store.reading() as connection:
        incident_ids = narrative.incident_ids_of_arrival(connection, row.id)
    return page(
        request,
        "dashboard/arrival.html",
        employee=employee,
        here="arrival",
        row=row,
        about={name: value for name, value in row.about.items() if is_admin or name != "sender"},
        incident_ids=incident_ids,
        text=raw_text(row.raw, RAW_SHOWN) if is_post or is_admin else None,
        is_removed=row.is_removed,
        size=row.size,
        kept_for=format_span(house.config.retention.inbox),
        most=RAW_SHOWN,
        post=_read_post(house, row, employee) if is_post and not row.is_removed else None,
        mail=_read_mail(house, row, front.clock() if is_judged else None)
        if is_admin and not is_post and not row.is_removed
        else None,
        replay_of=row.about.get(replaying.REPLAY_OF),
        simulated=simulated,
        problem=problem,
        told=told_to(employee),
        format_span=format_span,
        reason_words=reason_words,
    )


def told_to(employee: Employee) -> Callable[[Headline | InboxRow], str]:
    """Give what tells an employee what became of an arrival: of a mail, whose address it was is for admins."""

    def told(row: Headline | InboxRow) -> str:
        is_whole = employee.role is Role.ADMIN or row.door is Door.WEBHOOK
        return row.explanation if is_whole else audit.redacted_in(row.explanation)

    return told


@ordered_by_employees
def replay_dry(request: Request, employee: Employee, _form: Mapping[str, str]) -> Response:
    """Show what a post would come to if it came now and nothing were open, and a mail be taken for; nothing does.

    A mail's sender is judged anew for that, which may wait for the DNS. It counts as a simulation does.
    """
    row, front = _row(request), front_of(request)
    simulations: Simulations = request.app.state.simulations
    if simulations.are_too_many(employee.id):
        answer = _arrival_page(request, employee, row, problem=TOO_MANY_SIMULATIONS)
        answer.status_code, answer.headers["retry-after"] = 429, "60"
        return answer
    if row.door is not Door.WEBHOOK:
        return _arrival_page(request, employee, row, is_judged=True)
    given = [GivenPost(timedelta(0), replaying.post_of(row), row.provider)]
    simulated = run(front, given, long_enough(front.house.config, given), publish_after=None)
    return _arrival_page(request, employee, row, simulated=simulated)


@ordered_by_employees
def replay(request: Request, employee: Employee, _form: Mapping[str, str]) -> Response:
    """Let a post count once more."""
    front = front_of(request)
    number = replaying.replay(front.house, row_id(request), employee, front.clock())
    return RedirectResponse(f"/dashboard/inbox/{number}", 303)


def _row(request: Request) -> InboxRow:
    inbox_id = row_id(request)
    with front_of(request).house.store.reading() as connection:
        row = inbox_rows.get(connection, inbox_id)
    if row is None:
        raise NotFound(f"Nothing in the inbox has the number {inbox_id}.")
    return row


def _read_post(house: House, row: InboxRow, employee: Employee) -> ReadPost:
    try:
        foretold = foretell_post(house.config, row.provider, replaying.post_of(row))
    except (PostUnreadable, ProviderUnknown) as error:
        return ReadPost(complaint=str(error))
    names = dict.fromkeys(one.alert.monitor_name for one in foretold.alerts if one.needs_monitor)
    components = [one.name for one in house.config.components]
    suggested = (
        suggest_monitor(name, row.provider, authored_by=employee.id, components=components)
        for name in list(names)[:MOST_SUGGESTED]
        if name.strip()
    )
    return ReadPost(foretold.alerts, foretold.complaint, tuple(suggested))


def _read_mail(house: House, row: InboxRow, judged_at: datetime | None) -> ReadMail:
    try:
        if read_bounce(row.raw, key=house.key) is not None:
            return ReadMail(kind="It says that a mail of ours was not delivered.")
        if row.provider == email.NAME:
            return ReadMail(kind="It is an alert, as `mail_alerts` in config.yaml has it.")
        reply = house.read_reply(row.raw)
        leaves = read_leaving(row.raw, reply) is not None
    except MailUnreadable as error:
        return ReadMail(complaint=str(error))
    judgement = house.judge(row.raw, reply, judged_at) if judged_at else None
    return ReadMail(reply, "It is to end a subscription." if leaves else "", judgement=judgement)


routes = [
    Route("/dashboard/inbox/{id}", show_arrival),
    Route("/dashboard/inbox/{id}/dry", replay_dry, methods=["POST"]),
    Route("/dashboard/inbox/{id}/replay", replay, methods=["POST"]),
]
