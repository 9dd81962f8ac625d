"""`replycast subscribers`: count, list, import, export. One transaction each on the database."""

import sys
from pathlib import Path
from typing import BinaryIO, Final

import click

from service.actions import subscriber_admin
from service.actions.subscriber_file import SubscriberFileFaulty
from service.app import wall_clock
from service.cli.house import house_of
from service.cli.options import FAULTY, config_option, fail, json_option, load_or_exit, print_json
from service.cli.subscriber_adding import add_command, add_webhook_command, facts, line, unheard_line
from service.store import subscriber_lists

SHOWN: Final = 1_000
LARGEST_FILE: Final = 64 * 1024 * 1024


@click.group()
def subscribers() -> None:
    """List, add, import and export subscribers.

    Works on the database of config.yaml, whether the service runs or not.
    """


@subscribers.command("list")
@config_option
@json_option
@click.option("--search", default="", help="Only those whose address holds this text.")
@click.option(
    "--state",
    type=click.Choice(["confirmed", "pending", "unsubscribed", "suppressed"]),
    help="Only those who stand so; suppressed: nothing arrives there.",
)
def list_command(config_path: Path, search: str, state: str | None, *, as_json: bool) -> None:
    """Show subscribers, the newest first, and how many there are of each kind.

    \b
    Example:
      replycast subscribers list --state suppressed
    """  # noqa: D301  click's mark for lines that it must not wrap
    with (
        house_of(load_or_exit(config_path, is_beside_service=True)) as house,
        house.store.reading() as connection,
    ):
        found = subscriber_lists.search(connection, text=search, state=state or "", limit=SHOWN)
        tally = subscriber_lists.tally(connection)
    if as_json:
        counts = {
            "confirmed": tally.confirmed,
            "pending": tally.pending,
            "unsubscribed": tally.unsubscribed,
            "suppressed": tally.suppressed,
        }
        print_json({"counts": counts, "subscribers": [facts(one) for one in found]})
        return
    for one in found:
        click.echo(line(one))
    click.echo(
        f"{tally.confirmed:,} subscribed, {tally.pending:,} asked to confirm, "
        f"{tally.unsubscribed:,} left, {tally.suppressed:,} not reached"
    )


@subscribers.command("import")
@click.argument("file", type=click.File("rb"))
@config_option
@json_option
@click.option(
    "--have-agreed", is_flag=True, help="All of them agreed to get these mails: do not ask them to confirm."
)
def import_command(file: BinaryIO, config_path: Path, *, have_agreed: bool, as_json: bool) -> None:
    """Import subscribers from a CSV file: all of it or, where a line is bad, none of it.

    The columns are Email, Phone, Components, Groups, Webhook URL, Tags; several names in one cell are parted by
    semicolons. Whoever left before stays out.

    \b
    Example:
      replycast subscribers import subscribers.csv --have-agreed
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path, is_beside_service=True)
    raw = file.read(LARGEST_FILE + 1)
    if len(raw) > LARGEST_FILE:
        fail(f"the file is larger than {LARGEST_FILE // 1024 // 1024} MiB: split it", FAULTY)
    with house_of(config) as house:
        try:
            done = subscriber_admin.import_file(house, raw, None, wall_clock(), have_agreed=have_agreed)
        except SubscriberFileFaulty as faulty:
            for fault in faulty.faults:
                click.echo(f"{file.name}: {fault}", err=True)
            fail("nothing was imported", FAULTY)
    if as_json:
        print_json(
            {
                "added": done.added,
                "changed": done.changed,
                "kept_out": done.kept_out,
                "unheard_groups": done.unheard_groups,
            }
        )
        return
    click.echo(f"{done.added:,} added, {done.changed:,} changed")
    for address in done.kept_out:
        click.echo(f"left out, as it had left or is not reached: {address}")
    for group in done.unheard_groups:
        click.echo(unheard_line(group))


@subscribers.command("export")
@config_option
def export_command(config_path: Path) -> None:
    """Write all who have confirmed as CSV to the standard output; what it writes can be imported.

    \b
    Example:
      replycast subscribers export > subscribers.csv
    """  # noqa: D301  click's mark for lines that it must not wrap
    with house_of(load_or_exit(config_path, is_beside_service=True)) as house:
        for line in subscriber_admin.export_lines(house, None, wall_clock()):
            sys.stdout.write(line)


subscribers.add_command(add_command)
subscribers.add_command(add_webhook_command)
