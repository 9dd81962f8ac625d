"""Where monitors and all else stand in config.yaml, and how it is written there, faults or none. Reads no file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.config.document import Document, Keys
from service.config.form import DEFAULT_PROVIDER
from service.config.yaml_text import read_document
from service.errors import ConfigFaulty

LONGEST: Final = 200
"""Lines of an excerpt."""
_NAMES: Final = ("id", "name", "subject")
"""What the entries of a list are known by."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A monitor's part of the file; lines count from 1."""

    key: str
    """As `Monitor.key`, as far as the file tells without its environment."""
    first_line: int
    last_line: int
    text: str

    def holds(self, line: int) -> bool:
        """Whether a line belongs to it."""
        return self.first_line <= line <= self.last_line


def monitor_excerpts(text: str) -> tuple[Excerpt, ...]:
    """Cut the monitors out of the text of a config.yaml, in the order of the file; none where it is no YAML."""
    try:
        document, _ = read_document(text, "")
    except ConfigFaulty:
        return ()
    tree = document.tree
    monitors = tree.get("monitors") if isinstance(tree, dict) else None
    if not isinstance(monitors, list) or not monitors:
        return ()
    lines = text.splitlines()
    starts = [document.place(("monitors", at)).line for at in range(len(monitors))]
    ends = [*(start - 1 for start in starts[1:]), _end(document, len(lines))]
    return tuple(_excerpts(monitors, starts, ends, lines))


def _end(document: Document, last: int) -> int:
    """Find the last line of the monitors: the one before the next key on top of the file."""
    place = document.place(("monitors",))
    tops = (document.place((name,)).key_line for name in document.tree)
    return min((line - 1 for line in tops if line > place.key_line), default=last)


def _excerpts(monitors: list[Any], starts: list[int], ends: list[int], lines: list[str]) -> Iterator[Excerpt]:
    for monitor, start, end in zip(monitors, starts, ends, strict=True):
        last = max(start, end)
        # what stands between two monitors is said of the second
        while last > start and (not lines[last - 1].strip() or lines[last - 1].lstrip().startswith("#")):
            last -= 1
        shown = lines[start - 1 : min(last, start - 1 + LONGEST)]
        yield Excerpt(_key(monitor), start, last, "\n".join(shown))


def _key(monitor: object) -> str:
    if not isinstance(monitor, dict):
        return ""
    names = monitor.get("alert_name", "")
    first = names[0] if isinstance(names, list) and names else names
    return f"{monitor.get('provider', DEFAULT_PROVIDER)}:{first}"


def line_numbers(text: str) -> Mapping[str, int]:
    """Tell in which line each key of a config.yaml stands, by its name as `site.url` or `components[Email]`.

    What has a name, an id or a subject goes by it within its list, all else by its number from 0. None where the text
    is no YAML.
    """
    try:
        document, _ = read_document(text, "")
    except ConfigFaulty:
        return {}
    return {_dotted(document.tree, keys): place.key_line for keys, place in document.places.items()}


def _dotted(tree: Any, keys: Keys) -> str:  # noqa: ANN401  whatever YAML holds
    said, here = "", tree
    for key in keys:
        try:
            here = here[key]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(key, int):
            named = here if isinstance(here, dict) else {}
            said += f"[{next((named[name] for name in _NAMES if isinstance(named.get(name), str)), key)}]"
        else:
            said += f".{key}" if said else str(key)
    return said
