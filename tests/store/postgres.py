"""A PostgreSQL server of a run of tests: started when one asks for it, gone with the process that did.

It sorts as dictionaries do, so that what needs the order of bytes fails unless it says so.
"""

import atexit
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from service.store.database import open_store

IN_MEMORY = Path("/dev/shm")  # noqa: S108  a folder of its own is made in it, which nobody else may enter
ROOM = 1024**3
"""Bytes that must be free there."""
PATIENCE = 60.0
LONGEST_RUN = 3600.0
"""Seconds after which a folder without a running server is nobody's."""
_PREFIX = "replycast-pg-"
LOOK_AGAIN = 0.02
_SETTINGS = {
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "log_min_messages": "fatal",
}
_QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_wal_size": "128MB",
}
ON_DISK = Path("/var/tmp")  # noqa: S108  as above
_TEMPLATE = "migrated"


def binaries() -> Path | None:
    """Find the programs of the newest PostgreSQL on this machine; None: there is none."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda one: int(one.parts[-3])).parent
    named = shutil.which("initdb")
    return None if named is None else Path(named).resolve().parent


@dataclass(slots=True)
class Server:
    """A server, and the process that it ends with."""

    folder: Path
    process: subprocess.Popen[bytes]
    port: int = 5432
    """Names its socket too."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        """Give the address of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self.folder}&port={self.port}"

    def run(self, words: str) -> None:
        """Let it do something about its databases."""
        with self._connected() as connection:
            connection.execute(words.encode())

    def end_connections(self, database: str) -> None:
        """Break every connection to one of its databases."""
        with self._connected() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
            )

    def stop(self) -> None:
        """End it, and remove all it has."""
        _end(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), port=self.port, user="postgres", autocommit=True)

    @contextmanager
    def database(self, *, template: str = _TEMPLATE) -> Iterator[str]:
        """Make a database for one test, with all tables and no row; gives its address."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")


@cache
def server() -> Server:
    """Give the server of this run, which is started at the first call."""
    return start_server()


def start_server(
    *, hosts: str = "", port: int = 5432, clients: str = "127.0.0.1/32", is_durable: bool = False
) -> Server:
    """Start a server; one that is durable waits for the disk at each commit, as those of a real day do.

    By its socket everybody is let in; by TCP, at the addresses `hosts`, whoever is of this machine or of the network
    `clients` and knows the password of his role (SCRAM-SHA-256).
    """
    programs = binaries()
    assert programs is not None, "PostgreSQL is not installed: `make servers` does it"
    has_room = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ROOM
    in_memory = IN_MEMORY if has_room else None
    folder = Path(mkdtemp(prefix=_PREFIX, dir=ON_DISK if is_durable else in_memory))
    _remove_what_was_left(folder.parent)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    become = ["setpriv", "--pdeathsig=INT"]
    if os.getuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        become += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    place = folder / "db"
    made = [
        "--auth-local=trust",
        "--auth-host=scram-sha-256",
        "--username=postgres",
        "--encoding=UTF8",
        "--no-sync",
        "--no-instructions",
    ]
    order = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en"]
    subprocess.run(
        [*become, programs / "initdb", *made, *order, "-D", place], check=True, capture_output=True
    )
    with (place / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {clients} scram-sha-256\n")
    settings = {**_SETTINGS, **({} if is_durable else _QUICK), "listen_addresses": hosts, "port": str(port)}
    set_to = [f"--{name}={value}" for name, value in settings.items()]
    process = subprocess.Popen(
        [*become, programs / "postgres", "-D", place, "-k", folder, *set_to],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(_end, process)
    started = Server(folder, process, port)
    _await(started)
    started.run(f"CREATE DATABASE {_TEMPLATE}")
    open_store(started.url(_TEMPLATE)).close()
    return started


def _remove_what_was_left(parent: Path) -> None:
    """Remove the folders of runs that were killed: they may lie in memory."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            is_old = time.time() - folder.stat().st_mtime > LONGEST_RUN
            pid_file = folder / "db" / "postmaster.pid"
            pid = pid_file.read_text().split()[0] if pid_file.exists() else ""
            if is_old and not (pid and Path("/proc", pid).exists()):
                shutil.rmtree(folder, ignore_errors=True)


def _await(started: Server) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            started.run("SELECT 1")
        except psycopg.OperationalError:
            assert started.process.poll() is None, "the PostgreSQL server of the tests ended"
            assert time.monotonic() < until, "the PostgreSQL server of the tests does not start"
            time.sleep(LOOK_AGAIN)
        else:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
