"""Whether a program or browser of this machine asks for itself: what is shown to it is shown to nobody else."""

import re
from typing import Final

from starlette.requests import Request

from service.config.values import is_loopback_host

_BY_PROXIES: Final = re.compile(
    r"forwarded|via|x-real-ip|x-client-ip|true-client-ip|(?:x-forwarded|x-envoy|x-original|cf|tailscale)(?:-.*)?"
)
"""Who sends one of these fields speaks for somebody else (RFC 7239; RFC 9110, section 7.6.3; and what products add)."""
_SPOKEN_BY_PROXIES: Final = "1.0"
"""The HTTP of nginx to what stands behind it, unless it is told otherwise; browsers and curl speak a newer one."""


def is_from_here(request: Request) -> bool:
    """Tell whether it comes from this machine and by no proxy that gives itself away."""
    return request.client is not None and is_loopback_host(request.client.host) and not _is_proxied(request)


def _is_proxied(request: Request) -> bool:
    is_old = request.scope.get("http_version") == _SPOKEN_BY_PROXIES
    return is_old or any(_BY_PROXIES.fullmatch(name) for name in request.headers)
