"""config.yaml as it lies on disk now, beside the configuration that runs. It is shown and never taken over."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from service.config import Config, load
from service.config.excerpts import Excerpt, line_numbers, monitor_excerpts
from service.config.loading import LARGEST
from service.errors import ConfigFaulty, Fault
from service.model import Monitor

WITHHELD: Final = "what is wrong there is shown to admins"

_NOT_COMPARED: Final = frozenset({"path", "warnings", "mail"})


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The file as it was read last."""

    config: Config | None
    """None: it has faults."""
    faults: tuple[Fault, ...]
    excerpts: tuple[Excerpt, ...]
    differs_in: tuple[str, ...] = ()
    """The sections in which it differs from what runs."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """In which line each key stands, as `line_numbers` names them."""

    def excerpt(self, monitor: Monitor) -> Excerpt | None:
        """Find where a monitor stands; None: it is not in the file, or not to be found there."""
        known = self.config.monitors if self.config else ()
        for one, excerpt in zip(known, self.excerpts, strict=False):
            if one.key == monitor.key:
                return excerpt
        return next((one for one in self.excerpts if one.key == monitor.key), None)

    def problems(self, monitor: Monitor) -> tuple[Fault, ...]:
        """Give what is wrong, or probably not meant, in a monitor's lines."""
        excerpt = self.excerpt(monitor)
        said = self.config.warnings if self.config else self.faults
        return tuple(one for one in said if excerpt is not None and excerpt.holds(one.line))

    @property
    def for_others(self) -> "ConfigFile":
        """Give what all may see: that there are faults and where, but no word of a text that may hold a secret."""
        if not self.faults:
            return self
        faults = tuple(replace(one, text=WITHHELD) for one in self.faults)
        return replace(self, faults=faults, excerpts=tuple(replace(one, text="") for one in self.excerpts))


def read_config_file(running: Config, now: datetime, *, has_sandbox: bool) -> ConfigFile:
    """Compare the file with what runs; it is read again when it was changed, and once a minute for what it names."""
    minute = now.replace(second=0, microsecond=0)
    # a service that sends has a mail server or the sandbox; pages alone can be made without either
    is_to_serve = has_sandbox or running.mail is not None
    config, faults, excerpts, lines = _read(running.path, version_of(running.path), minute, is_to_serve)
    differs_in = tuple(_differences(running, config, has_sandbox)) if config else ()
    return ConfigFile(config, faults, excerpts, differs_in, lines)


def version_of(path: Path) -> tuple[int, int] | None:
    """Give what differs once a file was changed; None: it cannot be looked at."""
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return None
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=4)
def _read(
    path: Path,
    _seen: tuple[int, int] | None,
    _minute: datetime,
    is_to_serve: bool,  # noqa: FBT001  private
) -> tuple[Config | None, tuple[Fault, ...], tuple[Excerpt, ...], Mapping[str, int]]:
    try:
        with path.open("rb") as opened:
            text = opened.read(LARGEST).decode("utf-8", "replace")
        excerpts, lines = monitor_excerpts(text), line_numbers(text)
    except (OSError, ValueError):
        excerpts, lines = (), {}
    try:
        return load(path, os.environ, is_to_serve=is_to_serve), (), excerpts, lines
    except ConfigFaulty as error:
        return None, error.faults, excerpts, lines


def _differences(running: Config, config: Config, has_sandbox: bool) -> Iterator[str]:  # noqa: FBT001  private
    for one in fields(Config):
        name = one.name
        if name not in _NOT_COMPARED and getattr(running, name) != getattr(config, name):
            yield name
    # the sandbox stands in where there is no mail; secrets, which we may have renewed ourselves, are not shown in words
    if repr(config.mail) != repr(None if has_sandbox else running.mail):
        yield "mail"
