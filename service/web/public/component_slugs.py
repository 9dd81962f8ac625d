"""What each component is called in an address, as in /feeds/e-mail.atom. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

from service.model import Component

LONGEST: Final = 60
_NOT_PLAIN: Final = re.compile(r"[^a-z0-9]+")


def slugs(components: Iterable[Component]) -> Mapping[str, str]:
    """Give a slug for each component, by its name.

    It follows from the name, so that it stays when other components come and go. Of names that look the same
    without their accents and marks, the first in config.yaml has the plain slug; the others bear a mark of theirs.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in dict.fromkeys(one.name for one in components):
        plain = _plain(name)
        slug = plain if plain and plain not in taken else f"{plain or 'component'}-{_mark(name)}"
        taken.add(slug)
        found[name] = slug
    return found


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _NOT_PLAIN.sub("-", letters).strip("-")[:LONGEST].strip("-")


def _mark(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:8]
