"""`replycast subscribers`: count, list, import, export, add a webhook. One transaction each on the database."""

import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from service.actions import subscriber_admin
from service.actions.subscriber_file import SubscriberFileFaulty
from service.app import wall_clock
from service.calls.calling import UrlUnusable
from service.calls.signing import signing_key
from service.cli.house import house_of
from service.cli.options import FAULTY, config_option, fail, json_option, load_or_exit, print_json
from service.model import Channel, Subscriber
from service.store import subscriber_lists

SHOWN: Final = 1_000
LARGEST_FILE: Final = 64 * 1024 * 1024


@click.group()
def subscribers() -> None:
    """List, import and export subscribers, and add webhooks.

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
    with house_of(load_or_exit(config_path)) as house, house.store.reading() as connection:
        found = subscriber_lists.search(connection, text=search, state=state or "", limit=SHOWN)
        tally = subscriber_lists.tally(connection)
    if as_json:
        counts = {
            "confirmed": tally.confirmed,
            "pending": tally.pending,
            "unsubscribed": tally.unsubscribed,
            "suppressed": tally.suppressed,
        }
        print_json({"counts": counts, "subscribers": [_facts(one) for one in found]})
        return
    for one in found:
        click.echo(_line(one))
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
    config = load_or_exit(config_path)
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
        click.echo(f"no monitor has this group as its audience: {group}")


@subscribers.command("export")
@config_option
def export_command(config_path: Path) -> None:
    """Write all who have confirmed as CSV to the standard output; what it writes can be imported.

    \b
    Example:
      replycast subscribers export > subscribers.csv
    """  # noqa: D301  click's mark for lines that it must not wrap
    with house_of(load_or_exit(config_path)) as house:
        for line in subscriber_admin.export_lines(house, None, wall_clock()):
            sys.stdout.write(line)


@subscribers.command("add-webhook")
@click.argument("url")
@config_option
@json_option
@click.option(
    "--channel",
    type=click.Choice([one.value for one in Channel if one is not Channel.EMAIL]),
    help="In which form it is told; left out: its host tells.",
)
@click.option(
    "--component",
    "components",
    multiple=True,
    help="It hears of this one; left out: of all. May be repeated.",
)
@click.option("--group", "groups", multiple=True, help="A group that it is in. May be repeated.")
def add_webhook_command(
    url: str,
    config_path: Path,
    channel: str | None,
    components: tuple[str, ...],
    groups: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Let a webhook hear of incidents, and print the key that its calls are signed with (Standard Webhooks).

    \b
    Example:
      replycast subscribers add-webhook https://hooks.example.com/status --component Email
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path)
    unknown = set(components) - {component.name for component in config.components}
    if unknown:
        fail(f"config.yaml has no component `{min(unknown)}`", FAULTY)
    with house_of(config) as house:
        try:
            added = subscriber_admin.add_webhook(
                house,
                url,
                None,
                wall_clock(),
                channel=Channel(channel) if channel else None,
                components=components or None,
                groups=groups,
            )
        except UrlUnusable as error:
            fail(f"`{url}` {error}", FAULTY)
        key = signing_key(house.key, added.public_id)
    if as_json:
        print_json(_facts(added) | {"signing_key": key})
        return
    click.echo(_line(added))
    if added.channel is Channel.WEBHOOK:
        click.echo(f"signing key: {key}")


def _facts(one: Subscriber) -> dict[str, Any]:
    return {
        "id": one.id,
        "channel": one.channel,
        "address": one.address,
        "state": one.state,
        "components": one.components,
        "groups": one.groups,
        "tags": one.tags,
        "phone": one.phone,
        "suppressed_at": one.suppressed_at,
        "suppressed_because": one.suppressed_because,
    }


def _line(one: Subscriber) -> str:
    hears = "all components" if one.components is None else ", ".join(one.components)
    stands = f"not reached: {one.suppressed_because}" if one.suppressed_at else one.state
    return f"{one.id}  {one.address}  {one.channel}  {stands}  {hears}"
