"""Alerta, which takes alerts in and keeps them in PostgreSQL too: PyPI's alerta-server under gunicorn.

It has an environment of its own, for what it wants is nothing that ours may depend on.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bench.peers.databases import empty_postgresql, usable_kinds
from bench.peers.servers import Server, running
from bench.peers.wrk import CONNECTIONS
from tests.mailservers.processes import LOOPBACK, free_port

PROGRAM = Path(sys.prefix) / "peers" / "bin" / "gunicorn"
ALERT = (
    """'{"resource":"disk-' .. count % 100 .. '","event":"Email Server","environment":"Production","""
    """"service":["Email"],"severity":"critical"}'"""
)
"""A post in Lua."""


def is_usable() -> bool:
    """Tell whether it can be started, and say so where it cannot."""
    if PROGRAM.exists():
        return "postgresql" in usable_kinds()
    click.echo("Alerta is left out: `make peers` installs it", err=True)
    return False


@contextmanager
def alerta(folder: Path) -> Iterator[Server]:
    """Run it over a new database, as one process with a thread for each connection.

    Of one, two and four processes with 8, 16 or 32 threads each, that took in most.
    """
    port = free_port()
    file = folder / f"alertad-{port}.conf"
    with empty_postgresql() as address:
        file.write_text(f"DATABASE_URL = {address!r}\nSECRET_KEY = 'of a bench'\n")
        command = [
            *("env", f"ALERTA_SVR_CONF_FILE={file}", PROGRAM, "alerta:create_app()"),
            *("--bind", f"{LOOPBACK}:{port}", "--worker-class", "gthread", "--threads", CONNECTIONS),
            *("--keep-alive", 30, "--preload", "--log-level", "warning"),
        ]
        with running(command, port, folder) as server:
            yield server


def alert_of(number: int) -> str:
    """Write a post as its own command does."""
    said = {"resource": f"disk-{number % 100}", "event": "Email Server", "environment": "Production"}
    return json.dumps(said | {"service": ["Email"], "severity": "critical"})
