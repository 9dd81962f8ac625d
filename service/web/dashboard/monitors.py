"""The monitors, as employees see them: settings, history, advice, previews, and simulations. It changes nothing.

config.yaml stays the truth: it is shown beside what runs, and edited with an editor.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from service.actions.monitor_health import COUNTED_FOR, examine, examine_one
from service.actions.simulation import GivenPost, Simulation, named_post
from service.actions.simulation_posts import long_enough, with_recoveries
from service.actions.wait_advice import advice_in_words
from service.config.spans import format_span, parse_span
from service.errors import NotFound
from service.model import Employee, Monitor, Role
from service.providers.post import RawPost
from service.store import monitor_history
from service.web.dashboard.config_file import ConfigFile, read_config_file
from service.web.dashboard.monitor_previews import READERS, Previews, mail_for, page_html, run
from service.web.dashboard.monitor_words import example_name, settings_in_words, slug_of, span_in_words
from service.web.dashboard.pulse import mark_of
from service.web.dashboard.words import reason_words
from service.web.front import Front, front_of, page
from service.web.login.mail_link import ordered_by_employees, shown_to_employees
from service.web.rates import TOO_MANY_SIMULATIONS, Simulations
from service.web.sandbox_page import MAIL_POLICY, framed

ALERTS_SHOWN: Final = 20
LARGEST_PAYLOAD: Final = 64 * 1024
"""Characters."""
STATES: Final = ("CRITICAL", "WARNING", "ACKNOWLEDGEMENT", "OK")
PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; sandbox allow-same-origin; frame-ancestors 'self'"
)
"""The page's preview has our own styles, and runs, sends and leads to nothing."""

_HERE: Final = "/dashboard/monitors"
_PRIVATE: Final = {"cache-control": "no-store"}
_SPANS: Final = ("recovered_after", "publish_after")


def _file_of(front: Front, employee: Employee) -> ConfigFile:
    file = read_config_file(front.house.config, front.clock(), has_sandbox=front.sandbox is not None)
    return file if employee.role is Role.ADMIN else file.for_others


def _monitor_of(request: Request) -> Monitor:
    slug = request.path_params["slug"]
    for monitor in front_of(request).house.config.monitors:
        if slug_of(monitor) == slug:
            return monitor
    raise NotFound("No monitor has this address; it may have been renamed in config.yaml.")


@shown_to_employees
def show_monitors(request: Request, employee: Employee) -> Response:
    """Show all monitors, each with how it did, and the names that none of them takes."""
    front = front_of(request)
    with front.house.store.reading() as connection:
        mark = mark_of(front, connection)
        health = examine(connection, front.house.config, front.clock())
    return page(
        request,
        "dashboard/monitors.html",
        employee=employee,
        here="monitors",
        health=health,
        since=mark,
        file=_file_of(front, employee),
        days=COUNTED_FOR.days,
        slug_of=slug_of,
        span_in_words=span_in_words,
        format_span=format_span,
    )


@shown_to_employees
def show_monitor(request: Request, employee: Employee) -> Response:
    """Show one monitor: how it is set, how it did, and the form that simulates it."""
    return _monitor_page(request, employee, _monitor_of(request))


