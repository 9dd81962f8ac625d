"""In which settings two configurations differ, in words for the log and the audit. Pure; it never tells a secret."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Final

from service.config.settings import Config, Secret
from service.config.spans import format_span

MOST_SHOWN: Final = 60
"""Characters of a value."""
_NOT_SETTINGS: Final = frozenset({"path", "warnings"})
_WITH_PASSWORDS: Final = frozenset({"database"})
_NAMES: Final = ("key", "id", "name", "subject")
"""What the entries of a list are known by, whichever they have first."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of it when somebody asked for config.yaml to be read anew."""

    changes: tuple[str, ...] = ()
    """What is set otherwise from now on, as `differences` names it."""
    needs_restart: tuple[str, ...] = ()
    """Settings that differ from those that run, and stay as they are until the service is started anew."""
    faults: tuple[str, ...] = ()
    """Why nothing was put in force; empty where something was, or where nothing changed."""


def differences(before: Config, after: Config) -> tuple[str, ...]:
    """Name each setting that differs and both its values: `monitors[Email Server].wait_time: 5m → 10m`.

    Of secrets and of the database's address, which may hold a password, it says only that they changed.
    """
    return tuple(
        said
        for field in fields(Config)
        if field.name not in _NOT_SETTINGS
        for said in _differ(field.name, getattr(before, field.name), getattr(after, field.name))
    )


def _differ(name: str, before: Any, after: Any) -> Iterator[str]:  # noqa: ANN401  settings are of many kinds
    if before == after:
        return
    if isinstance(before, Secret | bytes) or isinstance(after, Secret | bytes) or name in _WITH_PASSWORDS:
        yield f"{name}: changed"
    elif is_dataclass(before) and type(before) is type(after):
        for field in filter(lambda one: one.compare, fields(before)):
            yield from _differ(
                f"{name}.{field.name}", getattr(before, field.name), getattr(after, field.name)
            )
    elif (olds := _entries(before)) is not None and (news := _entries(after)) is not None:
        yield from _differ_in_entries(name, olds, news)
    else:
        yield f"{name}: {_shown(before)} → {_shown(after)}"


def _differ_in_entries(name: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Iterator[str]:
    for entry in dict.fromkeys([*olds, *news]):
        if entry not in news:
            yield f"{name}[{entry}]: removed"
        elif entry not in olds:
            yield f"{name}[{entry}]: added"
        else:
            yield from _differ(f"{name}[{entry}]", olds[entry], news[entry])
    if list(olds) != list(news) and olds.keys() == news.keys():
        yield f"{name}: in another order"


def _entries(value: Any) -> Mapping[str, Any] | None:  # noqa: ANN401  as above
    """Give what is in a mapping, or in a list whose entries have names; None for all else."""
    if isinstance(value, Mapping):
        return {str(key): entry for key, entry in value.items()}
    if not isinstance(value, tuple) or not all(map(is_dataclass, value)):
        return None
    named = {_name_of(entry): entry for entry in value}
    return named if len(named) == len(value) and "" not in named else None


def _name_of(entry: Any) -> str:  # noqa: ANN401  as above
    found = next((getattr(entry, name) for name in _NAMES if hasattr(entry, name)), "")
    return str(found).removeprefix("victorops:")


def _shown(value: Any) -> str:  # noqa: ANN401  as above
    if isinstance(value, timedelta):
        return format_span(value) or "0"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple) and all(isinstance(one, str) for one in value):
        value = ", ".join(value) or "none"
    text = "none" if value is None else str(value)
    text = " ".join(text.split())
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"
