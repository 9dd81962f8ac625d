"""`replycast accept-key`: lets the database belong to a new secret key. The service must be stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from service.actions import house_key
from service.app import wall_clock
from service.app.own_files import AlreadyRunning, load_key, only_process, place_of_key
from service.cli.options import config_option, fail, json_option, load_or_exit, print_json
from service.config import Config
from service.errors import ReplycastError
from service.store.database import Store, open_store
from service.store.leases import Lease


@click.command("accept-key")
@config_option
@json_option
def accept_key(config_path: Path, *, as_json: bool) -> None:
    """Let the database belong to another secret key than the one that it knows.

    For a key that was lost, or that somebody saw: write the new one into config.yaml, or remove the key file, which is
    made anew; stop every instance; then run this. The links in mails that were sent before no longer let a subscriber
    leave, those in the next ones do; and whoever receives webhooks needs the new signing key.

    \b
    Example:
      replycast accept-key --config config.yaml
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path)
    try:
        with _stopped(config) as store:
            changed = house_key.accept_key(store, load_key(config), wall_clock())
    except ReplycastError as error:
        fail(str(error))
    place = place_of_key(config)
    if as_json:
        renewed, waiting = changed or (0, 0)
        told = {"key": str(place), "is_new": changed is not None}
        print_json(told | {"subscribers_renewed": renewed, "mails_waiting": waiting})
        return
    if changed is None:
        click.echo(f"the database belongs to the key in {place}, and did before")
        return
    renewed, waiting = changed
    click.echo(
        f"the database belongs to the key in {place} from now on; {renewed:,} subscribers have new links"
    )
    if waiting:
        click.echo(
            f"{waiting:,} mails wait to be sent: what they ask to be answered or followed will not work"
        )


@contextmanager
def _stopped(config: Config) -> Iterator[Store]:
    """Open the database while nobody works on it. Raises AlreadyRunning and what `open_store` does."""
    with only_process(config):
        store = open_store(config.database, upgrades=False)
        part = Lease(store, "work")
        try:
            if not part.is_held():
                raise AlreadyRunning("an instance works on the database: stop all of them first")
            yield store
        finally:
            part.close()
            store.close()
