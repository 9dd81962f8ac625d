"""Databases of a run that keep what they are told as those of a real day do: each commit waits for the disk."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tests.store import postgres
from tests.store.databases import migrated_sqlite

KINDS = ("sqlite", "postgresql")
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@contextmanager
def folder_on_disk() -> Iterator[Path]:
    """Make a folder for a run; it lies on a disk also where /tmp is in memory, and servers get through it."""
    with tempfile.TemporaryDirectory(dir=postgres.ON_DISK) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """Make a database without a row; gives its address."""
    if kind == "postgresql":
        with _server() as server, server.database() as address:
            yield address
    else:
        file = folder / "replycast.db"
        for old in folder.glob(f"{file.name}*"):
            old.unlink()
        file.write_bytes(migrated_sqlite())
        yield f"sqlite:///{file}"


@contextmanager
def empty_postgresql() -> Iterator[str]:
    """Make a database of PostgreSQL without a table, for others than ours; gives its address."""
    with _server() as server, server.database(template="template0") as address:
        yield address


def usable_kinds() -> tuple[str, ...]:
    """Name those that this machine has, and say which one is left out."""
    if postgres.binaries() is not None:
        return KINDS
    click.echo("PostgreSQL is not installed and is left out: `make peers` installs it", err=True)
    return KINDS[:1]


_running: list[postgres.Server] = []
"""The server of PostgreSQL, while somebody has a database there."""


@contextmanager
def _server() -> Iterator[postgres.Server]:
    """Give the server for as long as somebody is measured who needs it: at rest it would take time from the others."""
    if _running:
        yield _running[0]
        return
    _running.append(postgres.start_server(is_durable=True))
    try:
        yield _running[0]
    finally:
        _running.pop().stop()
