"""What people did that no incident's timeline tells, as admins read it. It changes nothing."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.actions.house import BY_PROGRAM, House
from service.errors import NotAllowed
from service.model import Employee, Role
from service.store import api_tokens, audit
from service.store.audit import Act
from service.store.employee_stamp import employee_stamp
from service.web.dashboard.sessions import WAYS
from service.web.front import front_of, page
from service.web.login.browser_words import browser_in_words
from service.web.login.mail_link import before_id, shown_to_employees

SHOWN: Final = 50
ACTS: Final[Mapping[str, str]] = {
    "logged_in": "logged in",
    "logged_out": "logged out",
    "login_refused": "was not let in",
    "session_revoked": "ended a session",
    "sessions_revoked": "ended other sessions",
    "subscribers_imported": "imported subscribers",
    "subscribers_exported": "exported subscribers",
    "subscriber_removed": "removed a subscriber",
    "subscriber_reinstated": "let a subscriber hear again",
    "subscriber_added": "added a subscriber",
    "subscriber_changed": "changed what a subscriber hears of",
    "webhook_added": "added a webhook",
    "delivery_revived": "let a delivery be tried again",
    "delivery_given_up": "gave up a delivery",
    "token_created": "made a token",
    "token_revoked": "revoked a token",
    "post_replayed": "replayed a post",
    "config_changed": "changed settings",
    "key_accepted": "changed the secret key",
    "ordered_publish": "gave the order to publish",
    "ordered_discard": "gave the order to discard",
    "ordered_hold": "gave the order to hold",
    "ordered_update": "gave the order to update",
    "ordered_close": "gave the order to close",
    "ordered_replay": "gave the order to replay",
    "ordered_maintenance": "gave the order to plan maintenance",
    "ordered_cancellation": "gave the order to cancel maintenance",
    audit.BACKUP_MADE: "made a backup",
}
"""What there is to choose from; an act that is not here is shown by its own name."""
ABOUT_SESSIONS: Final = frozenset({"logged_in", "logged_out", "session_revoked"})
"""Acts whose note is what a browser calls itself."""
NOBODY_KNOWN: Final = "nobody"
"""Stands for those who were not let in, of whom no more is known."""


@shown_to_employees
def show_audit(request: Request, employee: Employee) -> Response:
    """Show what was done, newest first, page by page; of one person or one kind where that is asked for."""
    if employee.role is not Role.ADMIN:
        raise NotAllowed("What people did is shown to admins alone.")
    house, before = front_of(request).house, before_id(request)
    by, act = (request.query_params.get(name, "").strip()[:80] for name in ("by", "act"))
    with house.store.reading() as connection:
        stamp = employee_stamp(connection)
        whose = "" if by == NOBODY_KNOWN else by or None
        found = audit.listed(connection, by=whose, act=act, before_id=before, limit=SHOWN + 1)
        tokens = dict.fromkeys(one.name for one in api_tokens.listed(connection))
    older = urlencode({"by": by, "act": act, "before": found[SHOWN - 1].id}) if len(found) > SHOWN else ""
    return page(
        request,
        "dashboard/audit.html",
        employee=employee,
        here="audit",
        found=found[:SHOWN],
        older=older,
        before=before,
        since=stamp,
        by=by,
        act=act,
        people=_people(house, tokens),
        acts=ACTS,
        name_of=house.name_of,
        about_of=lambda one: _about(one, house.name_of),
    )


def _people(house: House, tokens: Iterable[str]) -> Mapping[str, str]:
    """Name all who may have done something: those of whom no more is known, the machine's, employees, programs."""
    return {
        NOBODY_KNOWN: "Nobody known",
        audit.COMMAND_LINE: "The command line",
        audit.CONFIG_FILE: "Whoever wrote config.yaml",
        **house.names,
        **{f"{BY_PROGRAM}{name}": f"Token {name}" for name in tokens},
    }


def _about(one: Act, name_of: Callable[[str], str]) -> str:
    """Say what an act was about, and what was noted of it."""
    if one.act in {"session_revoked", "sessions_revoked"}:
        about = f"of {name_of(one.about)}"
    else:
        about = WAYS.get(one.about, one.about)
    said = browser_in_words(one.note) if one.act in ABOUT_SESSIONS else one.note
    return ": ".join(part for part in (about, said) if part)


routes = [Route("/dashboard/audit", show_audit)]