def _monitor_page(
    request: Request,
    employee: Employee,
    monitor: Monitor,
    *,
    simulated: Simulation | None = None,
    problems: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    front = front_of(request)
    with front.house.store.reading() as connection:
        mark = mark_of(front, connection)
        health = examine_one(connection, front.house.config, monitor, front.clock())
        alerts = monitor_history.last_alerts(connection, health.names, limit=ALERTS_SHOWN)
    file = _file_of(front, employee)
    return page(
        request,
        "dashboard/monitor.html",
        status_code=422 if problems else 200,
        employee=employee,
        here="monitor",
        monitor=monitor,
        slug=slug_of(monitor),
        settings=settings_in_words(monitor, front.house.name_of),
        health=health,
        since=mark,
        advice=advice_in_words(health.advice),
        alerts=alerts,
        alerts_shown=ALERTS_SHOWN,
        file=file,
        excerpt=file.excerpt(monitor),
        days=COUNTED_FOR.days,
        simulated=simulated,
        problems=problems or {},
        typed=typed or {"name": example_name(monitor)},
        states=STATES,
        largest=LARGEST_PAYLOAD,
        format_span=format_span,
        span_in_words=span_in_words,
        reason_words=reason_words,
    )


@ordered_by_employees
def simulate(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Show what would happen; whoever may look may do this, since nothing does happen."""
    monitor = _monitor_of(request)
    simulations: Simulations = request.app.state.simulations
    if simulations.are_too_many(employee.id):
        problems = {"name": TOO_MANY_SIMULATIONS}
        answer = _monitor_page(request, employee, monitor, problems=problems, typed=form)
        answer.status_code, answer.headers["retry-after"] = 429, "60"
        return answer
    spans, problems = _spans(form)
    payload, name = form.get("payload", "").strip(), form.get("name", "").strip()
    if len(payload) > LARGEST_PAYLOAD:
        problems["payload"] = f"This payload is too long: at most {LARGEST_PAYLOAD:,} characters are taken."
    elif not payload and not name:
        problems["name"] = "Give a name, or a payload."
    if problems:
        return _monitor_page(request, employee, monitor, problems=problems, typed=form)
    start = timedelta(0)
    state = form.get("state", "") or STATES[0]
    given = (
        GivenPost(start, RawPost(payload.encode(), "application/json"), monitor.provider)
        if payload
        else named_post(start, name, state, provider=monitor.provider)
    )
    recovered, published = spans.get("recovered_after"), spans.get("publish_after")
    front = front_of(request)
    readings = front.house.config.readings
    posts = with_recoveries([given], recovered, readings) if recovered is not None else (given,)
    simulated = run(front, posts, long_enough(front.house.config, posts), publish_after=published)
    return _monitor_page(request, employee, monitor, simulated=simulated, typed=form)


def _spans(form: Mapping[str, str]) -> tuple[dict[str, timedelta], dict[str, str]]:
    """Read the spans of a form, and say what is wrong with those that cannot be read."""
    spans: dict[str, timedelta] = {}
    problems: dict[str, str] = {}
    for name in _SPANS:
        text = form.get(name, "").strip()
        if not text:
            continue
        try:
            spans[name] = parse_span(text)
        except ValueError as error:
            problems[name] = f"This {error}."
    return spans, problems


@shown_to_employees
def show_preview(request: Request, employee: Employee) -> Response:
    """Show both mails and the page as they would be if the monitor fired now."""
    monitor = _monitor_of(request)
    simulated = _previews_of(request).anew(front_of(request), monitor)
    return page(
        request,
        "dashboard/monitor_preview.html",
        employee=employee,
        here="monitor",
        monitor=monitor,
        slug=slug_of(monitor),
        mails={reader: mail_for(simulated, reader) for reader in READERS},
        has_page=bool(page_html(simulated)),
    )


def _previews_of(request: Request) -> Previews:
    previews: Previews = request.app.state.previews
    return previews


def _kept_preview(request: Request) -> Simulation:
    return _previews_of(request).kept(front_of(request), _monitor_of(request))


@shown_to_employees
def show_mail(request: Request, _employee: Employee) -> Response:
    """Give the HTML part of a mail for the frame that shows it, under a policy of its own."""
    reader = request.path_params["reader"]
    mail = mail_for(_kept_preview(request), reader) if reader in READERS else None
    if mail is None or not mail.html:
        raise NotFound("There is no such mail.")
    return HTMLResponse(framed(mail.html), headers={**_PRIVATE, "content-security-policy": MAIL_POLICY})


@shown_to_employees
def show_page(request: Request, _employee: Employee) -> Response:
    """Give the incident's page for the frame that shows it, under a policy of its own."""
    html = page_html(_kept_preview(request))
    if not html:
        raise NotFound("It would not be published.")
    return HTMLResponse(html, headers={**_PRIVATE, "content-security-policy": PAGE_POLICY})


routes = [
    Route(_HERE, show_monitors),
    Route(f"{_HERE}/{{slug}}", show_monitor),
    Route(f"{_HERE}/{{slug}}/simulate", simulate, methods=["POST"]),
    Route(f"{_HERE}/{{slug}}/preview", show_preview),
    Route(f"{_HERE}/{{slug}}/preview/page", show_page),
    Route(f"{_HERE}/{{slug}}/preview/{{reader}}", show_mail),
]
