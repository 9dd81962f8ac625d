"""The file of a backup: what is in it, how it is written whole or not at all, and how it is believed when read.

A gzipped tar of a manifest, the database, the key file and config.yaml; no other name in it is ever looked at.
"""

import gzip
import hashlib
import io
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import orjson

from service.config.secret_files import sync_folder
from service.errors import PermanentFault

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DATABASE: Final = "database.sqlite"
KEY: Final = "replycast.key"
CONFIG: Final = "config.yaml"
_LARGEST_MANIFEST: Final = 64 * 1024
_PIECE: Final = 1024 * 1024
_DAMAGE: Final = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, KeyError, TypeError)


class BackupUnusable(PermanentFault):
    """A file is no backup of ours, is damaged, or was made by a newer version."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    version: str
    """Of the service that made it."""
    made_at: str
    schema: str
    """The last migration that its database has seen."""
    files: Mapping[str, tuple[int, str]]
    """By name: bytes, and SHA-256 in hexadecimal digits."""


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give a file beside the target, for its owner alone, that takes the target's place if the block succeeds."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(descriptor)
    part = Path(name)
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(target)
        sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)


def write_archive(
    target: Path, files: Mapping[str, Path], *, version: str, made_at: str, schema: str
) -> Manifest:
    """Write a backup of some files under their names in it, whole or not at all; raises OSError."""
    sums = {name: _measured(path) for name, path in files.items()}
    manifest = Manifest(version, made_at, schema, sums)
    told = {
        "format": FORMAT,
        "version": version,
        "made_at": made_at,
        "schema": schema,
        "files": {name: {"bytes": size, "sha256": digest} for name, (size, digest) in sums.items()},
    }
    with written_whole(target) as part, tarfile.open(part, "w:gz", compresslevel=6) as archive:
        _add(archive, MANIFEST, io.BytesIO(body := orjson.dumps(told)), len(body))
        for name, path in files.items():
            with path.open("rb") as opened:
                _add(archive, name, opened, sums[name][0])
    return manifest


def _add(archive: tarfile.TarFile, name: str, body: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    archive.addfile(member, body)


def _measured(path: Path) -> tuple[int, str]:
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return opened.tell(), digest


def read_archive(source: Path, folder: Path) -> Manifest:
    """Write what a backup holds into a folder, each file under its name in it, and check it byte by byte.

    Raises BackupUnusable, and OSError where the disk does not take it.
    """
    try:
        with tarfile.open(source, "r:gz") as archive:
            first = archive.next()
            if first is None or first.name != MANIFEST or first.size > _LARGEST_MANIFEST:
                raise BackupUnusable(f"{source} is no backup of replycast")
            manifest = _manifest(source, orjson.loads(_body(archive, first).read()))
            left = dict(manifest.files)
            while (member := archive.next()) is not None:
                _take(archive, member, left.pop(member.name), folder / member.name)
    except _DAMAGE as error:
        raise BackupUnusable(f"{source} is no backup of replycast, or is damaged") from error
    if left:
        raise BackupUnusable(f"{source} was cut short: {min(left)} is missing")
    return manifest


def _manifest(source: Path, told: Any) -> Manifest:  # noqa: ANN401  whatever JSON holds
    if told["format"] != FORMAT:
        raise BackupUnusable(f"{source} was made by another version of this service: {told['version']}")
    files = {
        str(name): (int(one["bytes"]), str(one["sha256"]))
        for name, one in told["files"].items()
        if name in {DATABASE, KEY, CONFIG}
    }
    return Manifest(str(told["version"]), str(told["made_at"]), str(told["schema"]), files)


def _body(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    body = archive.extractfile(member)
    if body is None:
        raise ValueError("not a file")
    return body


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, expected: tuple[int, str], target: Path) -> None:
    size, digest = expected
    if member.size != size:
        raise ValueError("its size is another")
    body, found = _body(archive, member), hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        while piece := body.read(_PIECE):
            found.update(piece)
            opened.write(piece)
    if found.hexdigest() != digest:
        raise ValueError("its content is another")
