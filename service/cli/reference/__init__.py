"""The reference: pages of docs/ that are made from the code, so that none of them can leave anything out.

`make docs` runs this package, which writes them all and the JSON Schema of config.yaml.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from service.cli.reference.commands import commands
from service.cli.reference.mails import mails
from service.cli.reference.metrics import with_metrics
from service.cli.reference.operations import operations
from service.cli.reference.settings import settings

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "api-operations.md": operations,
    "cli.md": commands,
    "config.md": settings,
    "mail-variables.md": mails,
}
"""What writes each page of docs/."""
FILLED: Final[Mapping[str, Callable[[str], str]]] = {"metrics.md": with_metrics}
"""What fills in a part of a page that is otherwise written by hand."""


def write_pages(docs: Path) -> None:
    """Write all pages into a folder, and fill in those that are there."""
    for name, page in PAGES.items():
        (docs / name).write_text(page())
    for name, fill in FILLED.items():
        if (docs / name).exists():
            (docs / name).write_text(fill((docs / name).read_text()))
