"""`replycast subscribers add` and `add-webhook`: one subscriber, in one transaction on the database."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from service.actions import subscriber_admin, subscribers_by_hand
from service.app import wall_clock
from service.calls.calling import UrlUnusable
from service.calls.signing import signing_key
from service.cli.house import house_of
from service.cli.options import FAULTY, config_option, fail, json_option, load_or_exit, print_json
from service.config import Config
from service.errors import AddressInvalid
from service.model import Channel, Subscriber

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _choices(command: _Command) -> _Command:
    """Give a command the options that say what a subscriber hears of."""
    named = {
        "--component": "It hears of this one; left out: of all. May be repeated.",
        "--group": "A group that it is in. May be repeated.",
    }
    for name, said in reversed(named.items()):
        command = click.option(name, f"{name[2:]}s", multiple=True, help=said)(command)
    return command


channel_option = click.option(
    "--channel",
    type=click.Choice([one.value for one in Channel if one is not Channel.EMAIL]),
    help="In which form a webhook is told; left out: its host tells.",
)


@click.command("add")
@click.argument("address")
@config_option
@json_option
@channel_option
@_choices
@click.option(
    "--have-agreed", is_flag=True, help="Its owner agreed to get these mails: do not ask to confirm."
)
def add_command(
    address: str,
    config_path: Path,
    channel: str | None,
    components: tuple[str, ...],
    groups: tuple[str, ...],
    *,
    have_agreed: bool,
    as_json: bool,
) -> None:
    """Add an e-mail address, which is asked to confirm, or a webhook's URL, which hears at once.

    Whoever is subscribed already, has left or is not reached is left as it is.

    \b
    Example:
      replycast subscribers add ada@reader.example --group Partners --have-agreed
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = _with_components(config_path, components)
    with house_of(config) as house:
        try:
            added = subscribers_by_hand.add(
                house,
                address,
                None,
                wall_clock(),
                channel=Channel(channel) if channel else None,
                components=components or None,
                groups=groups,
                have_agreed=have_agreed,
            )
        except UrlUnusable as error:
            fail(f"`{address}` {error}", FAULTY)
        except AddressInvalid as error:
            fail(str(error), FAULTY)
        _show(added, signing_key(house.key, added.public_id), config, groups, as_json=as_json)


@click.command("add-webhook")
@click.argument("url")
@config_option
@json_option
@channel_option
@_choices
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
    """  # noqa: D301  as above
    config = _with_components(config_path, components)
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
        _show(added, signing_key(house.key, added.public_id), config, groups, as_json=as_json)


def _with_components(config_path: Path, components: tuple[str, ...]) -> Config:
    config = load_or_exit(config_path, is_beside_service=True)
    unknown = set(components) - {component.name for component in config.components}
    if unknown:
        fail(f"config.yaml has no component `{min(unknown)}`", FAULTY)
    return config


def _show(added: Subscriber, key: str, config: Config, groups: tuple[str, ...], *, as_json: bool) -> None:
    is_mail = added.channel is Channel.EMAIL
    unheard = subscriber_admin.unheard_groups(config, groups)
    if as_json:
        shown = facts(added) | {"unheard_groups": unheard}
        print_json(shown if is_mail else shown | {"signing_key": key})
        return
    click.echo(line(added))
    for group in unheard:
        click.echo(unheard_line(group))
    if added.channel is Channel.WEBHOOK:
        click.echo(f"signing key: {key}")


def facts(one: Subscriber) -> dict[str, Any]:
    """Give what a script reads of a subscriber."""
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


def unheard_line(group: str) -> str:
    """Say that a group may be a slip of the pen."""
    return f"no monitor has this group as its audience: {group}"


def line(one: Subscriber) -> str:
    """Give a subscriber on one line."""
    hears = "all components" if one.components is None else ", ".join(one.components)
    stands = f"not reached: {one.suppressed_because}" if one.suppressed_at else one.state
    return f"{one.id}  {one.address}  {one.channel}  {stands}  {hears}"
