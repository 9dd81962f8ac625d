"""How often one client may ask for what makes us send mail or think hard. It keeps counts in memory only."""

import ipaddress
from typing import Final

from starlette.requests import Request

from service.web.windows import HOUR, MINUTE, Allowance, Windows

SIGN_UPS_AN_HOUR: Final = 20
"""By one client: a family or an office behind one address gets by, a list of strangers' addresses does not."""
SIMULATIONS_A_MINUTE: Final = 20
"""By one employee or token: each takes a good part of a second of a processor."""
TOO_MANY_SIMULATIONS: Final = (
    f"You simulated {SIMULATIONS_A_MINUTE} times within a minute: wait a moment, then try again."
)
"""What an employee reads who simulated too often."""
_IPV6_PREFIX: Final = 64
"""One customer has at least so many bits (RFC 6177), and may change the rest at will."""


class SignUps:
    """Counts sign-ups by client, in a window that moves."""

    def __init__(self, most: int = SIGN_UPS_AN_HOUR) -> None:
        self._windows = Windows()
        self._most = Allowance(most, HOUR)

    def are_too_many(self, request: Request) -> bool:
        """Count one more, and tell whether it is one too many."""
        return not self._windows.count(self._most, client_of(request))


class Simulations:
    """Counts simulations by who asks, in a window that moves."""

    def __init__(self, most: int = SIMULATIONS_A_MINUTE) -> None:
        self._windows = Windows()
        self._most = Allowance(most, MINUTE)

    def are_too_many(self, who: str) -> bool:
        """Count one more, and tell whether it is one too many."""
        return not self._windows.count(self._most, who)


def client_of(request: Request) -> str:
    """Name the client: its address, of IPv6 its network. `guards.behind_proxy` takes it from a proxy."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        # an IPv4 client of a socket that takes both; their common network is the whole internet's
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
    return host
