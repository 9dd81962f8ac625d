"""Simulating a recorded day: what it would have come to under the configuration that runs. It changes nothing."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.actions.recorded_day import (
    MOST_POSTS,
    RecordedRun,
    SpanUnusable,
    TooManyPosts,
    day_end,
    day_start,
    read_posts,
    simulate_recorded,
)
from service.config.spans import parse_span
from service.model import Employee
from service.web.dashboard.words import PHASE_WORDS
from service.web.front import Front, front_of, page
from service.web.login.mail_link import ordered_by_employees, shown_to_employees
from service.web.rates import TOO_MANY_SIMULATIONS, Simulations

_HERE: Final = "/dashboard/simulate"


@shown_to_employees
def show_form(request: Request, employee: Employee) -> Response:
    """Show the form, with yesterday in it."""
    return _page(request, employee, {"day": str(_today(front_of(request)) - timedelta(days=1))})


@ordered_by_employees
def simulate(request: Request, employee: Employee, form: Mapping[str, str]) -> Response:
    """Show what would have happened; whoever may look may do this, since nothing does happen."""
    front, problems = front_of(request), dict[str, str]()
    zone, publish_after = front.house.config.site.timezone, None
    try:
        day = date.fromisoformat(form.get("day", "").strip())
        since, until = day_start(day, zone), day_end(day, zone)
    except (ValueError, OverflowError):
        problems["day"] = "Choose a day, as 2026-11-23."
    if span := form.get("publish_after", "").strip():
        try:
            publish_after = parse_span(span)
        except ValueError as error:
            problems["publish_after"] = f"This {error}."
    if problems:
        return _page(request, employee, form, problems)
    simulations: Simulations = request.app.state.simulations
    if simulations.are_too_many(employee.id):
        answer = _page(request, employee, form, {"day": TOO_MANY_SIMULATIONS})
        answer.status_code, answer.headers["retry-after"] = 429, "60"
        return answer
    try:
        with front.house.store.reading() as connection:
            posts = read_posts(connection, since, until, most=MOST_POSTS)
    except (SpanUnusable, TooManyPosts) as error:
        said = f"{str(error)[:1].upper()}{str(error)[1:]}: `replycast simulate --recorded` takes more."
        return _page(request, employee, form, {"day": said})
    run = simulate_recorded(front.house.config, posts, since, until, publish_after=publish_after)
    return _page(request, employee, form, run=run)


def _page(
    request: Request,
    employee: Employee,
    typed: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
    run: RecordedRun | None = None,
) -> Response:
    return page(
        request,
        "dashboard/recorded_day.html",
        status_code=422 if problems else 200,
        employee=employee,
        here="simulate",
        typed=typed,
        problems=problems or {},
        run=run,
        today=str(_today(front_of(request))),
        most=MOST_POSTS,
        phase_words=PHASE_WORDS,
    )


def _today(front: Front) -> date:
    return front.clock().astimezone(front.house.config.site.timezone).date()


routes = [Route(_HERE, show_form), Route(f"{_HERE}/day", simulate, methods=["POST"])]
