"""Calls a subscriber's webhook: one POST, no redirect, at most 10 seconds, and only to public addresses.

Whoever may enter a URL could otherwise let this machine call what only it can reach. The name is resolved once and
that very address is connected to, so that a name which changes its mind between check and call gains nothing.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cache, partial
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore2
import httpx2
from anyio import CapacityLimiter, to_thread

from service.errors import (
    AnswerLost,
    PermanentFault,
    RecipientRefused,
    RecipientRefusedForNow,
    exhaustion_named,
)

LOOKED_UP_AT_ONCE: Final = 64
"""Names, each in a thread of its own: as many as are called at once."""
TIMEOUT: Final = 10.0
"""Seconds for the whole call."""
ANSWER_LIMIT: Final = 300
"""Characters of a refusal that are kept for a person to read."""
LONGEST_URL: Final = 2_000

_ERRNO: Final = re.compile(r"\[Errno -?[0-9]+\] ?")
_GONE: Final = 410
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052 section 2.1."""
_GLOBAL_UNICAST: Final = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given to anybody (RFC 4291 section 2.4, IANA's registry); the rest is for special use."""
_TAKEN: Final = range(200, 300)
_OF_A_GATEWAY: Final = {502, 504}
"""A gateway that passed it on had no answer (RFC 9110 sections 15.6.3 and 15.6.5)."""
_WENT_OUT: Final = "send_request_body.complete"
"""What httpcore2 calls the step after which the receiver may have all of it."""


class UrlUnusable(PermanentFault):
    """A text given as a webhook's URL is none that may be called."""


def check_url(url: str, *, may_be_private: bool = False) -> str:
    """Give the URL as it will be called; raises UrlUnusable, which says what to mend.

    Unless it `may_be_private`, no address of our own network is taken that stands in the URL itself. Where a name leads
    to is looked up at each call alone: it may be another address by then.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as fault:
        raise UrlUnusable(f"is no URL: {fault}") from fault
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise UrlUnusable("must begin with https:// and name a host")
    if parts.username or parts.password:
        raise UrlUnusable("must hold no user name or password")
    if len(url) > LONGEST_URL or any(one.isspace() or not one.isprintable() for one in url.strip()):
        raise UrlUnusable(f"must be one line of at most {LONGEST_URL} characters without spaces")
    if port == 0:
        raise UrlUnusable("must name a port from 1 to 65535, or none")
    if not may_be_private and _says_private(parts.hostname):
        raise UrlUnusable(
            "is at an address of our own network, which is not called unless `subscribers.private_webhooks` is true "
            "in config.yaml"
        )
    return url.strip()


def _says_private(host: str) -> bool:
    """Tell whether a host is an address of our own network by what it says, without a look at the DNS."""
    name = host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _literal(name)
    return address is not None and not is_public(address)


def _literal(host: str) -> str | None:
    """Read a host that is an IP address, in any way in which it may be written; None where it is a name."""
    with suppress(ValueError):
        return str(ipaddress.ip_address(host))
    # 127.1, 0x7f000001 and 2130706433 are 127.0.0.1 to whatever resolves them
    with suppress(OSError):
        return socket.inet_ntoa(socket.inet_aton(host))
    return None


class Caller:
    """An HTTP client for webhooks; `open_caller` makes and ends it."""

    def __init__(self, *, may_be_private: bool) -> None:
        self._may_be_private = may_be_private
        self._made: httpx2.AsyncClient | None = None
        self._making = asyncio.Lock()

    async def _client(self) -> httpx2.AsyncClient:
        # made at the first call: whose certificates are trusted takes one and a half megabytes of memory, which few
        # need, and forty milliseconds to read, which the loop has not
        async with self._making:
            if self._made is None:
                self._made = _client(await to_thread.run_sync(_trust), may_be_private=self._may_be_private)
            return self._made

    async def close(self) -> None:
        """End the connections that were kept."""
        if self._made is not None:
            await self._made.aclose()

    async def call(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Post a body and return once it was answered with 2xx.

        Raises RecipientRefused where it never will be (410 Gone, or an address that may not be called), AnswerLost
        where it went out whole and nobody said what became of it, RecipientRefusedForNow for everything else, and
        MachineExhausted where there is nothing left to connect with.
        """
        is_in_doubt = asyncio.Event()
        try:
            async with asyncio.timeout(TIMEOUT):
                with exhaustion_named():
                    await self._post(url, body, headers, is_in_doubt)
        except TimeoutError as fault:
            refusal = AnswerLost if is_in_doubt.is_set() else RecipientRefusedForNow
            raise refusal(f"no answer within {TIMEOUT:.0f} seconds") from fault
        except AddressPrivate as fault:
            raise RecipientRefused(str(fault)) from fault
        except (httpx2.HTTPError, httpx2.InvalidURL, httpcore2.NetworkError, OSError, ValueError) as fault:
            refusal = AnswerLost if is_in_doubt.is_set() else RecipientRefusedForNow
            raise refusal(_in_words(fault, url)) from fault

    async def fetch(self, url: str, *, most: int) -> bytes:
        """Get what stands at a URL, of at most so many bytes, once it was answered with 2xx.

        Raises RecipientRefused for an address that may not be called, and RecipientRefusedForNow for everything else.
        """
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._get(url, most)
        except TimeoutError as fault:
            raise RecipientRefusedForNow(f"no answer within {TIMEOUT:.0f} seconds") from fault
        except AddressPrivate as fault:
            raise RecipientRefused(str(fault)) from fault
        except (httpx2.HTTPError, httpx2.InvalidURL, httpcore2.NetworkError, OSError, ValueError) as fault:
            raise RecipientRefusedForNow(_in_words(fault, url)) from fault

    async def _get(self, url: str, most: int) -> bytes:
        said = {"user-agent": "Replycast", "accept-encoding": "identity"}
        async with (await self._client()).stream("GET", url, headers=said) as response:
            if response.status_code not in _TAKEN:
                raise RecipientRefusedForNow(f"it answered {response.status_code}")
            got = b""
            async for piece in response.aiter_raw():
                got += piece
                if len(got) > most:
                    raise RecipientRefusedForNow(f"its answer has more than {most} bytes")
        return got

    async def _post(
        self, url: str, body: bytes, headers: Mapping[str, str], is_in_doubt: asyncio.Event
    ) -> None:
        async def note(step: str, _: object) -> None:
            if step.endswith(_WENT_OUT):
                is_in_doubt.set()

        said = {"content-type": "application/json", "user-agent": "Replycast", **headers}
        given: dict[str, Any] = {"content": body, "headers": said, "extensions": {"trace": note}}
        async with (await self._client()).stream("POST", url, **given) as response:
            if response.status_code in _TAKEN:
                return
            is_in_doubt.clear()
            begun = b""
            async for piece in response.aiter_raw():
                begun += piece
                if len(begun) >= ANSWER_LIMIT:
                    break
        text = " ".join(begun[:ANSWER_LIMIT].decode(errors="replace").split())
        # people read it on a terminal too, which some characters command
        printable = "".join(one for one in text if one.isprintable())
        answer = f"it answered {response.status_code} {printable}".strip()
        if response.status_code == _GONE:
            raise RecipientRefused(answer)
        raise AnswerLost(answer) if response.status_code in _OF_A_GATEWAY else RecipientRefusedForNow(answer)


def _in_words(fault: Exception, url: str) -> str:
    """Say why nothing is there to be called; what the system calls it stands behind what it means."""
    said = _ERRNO.sub("", str(fault)) or type(fault).__name__
    if not isinstance(fault, socket.gaierror):
        return f"it cannot be called: {said}"
    found = "looked up in the DNS for now" if fault.errno == socket.EAI_AGAIN else "found in the DNS"
    return f"the name {urlsplit(url).hostname} cannot be {found} ({said})"


class AddressPrivate(PermanentFault):
    """A webhook's name leads to an address of our own network."""


@cache
def _trust() -> ssl.SSLContext:
    """Read once whose certificates are trusted: the same file for each caller."""
    return httpx2.create_ssl_context(trust_env=False)


@asynccontextmanager
async def open_caller(*, may_be_private: bool) -> AsyncIterator[Caller]:
    """Give a caller until the block ends; `may_be_private` also lets it call addresses of our own network."""
    caller = Caller(may_be_private=may_be_private)
    try:
        yield caller
    finally:
        await caller.close()


def _client(trust: ssl.SSLContext, *, may_be_private: bool) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=16)
    # no proxy or credentials from the environment: the URL says all that is sent
    transport = httpx2.AsyncHTTPTransport(verify=trust, limits=limits, trust_env=False)
    backend = _Backend(may_be_private=may_be_private)
    transport._pool._network_backend = backend  # noqa: SLF001  httpx2 has no public way to give one
    return httpx2.AsyncClient(transport=transport, timeout=TIMEOUT, follow_redirects=False)


