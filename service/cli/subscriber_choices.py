"""What `replycast doctor` says of subscribers: whether what they chose is still there."""

from collections.abc import Iterator

from service.actions.lost_choices import lost_choices
from service.cli.doctor import Finding, State
from service.cli.looking import looking
from service.config import Config
from service.errors import StoreUnavailable
from service.store.database import is_empty


def examine_choices(config: Config) -> Iterator[Finding]:
    """Look whether the components that subscribers chose are in config.yaml; nothing in the database is changed."""
    try:
        with looking(config) as connection:
            if connection is None or is_empty(connection):
                return
            lost = lost_choices(connection, config)
    except StoreUnavailable:
        return  # the examination of the database itself says so
    for one in lost:
        yield Finding("subscribers", State.WARN, one.in_words)
    if not lost:
        yield Finding("subscribers", State.OK, "what they chose is in config.yaml")
