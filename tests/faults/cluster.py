"""A PostgreSQL server of one test's own, which may be restarted and paused; the one of all tests never is."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from psycopg import OperationalError

from tests.store import postgres


@contextmanager
def own_cluster(
    *, hosts: str = "", port: int = 5432, clients: str = "127.0.0.1/32"
) -> Iterator[postgres.Server]:
    """Start a server, and end it afterwards; see `start_server`."""
    started = postgres.start_server(hosts=hosts, port=port, clients=clients)
    try:
        yield started
    finally:
        started.process.send_signal(signal.SIGINT)
        started.process.wait(postgres.PATIENCE)
        shutil.rmtree(started.folder, ignore_errors=True)


ROLE, PASSWORD = "replycast", "p@ss:w/rd%41"
"""Whom the service is by TCP; the password is one that an address has to escape."""


@contextmanager
def database_of_a_role(server: postgres.Server) -> Iterator[str]:
    """Make a database that belongs to a role with a password, as an admin does; gives its name."""
    server.run(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
    server.run(f"CREATE DATABASE {ROLE} OWNER {ROLE} ENCODING 'UTF8' TEMPLATE template0")
    try:
        yield ROLE
    finally:
        server.run(f"DROP DATABASE {ROLE} WITH (FORCE)")
        server.run(f"DROP ROLE {ROLE}")


def restart(server: postgres.Server) -> None:
    """End all its processes without a word and start it again, as `pg_ctl restart -m immediate` does."""
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait(postgres.PATIENCE)
    server.process = subprocess.Popen(
        server.process.args, cwd=server.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + postgres.PATIENCE
    while True:
        try:
            server.run("SELECT 1")
        except OperationalError:
            assert time.monotonic() < until, "PostgreSQL does not start again"
            time.sleep(postgres.LOOK_AGAIN)  # between two looks; the condition, not the time, ends the loop
        else:
            return


@contextmanager
def paused(server: postgres.Server) -> Iterator[None]:
    """Let all its processes stand still during the block, as a machine does that is moved or out of memory."""
    postmaster = server.process.pid
    stopped: list[int] = []
    try:
        # first the one that makes others
        _signal(postmaster, signal.SIGSTOP, stopped)
        for child in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
            _signal(int(child), signal.SIGSTOP, stopped)
        yield
    finally:
        for process in reversed(stopped):
            _signal(process, signal.SIGCONT, [])


def _signal(process: int, number: signal.Signals, done: list[int]) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)
        done.append(process)