class _Backend(httpcore2.AnyIOBackend):
    """Connects to public addresses alone, unless others are allowed; a name that hangs in the DNS holds up no other."""

    def __init__(self, *, may_be_private: bool) -> None:
        self._may_be_private = may_be_private
        # a thread of which nobody waits any more counts no longer: those of the loop are six, and would all be hanging
        self._looking_up = CapacityLimiter(LOOKED_UP_AT_ONCE)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore2's own interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve the name, and connect to the first address that answers and is not one of our own network."""
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await to_thread.run_sync(look_up, abandon_on_cancel=True, limiter=self._looking_up)
        addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
        allowed = [one for one in addresses if self._may_be_private or is_public(one)]
        if not allowed:
            raise AddressPrivate(f"{host} leads to an address of our own network, which is not called")
        for address in allowed[:-1]:
            # such as one of IPv6, where this machine has none to call it from
            with suppress(httpcore2.ConnectError):
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
        return await super().connect_tcp(allowed[-1], port, timeout, local_address, socket_options)


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the whole internet's (IANA's special-purpose registries)."""
    one = ipaddress.ip_address(address.partition("%")[0])
    within: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = [one]
    if isinstance(one, ipaddress.IPv6Address):
        if one not in _GLOBAL_UNICAST and one not in _NAT64 and one.ipv4_mapped is None:
            return False
        # gateways lead these to the IPv4 address that they hold
        translated = ipaddress.IPv4Address(int(one) & 0xFFFFFFFF) if one in _NAT64 else None
        within += filter(None, (one.ipv4_mapped, one.sixtofour, translated))
    return all(each.is_global and not each.is_multicast for each in within if each not in _NAT64)
