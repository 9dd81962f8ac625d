"""`replycast export-page`: writes the status page as files. It reads the database and changes nothing in it."""

from dataclasses import asdict
from pathlib import Path

import click

from service.app import wall_clock
from service.cli.house import house_of
from service.cli.options import config_option, fail, json_option, load_or_exit, print_json, reason_of
from service.errors import ReplycastError, StoreUnavailable
from service.store.inbox_rows import Arrival
from service.web.front import Front, make_pages
from service.web.public.exporting import Exporter


@click.command("export-page")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@config_option
@json_option
def export_page(folder: Path, config_path: Path, *, as_json: bool) -> None:
    """Write the status page into DIR as static files, for a bucket or Pages.

    Works whether the service runs or not. Files that are no longer wanted are removed, but none that an export did
    not write. `site.export_to` in config.yaml does the same at each change while the service runs.

    \b
    Example:
      replycast export-page public/
      replycast export-page public/ --json
    """  # noqa: D301  click's mark for lines that it must not wrap
    config = load_or_exit(config_path)
    with house_of(config) as house:
        front = Front(house, wall_clock, _take_nothing, lambda: None, None, make_pages(house))
        try:
            exported = Exporter(front, folder).export(wall_clock())
        except (ReplycastError, OSError) as error:
            fail(reason_of(error))
    if as_json:
        print_json({"folder": str(folder), **asdict(exported)})
    else:
        click.echo(
            f"{folder}: {exported.files} files, {exported.changed} changed, {exported.removed} removed"
        )


async def _take_nothing(_arrival: Arrival) -> int:
    raise StoreUnavailable("no posts are taken here")
