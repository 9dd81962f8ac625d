"""What Dovecot and Postfix have in common: finding them, starting them in the foreground, ending them.

Only processes that were started here are ever ended, by their ids.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

LOOPBACK = "127.0.0.1"
PATIENCE = 20.0
"""Seconds that a server gets to start or to end."""

_given: set[int] = set()
"""Ports that were handed out: the kernel may offer one again before its server listens."""


class ServersMissing(Exception):
    """A program that the tests need is not installed, or may not be used by this user."""


def find_program(name: str, package: str) -> str:
    """Give the path of a Debian server; raise ServersMissing, saying how to get it, where there is none."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postfix/sbin")
    if found is None:
        raise ServersMissing(f"{name} is not installed; on Debian: apt-get install {package}")
    if os.geteuid() != 0:
        raise ServersMissing(f"{name} gives mail to other users, so these tests must run as root")
    return found


def free_port() -> int:
    """Give a loopback port that nobody listens on just now and that was not given before."""
    while True:
        with socket.create_server((LOOPBACK, 0)) as listener:
            port: int = listener.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def certificate(directory: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1 and give its path and its key's."""
    cert, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def start(command: Sequence[str], *, ports: Sequence[int], log: Path) -> subprocess.Popen[bytes]:
    """Start a server in the foreground and return once it listens on all its ports."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + PATIENCE
    for port in ports:
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                stop(process)
                text = log.read_text(errors="replace")[-3000:]
                raise RuntimeError(f"{command[0]} does not listen on port {port}:\n{text}")
            time.sleep(0.02)  # between two tries; the condition, not the time, ends the loop
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and all the processes of its session, as an outage does."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # Dovecot's idling children outlive it; start() made the group
    process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
