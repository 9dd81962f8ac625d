"""What machines ask: does the process live, can it do its work, and how does it fare.

Not ready is only what another instance could do better, so that a load balancer may take this one out: a database that
cannot be used. Whatever else is wrong is a warning: posts are still to be taken in, which loses nothing.
"""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.actions.watchdog import Problem
from service.actions.watching import problems_seen
from service.errors import StoreUnavailable
from service.store import inbox_rows
from service.store.database import demand_writable
from service.web.front import JsonLine, front_of
from service.web.metrics import show_metrics
from service.web.reloading import reload_config


async def is_alive(_request: Request) -> Response:
    """Say that the process answers."""
    return PlainTextResponse("ok\n")


def is_ready(request: Request) -> Response:
    """Say whether the database can be used, what waits in the inbox, and what the watchdog would say."""
    front = front_of(request)
    try:
        with front.house.store.reading() as connection:
            demand_writable(connection)
            pending = inbox_rows.count_pending(connection)
            found = problems_seen(connection, front.house, front.seen(), front.clock())
    except StoreUnavailable as error:
        return JsonLine({"ready": False, "reasons": [str(error)], "warnings": []}, 503)
    warnings = list(map(_shown, found))
    return JsonLine({"ready": True, "reasons": [], "warnings": warnings, "inbox_pending": pending})


def _shown(problem: Problem) -> dict[str, str]:
    since = problem.since.isoformat(timespec="seconds")
    return {"name": problem.name, "since": since, "text": problem.title}


routes = [
    Route("/healthz", is_alive),
    Route("/readyz", is_ready),
    # as Prometheus itself names them
    Route("/-/healthy", is_alive),
    Route("/-/ready", is_ready),
    Route("/metrics", show_metrics),
    Route("/-/reload", reload_config, methods=["POST"]),
]
