"""What config.yaml says, once it is right: frozen, whole, every reference resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from service.errors import Fault
from service.model import Component, Employee, Monitor


class Secret:
    """A text that prints as `***` everywhere; only `reveal` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text itself, for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        """Hide it."""
        return "***"

    __str__ = __repr__

    def __bool__(self) -> bool:
        """Whether there is one at all."""
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        """Compare two secrets of config.yaml (not for checking what a stranger sent)."""
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        """Hash as the text does."""
        return hash(self._text)


class Security(StrEnum):
    """How a connection to a mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Site:
    """The status page as a whole."""

    name: str
    url: str
    """Without a slash at its end; all links in mails begin with it."""
    timezone: ZoneInfo
    hide_authors: bool = False


@dataclass(frozen=True, slots=True)
class Smtp:
    """The relay that takes our outgoing mail."""

    host: str
    port: int
    security: Security
    username: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))


@dataclass(frozen=True, slots=True)
class Imap:
    """The mailbox that replies come back to."""

    host: str
    port: int
    security: Security
    username: str
    password: Secret
    folder: str = "INBOX"
    processed_folder: str = "Processed"


@dataclass(frozen=True, slots=True)
class Mail:
    """How mails leave and come back. `imap` is None where no replies are read."""

    sender_name: str
    sender_address: str
    smtp: Smtp
    imap: Imap | None


@dataclass(frozen=True, slots=True)
class Config:
    """config.yaml, validated whole. `mail` is None where the embedded sandbox stands in."""

    path: Path
    site: Site
    database: str
    """An SQLAlchemy URL; relative SQLite paths are already relative to the working directory."""
    webhooks: Mapping[str, Secret]
    """By provider; an empty secret asks for none."""
    mail: Mail | None
    employees: Mapping[str, Employee]
    """By id, in the order of the file."""
    components: tuple[Component, ...]
    monitors: tuple[Monitor, ...]
    token_lifetime: timedelta
    """How long a notification mail can be answered."""
    secret_key: Secret
    """Derives reply tokens and signs links; empty: a key file beside the database."""
    warnings: tuple[Fault, ...] = ()
    """What works, but probably not as it is meant; in the order of the file."""

    def monitor_for(self, key: str) -> Monitor | None:
        """Find the monitor that `Monitor.key` names, if it is still configured."""
        return next((monitor for monitor in self.monitors if monitor.key == key), None)

    def employee_by_email(self, email: str) -> Employee | None:
        """Find the employee of this address, compared without case."""
        folded = email.casefold()
        return next((one for one in self.employees.values() if one.email.casefold() == folded), None)
