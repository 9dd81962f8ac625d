"""The incidents, as employees see them: what waits for a decision first; and every one, searched page by page."""

from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.actions.next_steps import next_steps
from service.actions.policies import policy_for
from service.actions.recorded_day import day_end, day_start
from service.model import Employee, Phase
from service.store import deliveries, incident_search, incidents
from service.store.employee_stamp import employee_stamp
from service.store.incident_search import SEARCHED, Wanted
from service.web.dashboard.words import PHASE_WORDS, span_words
from service.web.front import front_of, page
from service.web.login.mail_link import before_id, shown_to_employees

OPEN_SHOWN: Final = 100
"""Of each kind; the older ones are reached page by page."""
ENDED_SHOWN: Final = 20
FOUND_SHOWN: Final = 25
UNREACHED_FOR: Final = timedelta(days=1)
UNREACHED_SHOWN: Final = 10
LONGEST_SEARCH: Final = 200

_HERE: Final = "/dashboard/incidents"
_UNDECIDED: Final = (Phase.UNPUBLISHED,)
_WAITING: Final = (Phase.WAITING,)
_PUBLIC: Final = (Phase.PUBLISHED, Phase.RECOVERED)
_OVER: Final = (Phase.CLOSED, Phase.DISCARDED)
PHASES: Final[Mapping[str, tuple[str, tuple[Phase, ...]]]] = {
    "": ("Any phase", ()),
    "undecided": ("Waiting for a decision", _UNDECIDED),
    "waiting": ("In their wait time", _WAITING),
    "public": ("Published and open", _PUBLIC),
    "recovered": ("Recovered, not closed", (Phase.RECOVERED,)),
    "ended": ("Ended", _OVER),
    "closed": ("Closed", (Phase.CLOSED,)),
    "discarded": ("Discarded", (Phase.DISCARDED,)),
}


@shown_to_employees
def show_incidents(request: Request, employee: Employee) -> Response:
    """Show what waits for a decision, then what is open, then what has ended lately."""
    front = front_of(request)
    with front.house.store.reading() as connection:
        stamp = employee_stamp(connection)
        undecided, waiting, public, ended = (
            incidents.listed(connection, phases=phases, limit=most + 1)
            for phases, most in (
                (_UNDECIDED, OPEN_SHOWN),
                (_WAITING, OPEN_SHOWN),
                (_PUBLIC, OPEN_SHOWN),
                (_OVER, ENDED_SHOWN),
            )
        )
        since = front.clock() - UNREACHED_FOR
        unreached = deliveries.lately_unreached(connection, since, limit=UNREACHED_SHOWN)
    return page(
        request,
        "dashboard/incidents.html",
        employee=employee,
        here="incidents",
        undecided=undecided,
        waiting=waiting,
        public=public,
        ended=ended,
        open_shown=OPEN_SHOWN,
        ended_shown=ENDED_SHOWN,
        unreached=unreached,
        since=stamp,
        **_words(request),
    )


@shown_to_employees
def find_incidents(request: Request, employee: Employee) -> Response:
    """Show incidents of every phase, newest first, page by page; or those that are looked for."""
    front, before, asked = front_of(request), before_id(request), _asked(request)
    zone = front.house.config.site.timezone
    wanted = Wanted(
        phases=PHASES[asked["phase"]][1],
        words=asked["q"],
        component=asked["component"],
        since=day_start(date.fromisoformat(asked["from"]), zone) if asked["from"] else None,
        until=day_end(date.fromisoformat(asked["to"]), zone) if asked["to"] else None,
    )
    with front.house.store.reading() as connection:
        found = incident_search.search(connection, wanted, before_id=before, limit=FOUND_SHOWN)
    given = {name: value for name, value in asked.items() if value}
    older = urlencode({**given, "before": found.next_before}) if found.next_before is not None else ""
    components = (*(one.name for one in front.house.config.components), asked["component"])
    return page(
        request,
        "dashboard/find_incidents.html",
        employee=employee,
        here="incidents",
        asked=asked,
        wanted=wanted,
        found=found,
        before=before,
        older=older,
        phases={value: words for value, (words, _) in PHASES.items()},
        components=tuple(filter(None, dict.fromkeys(components))),
        searched=SEARCHED,
        **_words(request),
    )


def _asked(request: Request) -> dict[str, str]:
    """Read what is looked for; what cannot be read leaves nothing out."""
    given = request.query_params
    phase = given.get("phase", "")
    return {
        "q": given.get("q", "").strip()[:LONGEST_SEARCH],
        "phase": phase if phase in PHASES else "",
        "component": given.get("component", "").strip()[:LONGEST_SEARCH],
        "from": _day(given.get("from", "")),
        "to": _day(given.get("to", "")),
    }


def _day(text: str) -> str:
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        return ""
    # others have no midnight in every zone
    return str(found) if MINYEAR < found.year < MAXYEAR else ""


def _words(request: Request) -> dict[str, Any]:
    house, now = front_of(request).house, front_of(request).clock()
    return {
        "now": now,
        "steps_of": lambda incident: next_steps(incident, policy_for(house, incident)),
        "name_of": house.name_of,
        "phase_words": PHASE_WORDS,
        "span_words": span_words,
    }


routes = [Route("/dashboard", show_incidents), Route(_HERE, find_incidents)]
