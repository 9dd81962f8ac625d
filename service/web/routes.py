"""Every room of the house in one table, so that none is forgotten where they are opened or tested.

`tests/web/doors.py` says of each who may enter; a route that is not classed there fails the tests.
"""

from starlette.routing import BaseRoute

from service.web import api, brand, links, machine_checks, sandbox_page, webhooks
from service.web.dashboard import routes as dashboard
from service.web.login import routes as login
from service.web.public import routes as public


def all_routes(*, with_sandbox: bool) -> list[BaseRoute]:
    """Give the routes of one application; the mail sandbox is there only where no mail server is configured."""
    return [
        *webhooks.routes,
        *machine_checks.routes,
        *brand.routes,
        *public.ROUTES,
        *api.routes(),
        *links.routes,
        *login.ROUTES,
        *dashboard.ROUTES,
        *(sandbox_page.routes if with_sandbox else ()),
    ]
