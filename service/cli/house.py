"""The house as commands see it that work on its database beside a running service, or without one."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from service.actions.house import House
from service.actions.house_key import demand_key
from service.app.own_files import load_key, place_of_key
from service.cli.options import fail
from service.config import Config
from service.errors import ReplycastError
from service.store.database import open_store


@contextmanager
def house_of(config: Config) -> Iterator[House]:
    """Open the database; who we are by mail is not asked, since nothing is sent from here. Exits where it fails.

    A new database is made, and one of an older version left as it is: the service of that version may run.
    """
    try:
        store = open_store(config.database, upgrades=False)
        try:
            key = load_key(config)
            with store.transaction(alone=False) as connection:
                key = demand_key(connection, key, place_of_key(config))
            yield House(
                store=store,
                config=config,
                key=key,
                own_address="",
                instance_id="",
                new_id=lambda: secrets.token_hex(16),
                look_up=lambda _: None,
            )
        finally:
            store.close()
    except ReplycastError as error:
        fail(str(error))
