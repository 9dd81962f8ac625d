"""A line to a place of its own that can be cut, as by a switch that fails: nothing passes, and nobody is told.

That place is a network namespace. Where none may be made, proxies stand in: to who is behind them they fall silent, and
towards the servers they end the connections, as the kernel does there by itself, once its probes stay unanswered.
"""

import os
import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from ipaddress import IPv4Network
from typing import Final, Protocol

from tests.mailservers.processes import LOOPBACK

_NETWORKS: Final = (IPv4Network("198.51.100.0/24"), IPv4Network("203.0.113.0/24"))
"""For documentation (RFC 5737); one that this machine has a way to all the same is left alone."""
_NEAR, _FAR = "02:00:5e:00:53:01", "02:00:5e:00:53:02"
"""Known to both sides for good, so that neither asks for the other, and hears that nobody answers."""


class Line(Protocol):
    """The line; `near` is this side, with the servers, `far` the other one."""

    @property
    def host(self) -> str:
        """The address on this side at which servers are to listen, and where both sides find them."""

    @property
    def network(self) -> str:
        """The addresses of both sides."""

    @property
    def command(self) -> tuple[str, ...]:
        """What stands before a command that is to run on the other side."""

    def far_port(self, port: int) -> int:
        """Give the port at which the other side finds what listens on this one here."""

    def cut(self) -> None:
        """Let nothing pass."""

    def join(self) -> None:
        """Let everything pass again."""


def _ip(*words: str) -> str:
    program = shutil.which("ip", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "ip"
    return subprocess.run([program, *words], check=True, capture_output=True, text=True).stdout


def _free_network() -> IPv4Network:
    """Find a network for two to which this machine has no way but its default."""
    ways_out = {line.split()[0] for line in _ip("-4", "route", "show").splitlines()} - {"default"}
    used = [IPv4Network(one) for one in ways_out if one[:1].isdecimal()]
    small = [one for network in _NETWORKS for one in network.subnets(new_prefix=30)]
    random.shuffle(small)
    return next(one for one in small if not any(one.overlaps(other) for other in used))


class Namespace:
    """A network namespace behind a bridge, of which its cable is pulled out."""

    def __init__(self) -> None:
        number = f"{os.getpid():x}"
        self._name, self._bridge, self._cable = f"rc-{number}", f"rcb{number}", f"rcc{number}"
        free = _free_network()
        self.host, self._far, self.network = str(free[1]), str(free[2]), str(free)
        self.command: tuple[str, ...] = ("ip", "netns", "exec", self._name)

    def make(self) -> None:
        """Make it; raises CalledProcessError where that is not permitted."""
        _ip("netns", "add", self._name)
        _ip("link", "add", self._bridge, "address", _NEAR, "type", "bridge")
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "far", "netns", self._name)
        _ip("-n", self._name, "link", "set", "far", "address", _FAR)
        _ip("address", "add", f"{self.host}/30", "dev", self._bridge)
        _ip("-n", self._name, "address", "add", f"{self._far}/30", "dev", "far")
        self.join()
        for device in (self._bridge, self._cable):
            _ip("link", "set", device, "up")
        for device in ("lo", "far"):
            _ip("-n", self._name, "link", "set", device, "up")
        _ip("neighbour", "replace", self._far, "lladdr", _FAR, "dev", self._bridge)
        _ip("-n", self._name, "neighbour", "replace", self.host, "lladdr", _NEAR, "dev", "far")

    def remove(self) -> None:
        """Remove what there is of it."""
        for words in (
            ("netns", "delete", self._name),
            ("link", "delete", self._cable),
            ("link", "delete", self._bridge),
        ):
            with suppress(OSError, subprocess.CalledProcessError):
                _ip(*words)

    def far_port(self, port: int) -> int:
        """Give the same port."""
        return port

    def cut(self) -> None:
        """Pull the cable out."""
        _ip("link", "set", self._cable, "nomaster")

    def join(self) -> None:
        """Put it in again."""
        _ip("link", "set", self._cable, "master", self._bridge)


class Proxies:
    """A proxy before each server."""

    host = LOOPBACK
    network = f"{LOOPBACK}/32"
    command: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._listeners: list[socket.socket] = []
        self._clients: list[socket.socket] = []
        self._servers: list[socket.socket] = []
        self._is_cut = False

    def far_port(self, port: int) -> int:
        """Put a proxy before what listens on a port; gives its own."""
        listener = socket.create_server((LOOPBACK, 0))
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, port), daemon=True).start()
        return int(listener.getsockname()[1])

    def cut(self) -> None:
        """Pass nothing on any more."""
        self._is_cut = True
        _end(self._servers)

    def join(self) -> None:
        """Pass everything on again; connections of before are known to nobody, and end."""
        self._is_cut = False
        _end(self._clients)

    def remove(self) -> None:
        """End everything."""
        _end(self._listeners)
        _end(self._servers)
        _end(self._clients)

    def _accept(self, listener: socket.socket, port: int) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._clients.append(client)
            if self._is_cut:
                continue
            try:
                server = socket.create_connection((LOOPBACK, port))
            except OSError:
                _end([client])
                continue
            self._servers.append(server)
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while chunk := one.recv(65536):
                if not self._is_cut:
                    other.sendall(chunk)
        if not self._is_cut:
            _end([one, other])


def _end(sockets: list[socket.socket]) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@cache
def ways() -> tuple[type[Namespace] | type[Proxies], ...]:
    """Tell which kinds of line this machine permits, the best first."""
    probe = Namespace() if os.geteuid() == 0 and shutil.which("ip") else None
    if probe is None:
        return (Proxies,)
    try:
        probe.make()
    except subprocess.CalledProcessError:
        return (Proxies,)
    finally:
        probe.remove()
    return (Namespace, Proxies)


@contextmanager
def line(way: type[Namespace] | type[Proxies]) -> Iterator[Line]:
    """Give a line during the block."""
    made = way()
    try:
        if isinstance(made, Namespace):
            made.make()
        yield made
    finally:
        made.remove()
