"""The files that this service makes for itself: the key that tokens are derived from, and a lock on its database."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from service.config.settings import Config
from service.errors import PermanentFault
from service.store.handing_over import hand_over, make_folder

KEY_BYTES = 32


class AlreadyRunning(PermanentFault):
    """Another process works on this SQLite database; two would send mails twice."""


class KeyFileUnusable(PermanentFault):
    """The file of the key cannot be read, written, or is readable by others."""


def database_file(config: Config) -> Path | None:
    """Give the file of an SQLite database; None where it is in memory or on a server."""
    url = make_url(config.database)
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))


@contextmanager
def only_process(config: Config) -> Iterator[None]:
    """Keep a second process off an SQLite database while this one runs; raises AlreadyRunning.

    The kernel gives the lock back however we end, so that a crash needs no repair.
    """
    file = database_file(config)
    if file is None:
        yield
        return
    make_folder(file.parent, mode=0o700)
    descriptor = _opened(file.with_suffix(".lock"))
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            said = f"another replycast runs on {file}: stop it, or give this one a database of its own"
            raise AlreadyRunning(said) from error
        yield
    finally:
        os.close(descriptor)


def _opened(file: Path) -> int:
    """Open a file of ours, and make it where it is not there; gives its descriptor, and raises OSError."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    hand_over(descriptor, file.parent)
    return descriptor


def key_file(config: Config) -> Path:
    """Name the file of the key: beside a database of SQLite, else beside config.yaml."""
    file = database_file(config)
    return config.path.parent / "replycast.key" if file is None else file.with_suffix(".key")


def place_of_key(config: Config) -> str:
    """Say where the key is read."""
    return "config.yaml (`secret_key`)" if config.secret_key else str(key_file(config))


def load_key(config: Config) -> bytes:
    """Give the key that tokens are derived from: config.yaml's, else that of the key file.

    The file is made at the first start, readable by its owner alone. Raises KeyFileUnusable.
    """
    if config.secret_key:
        return config.secret_key.reveal().encode()
    path = key_file(config)
    try:
        descriptor = _opened(path)
        with os.fdopen(descriptor, "r+") as opened:
            if os.fstat(descriptor).st_mode & 0o077:
                raise KeyFileUnusable(f"{path} is readable by others: chmod 600 it")
            # another process may be making it at this moment
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            text = opened.read().strip()
            if not text:
                text = secrets.token_hex(KEY_BYTES)
                opened.write(text)
                opened.flush()
                os.fsync(descriptor)
        key = bytes.fromhex(text)
    except (OSError, ValueError) as error:
        raise KeyFileUnusable(
            f"the key file {path} cannot be used (nor is there a `secret_key`): {error}"
        ) from error
    if len(key) != KEY_BYTES:
        raise KeyFileUnusable(f"the key file {path} was cut short: bring it back from a backup")
    return key
