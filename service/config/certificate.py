"""The second door's certificate: whether its files are there, can be read and belong together.

Reads these two files and nothing else; paths are relative to the folder of config.yaml.
"""

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from service.config.document import Document, Keys, find
from service.errors import Fault, what_ran_out

_NAMES: Final = ("certificate", "key")


def check_certificate(document: Document, folder: Path) -> list[Fault]:
    """Report a certificate without a key, the other way round, and files that TLS cannot use.

    Raises OSError where the machine has nothing left to open them with.
    """
    return [
        fault
        for keys, door in find(document.tree, "mail", "receive")
        if isinstance(door, dict)
        for fault in _faults(document, keys, door, folder)
    ]


def _faults(document: Document, keys: Keys, door: Mapping[str, Any], folder: Path) -> Iterator[Fault]:
    given = [name for name in _NAMES if name in door]
    if len(given) == 1:
        (other,) = set(_NAMES) - {*given}
        text = f"`{given[0]}` needs a `{other}` beside it: TLS takes both"
        yield document.fault((*keys, given[0]), text, at_key=True)
    written = {name: door[name].strip() for name in given if isinstance(door[name], str)}
    paths = {name: folder / text for name, text in written.items() if text}
    unreadable = {name: wrong for name, path in paths.items() if (wrong := _why_unreadable(path))}
    for name, wrong in unreadable.items():
        where = (*keys, name)
        yield document.fault(where, f"the file {document.quoted(where)} {wrong}")
    if len(paths) == len(_NAMES) and not unreadable and (wrong := _why_unusable(**paths)):
        yield document.fault((*keys, "certificate"), wrong)


def _why_unreadable(path: Path) -> str:
    try:
        if not path.is_file():
            return "is not a file" if path.exists() else "does not exist"
        path.open("rb").close()
    except (OSError, ValueError) as error:
        if what_ran_out(error):
            raise
        return f"cannot be read: {getattr(error, 'strerror', None) or 'not a path'}"
    return ""


def _why_unusable(certificate: Path, key: Path) -> str:
    """Try the pair; a key that has a password is not asked about at the terminal."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except (ssl.SSLError, OSError) as error:
        if what_ran_out(error):
            raise
        if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            return "`certificate` and `key` do not belong together"
        return "`certificate` and `key` cannot be used: both must be PEM files, the key without a password"
    return ""
