"""Gives the socket on which posts are taken: an own one, or one that systemd keeps open while we are started anew."""

import os
import socket
from typing import Final

from service.errors import PermanentFault

FIRST_INHERITED: Final = 3
"""The first descriptor that systemd hands over (SD_LISTEN_FDS_START of sd_listen_fds(3))."""
BACKLOG: Final = 1024
"""Connections that may wait to be taken."""


class AddressUnusable(PermanentFault):
    """The service cannot listen where it is told to: the port is taken, or the address is not this machine's."""


def listen(host: str, port: int) -> socket.socket:
    """Listen; 0 takes a free port. Raises AddressUnusable."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
        door.listen(BACKLOG)
    except OSError as error:
        door.close()
        reason = error.strerror or str(error)
        raise AddressUnusable(
            f"cannot listen on {host}, port {port}: {reason[:1].lower()}{reason[1:]}"
        ) from error
    return door


def inherit_socket() -> socket.socket | None:
    """Give the socket that systemd handed over (sd_listen_fds(3)); None where it handed none to this process.

    Raises AddressUnusable where it is more than one, or none that listens for TCP.
    """
    count, pid = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or count in {"", "0"}:
        return None
    if count != "1":
        raise AddressUnusable(f"systemd handed over {count} sockets: one `ListenStream=` is what is needed")
    try:
        door = socket.socket(fileno=FIRST_INHERITED)
    except OSError as error:
        raise AddressUnusable(f"the socket that systemd handed over cannot be used: {error}") from error
    if door.family not in {socket.AF_INET, socket.AF_INET6} or door.type != socket.SOCK_STREAM:
        raise AddressUnusable(
            "the socket that systemd handed over is none for TCP: `ListenStream=127.0.0.1:8080`"
        )
    door.set_inheritable(False)
    return door
