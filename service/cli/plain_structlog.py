"""Imports structlog without what it takes along for features that we do not use; whoever wants to spare it is first.

It would take along rich, for tracebacks that our log never lets it draw (`format_exc_info` writes them plainly), and
greenlet, for a storage that we never ask for: six megabytes of memory. Whoever else wants these can import them later.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_UNUSED: Final = ("greenlet", "rich")


@contextmanager
def _hidden() -> Iterator[None]:
    hidden = [name for name in _UNUSED if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # documented: importing it then fails
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _hidden():
    import structlog  # noqa: F401
