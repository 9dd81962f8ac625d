"""`replycast move-database`: copies everything from SQLite to PostgreSQL. It changes neither SQLite nor config.yaml."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from sqlalchemy import make_url

from service.app.own_files import key_file, only_process
from service.cli.options import FAULTY, config_option, fail, json_option, load_or_exit, print_json, reason_of
from service.config import Config, Secret
from service.config.database_url import parse_database, with_password
from service.config.secret_files import read_secret_file
from service.errors import ReplycastError
from service.store.moving import Copied, MoveImpossible, move


@click.command("move-database")
@click.option("--to", "target", required=True, metavar="URL", help="postgresql://USER@HOST/DATABASE, empty.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that holds the password; PGPASSWORD and ~/.pgpass are read too.",
)
@config_option
@json_option
def move_database(target: str, password_file: Path | None, config_path: Path, *, as_json: bool) -> None:
    """Copy the database that config.yaml names, a file of SQLite, into an empty one of PostgreSQL.

    The service must be stopped, and nobody can write to the database meanwhile. Everything is copied or nothing, and
    counted on both sides. The file of SQLite stays as it is, and config.yaml too: what to write there is said at the
    end.

    \b
    Example:
      replycast move-database --to "postgresql://replycast@db.example.com/replycast?sslmode=verify-full"
      replycast move-database --to postgresql://replycast@/replycast --json
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path)
    address = _target(target, password_file)
    try:
        new_key = _place_of_key(config, address)
        with only_process(config), _shown() as told:
            counts = move(config.database, address, told)
        if new_key is not None:
            shutil.copy2(key_file(config), new_key)
    except (ReplycastError, OSError) as error:
        fail(reason_of(error))
    to_write = _to_write(address, password_file)
    if as_json:
        print_json(
            {
                "rows": {str(table): number for table, number in counts.items()},
                "rows_in_all": sum(counts.values()),
                "key_copied_to": str(new_key) if new_key else None,
                "to_write": to_write,
            }
        )
        return
    for table, number in counts.items():
        click.echo(f"{number:>12,}  {table}")
    click.echo(f"{sum(counts.values()):>12,}  rows in all, the same on both sides")
    if new_key is not None:
        click.echo(f"The key of reply tokens and links was copied to {new_key}.")
    click.echo(f"Now write into {config_path}, and start the service:\n")
    for setting, value in to_write.items():
        click.echo(f"  {setting}: {value}")


def _to_write(address: str, password_file: Path | None) -> dict[str, str]:
    """Give the settings of config.yaml that name the new database, without its password."""
    url = make_url(address)
    # `set` would keep it: None means there that nothing is said of it
    settings = {"database": url._replace(password=None).render_as_string()}
    if url.password is not None:
        settings["database_password_file"] = str(password_file or "database.password")
    return settings


def _target(text: str, password_file: Path | None) -> str:
    try:
        address = parse_database(text)
        if password_file is not None:
            address = with_password(address, Secret(read_secret_file(password_file)))
    except ValueError as error:
        fail(f"the address in --to, or its password file, {error}", FAULTY)
    if make_url(address).get_backend_name() != "postgresql":
        fail("--to must name a database of PostgreSQL: postgresql://USER@HOST/DATABASE", FAULTY)
    return address


def _place_of_key(config: Config, address: str) -> Path | None:
    """Tell where the key is looked for from now on; None where it need not be copied."""
    before, after = key_file(config), key_file(replace(config, database=address))
    if config.secret_key or not before.exists():
        return None
    if after.exists() and after.read_bytes() != before.read_bytes():
        raise MoveImpossible(
            f"{after} holds another key than {before}: move it away, for the latter is copied there"
        )
    return None if after.exists() else after


@contextmanager
def _shown() -> Iterator[Callable[[Copied], None]]:
    """Show how far it is, on a terminal alone."""
    console = Console(file=sys.stderr)
    columns = TextColumn("{task.description:>18}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def told(copied: Copied) -> None:
            if copied.table not in tasks:
                tasks[copied.table] = progress.add_task(copied.table, total=copied.total)
            progress.update(tasks[copied.table], completed=copied.done)

        yield told
