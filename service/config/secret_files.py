"""`password_file` and its like: reads each file into the place of its secret, and can replace one's content.

Paths are relative to the folder of config.yaml. Never puts what it reads into a fault.
"""

import os
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from service.config.document import SPOILED, Document, find, with_value
from service.errors import Fault, what_ran_out

PLACES: Final = (
    ("webhooks", "*", "secret"),
    ("webhooks", "*", "signing_secret"),
    ("mail", "smtp", "password"),
    ("mail", "smtp", "oauth", "client_secret"),
    ("mail", "smtp", "oauth", "refresh_token"),
    ("mail", "imap", "password"),
    ("mail", "imap", "oauth", "client_secret"),
    ("mail", "imap", "oauth", "refresh_token"),
    *(
        ("mail", one, "oauth", name)
        for one in ("smtp", "imap")
        for name in ("client_secret", "refresh_token")
    ),
    ("login", "oidc", "client_secret"),
    ("database_password",),
    ("metrics", "token"),
    ("secret_key",),
)
"""Where a secret may stand, and beside it the same key with `_file` at its end."""

_LARGEST: Final = 64 * 1024
_SUFFIX: Final = "_file"


def read_secret_files(document: Document, folder: Path) -> tuple[Document, list[Fault]]:
    """Put the content of every secret file, less one line break at its end, under the key it stands for."""
    faults: list[Fault] = []
    tree = document.tree
    for *above, name in PLACES:
        for keys, value in find(document.tree, *above, name + _SUFFIX):
            secret = (*keys[:-1], name)
            twin = next(find(document.tree, *secret), None)
            read: object = SPOILED
            if twin is not None and value is not SPOILED:
                faults.append(
                    document.fault(keys, f"give `{name}` or `{name}{_SUFFIX}`, not both", at_key=True)
                )
            elif isinstance(value, str):
                try:
                    read = read_secret_file(folder / value)
                except ValueError as error:
                    faults.append(document.fault(keys, f"the file {document.quoted(keys)} {error}"))
            tree = with_value(tree, secret, read)
    return replace(document, tree=tree), faults


def read_secret_file(path: Path) -> str:
    """Give a file's content, less one line break at its end; raises ValueError, which says what is wrong.

    Raises OSError where the machine has nothing left to open it with.
    """
    try:
        if not path.is_file():
            raise ValueError("is not a file" if path.exists() else "does not exist")
        with path.open("rb") as opened:
            raw = opened.read(_LARGEST + 1)
        text = raw.decode()
    except OSError as error:
        if what_ran_out(error):
            raise
        raise ValueError(f"cannot be read: {error.strerror or 'input error'}") from error
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    if len(raw) > _LARGEST:
        raise ValueError("is larger than 64 KiB: that is no secret")
    text = text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
    if not text:
        raise ValueError("is empty: put the secret into it")
    return text


def write_secret_file(path: Path, secret: str) -> None:
    """Replace a file's content whole, so that at any moment it holds the old secret or the new one.

    The new file is its owner's alone (mode 0600) and has the owner of the old one, as far as we may give it away.
    A symbolic link stays one. Raises OSError, and then the file is as it was.
    """
    path = path.resolve()
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            before = path.stat()
            with suppress(PermissionError):
                os.fchown(descriptor, before.st_uid, before.st_gid)
            opened.write(f"{secret}\n".encode())
            opened.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let a new name in a folder outlive a power cut, where the file system can (fsync(2))."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
