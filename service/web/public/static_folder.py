"""A folder for a static host: each file is swapped whole, and what was not written here is left alone.

What was written stands in a manifest, which is written first, so that a crash leaves nothing that nobody owns.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import orjson

from service.errors import PermanentFault

MANIFEST: Final = ".replycast-export.json"


class FolderNotOurs(PermanentFault):
    """A file is in the way that no export wrote: it may be somebody's own."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did."""

    files: int
    """In the folder, with those that stayed as they were."""
    changed: int
    removed: int


def fill(folder: Path, wanted: Mapping[str, Callable[[], bytes] | None]) -> Exported:
    """Let a folder hold exactly these files, of those that are ours; None: as it was written last.

    Raises FolderNotOurs before anything is written, and OSError where the disk refuses.
    """
    known = _read_manifest(folder)
    for name in wanted.keys() - known.keys():
        if os.path.lexists(folder / name):
            raise FolderNotOurs(
                f"{folder / name} was not written by an export: choose another folder, or move it away"
            )
    ours = {**known, **dict.fromkeys(wanted.keys() - known.keys(), "")}
    _write_manifest(folder, known, ours)
    changed = 0
    after = {}
    for name, render in wanted.items():
        after[name] = ours[name]
        if render is None:
            continue
        body = render()
        after[name] = sha256(body).hexdigest()
        if after[name] != ours[name] or not _is_whole(folder / name, body):
            _swap(folder / name, body)
            changed += 1
    gone = known.keys() - wanted.keys()
    for name in gone:
        _remove(folder, name)
    _write_manifest(folder, ours, after)
    return Exported(len(wanted), changed, len(gone))


def _read_manifest(folder: Path) -> dict[str, str]:
    try:
        written = orjson.loads((folder / MANIFEST).read_bytes())
        return {str(name): str(digest) for name, digest in written["files"].items() if _is_within(str(name))}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        said = f"{folder / MANIFEST} cannot be read: empty the folder, or choose another"
        raise FolderNotOurs(said) from error


def _is_within(name: str) -> bool:
    """Tell whether a name stays within the folder, whoever wrote it into the manifest."""
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts and name != MANIFEST


def _write_manifest(folder: Path, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    if before != after:
        _swap(
            folder / MANIFEST,
            orjson.dumps({"files": after}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS),
        )


def _is_whole(file: Path, body: bytes) -> bool:
    # after a power cut a file may be there with nothing in it
    return file.is_file() and file.stat().st_size == len(body)


def _swap(file: Path, body: bytes) -> None:
    _make_folder(file.parent)
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        new.write_bytes(body)
        new.chmod(0o644)  # for the web server, whoever it runs as
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def _remove(folder: Path, name: str) -> None:
    file = folder / name
    file.unlink(missing_ok=True)
    for above in file.parents:
        if above == folder or not above.is_dir() or any(above.iterdir()):
            return
        above.rmdir()
