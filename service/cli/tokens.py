"""`replycast token`: create, list, revoke the API's bearer tokens. One transaction each on the database."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from service.actions import api_tokens
from service.actions.api_tokens import Scope, TokenUnusable
from service.app import wall_clock
from service.cli.house import house_of
from service.cli.options import FAULTY, config_option, fail, json_option, load_or_exit, print_json
from service.cli.times import in_zone
from service.config import Config
from service.config.moments import parse_moment
from service.config.spans import parse_span
from service.errors import NotFound
from service.store.api_tokens import ApiToken

_NEVER = "never"


@click.group()
def token() -> None:
    """Create, list and revoke tokens for programs that use the API.

    Works on the database of config.yaml, whether the service runs or not.
    """


@token.command("create")
@click.argument("name")
@config_option
@json_option
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([one.value for one in Scope]),
    multiple=True,
    required=True,
    help="What it opens; may be given several times.",
)
@click.option(
    "--expires",
    default=_NEVER,
    show_default=True,
    help="As 30d, or as 2027-01-31 12:00 in the site's time zone.",
)
def create_command(
    name: str, config_path: Path, scopes: tuple[str, ...], expires: str, *, as_json: bool
) -> None:
    """Make a token and print it: it is shown this once, and only its hash is kept.

    \b
    Example:
      replycast token create deploy --scope incidents:read --scope maintenance:write --expires 30d
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path, is_beside_service=True)
    now = wall_clock()
    expires_at = _end(expires, now, config)
    with house_of(config) as house:
        try:
            wanted = [Scope(one) for one in scopes]
            made = api_tokens.create(house, name, wanted, None, now, expires_at=expires_at)
        except TokenUnusable as error:
            fail(str(error), FAULTY)
    if as_json:
        print_json(_facts(made.token) | {"token": made.secret})
    else:
        click.echo(made.secret)


@token.command("list")
@config_option
@json_option
def list_command(config_path: Path, *, as_json: bool) -> None:
    """Show all tokens, the newest first, those too that open nothing any more.

    \b
    Example:
      replycast token list
    """  # noqa: D301  click's mark for lines that it must not wrap
    now, config = wall_clock(), load_or_exit(config_path, is_beside_service=True)
    with house_of(config) as house:
        found = api_tokens.list_all(house, None)
    if as_json:
        print_json([_facts(one) for one in found])
        return
    for one in found:
        stands = "revoked" if one.revoked_at else "open" if one.is_alive(now) else "expired"
        used = f"used {in_zone(one.used_at, config.site.timezone)}" if one.used_at else "never used"
        click.echo(f"{one.name}  {stands}  {', '.join(one.scopes)}  {used}")
    if not found:
        click.echo("there is no token")


@token.command("revoke")
@click.argument("name")
@config_option
@json_option
def revoke_command(name: str, config_path: Path, *, as_json: bool) -> None:
    """Let a token open nothing from now on.

    \b
    Example:
      replycast token revoke deploy
      replycast token revoke release --json
    """  # noqa: D301  click's mark for lines that it must not wrap
    now = wall_clock()
    with house_of(load_or_exit(config_path, is_beside_service=True)) as house:
        try:
            revoked = api_tokens.revoke(house, name, None, now)
        except NotFound as error:
            fail(str(error))
    if as_json:
        print_json(_facts(revoked) | {"revoked_at": now})
    else:
        click.echo(f"{name} is revoked")


def _end(text: str, now: datetime, config: Config) -> datetime | None:
    if text == _NEVER:
        return None
    is_span = text[-1:] in {"s", "m", "h", "d"}
    try:
        return now + parse_span(text) if is_span else parse_moment(text, config.site.timezone)
    except ValueError as error:
        fail(f"--expires: `{text}` {error}{'' if is_span else ', or 30d'}", FAULTY)


def _facts(one: ApiToken) -> dict[str, Any]:
    return {
        "name": one.name,
        "scopes": one.scopes,
        "created_at": one.created_at,
        "created_by": one.created_by,
        "expires_at": one.expires_at,
        "used_at": one.used_at,
        "revoked_at": one.revoked_at,
    }
