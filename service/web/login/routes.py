"""Both doors of the log-in in one list."""

from typing import Final

from starlette.routing import Route

from service.web.login import mail_link, oidc

ROUTES: Final[tuple[Route, ...]] = (*oidc.routes, *mail_link.routes)
