"""Which part of the service a process is, as `serve --role` says: all of it, its pages and doors, or its work."""

from enum import StrEnum

from sqlalchemy import make_url

from service.config.settings import Config
from service.errors import PermanentFault


class ServeRole(StrEnum):
    """What a process does."""

    ALL = "all"
    WEB = "web"
    """Takes posts and serves pages; it never decides, sends, calls, nor takes in mails."""
    WORKER = "worker"
    """Does all that, and over HTTP answers only what machines ask."""

    @property
    def works(self) -> bool:
        """Whether it decides, sends, calls and takes in mails, as soon as no other one does."""
        return self is not ServeRole.WEB


class RoleImpossible(PermanentFault):
    """The service cannot be split where everything has to be in one process."""


def refuse_to_split(config: Config, role: ServeRole) -> None:
    """Raise RoleImpossible where a configuration is good for one process alone and `role` is only a part of it."""
    if role is ServeRole.ALL:
        return
    if make_url(config.database).get_backend_name() == "sqlite":
        raise RoleImpossible(
            f"--role {role} needs a second process on the same database, and SQLite is for one alone: "
            "leave --role out, or let `database` in config.yaml be PostgreSQL"
        )
    if config.mail is None:
        raise RoleImpossible(
            f"--role {role} needs a mail server, as the mail sandbox is a part of one process alone: "
            "configure `mail`, or leave --role out"
        )
