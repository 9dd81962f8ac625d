"""How many waiting mails a second become rows of the database and are filed away, on a real Dovecot.

Beside it stands a commit, a FETCH and a MOVE for each mail, as a simple program does it. Run it as root:
`python -m bench.backlog [--mails 5000]`.
"""

import time
from collections.abc import Iterator
from unittest import mock

import click
from sqlalchemy import func, select

from bench.idle_poll import make_reader, new_store
from service.mail import imap_batches
from service.store.schema import inbox as rows
from tests.mailservers.maildir import put_mails
from tests.mailservers.servers import MailServers, running_mail_servers


@click.command()
@click.option("--mails", "count", default=5000, help="How many are waiting.")
@click.option("--rounds", default=3, help="How often to measure; the best and the worst are printed.")
def main(count: int, rounds: int) -> None:
    """Measure and print mails per second."""
    with running_mail_servers() as servers:
        together = [_mails_per_second(servers, count) for _ in range(rounds)]
        with mock.patch.object(imap_batches, "MOST_TOGETHER", 1):
            one_by_one = _mails_per_second(servers, count)
    click.echo(f"{count:,} waiting mails of about 2 KiB, into SQLite (WAL, synchronous=FULL)")
    click.echo(f"in batches: {min(together):,.0f} to {max(together):,.0f} mails/s")
    click.echo(f"one by one: {one_by_one:,.0f} mails/s")


def _mails_per_second(servers: MailServers, count: int) -> float:
    address = servers.new_address()
    put_mails(servers.dovecot.maildir(address), _mails(count))
    with new_store() as store:
        reader = make_reader(servers.imap_for(address), store)
        before = time.perf_counter()
        taken = reader.poll_once()
        seconds = time.perf_counter() - before
        reader.close()
        with store.reading() as connection:
            kept = connection.execute(select(func.count()).select_from(rows)).scalar_one()
    if not taken == kept == count:
        raise click.ClickException(f"of {count} mails {taken} were taken and {kept} kept")
    return count / seconds


def _mails(count: int) -> Iterator[bytes]:
    quoted = "> We are looking into it and will tell you more as soon as we know more.\n" * 24
    for number in range(count):
        yield (
            f"From: Ana Lima <ana@acme.example>\nTo: status+token{number}@acme.example\n"
            f"Subject: Re: [INC-{number}] Email is unavailable\nMessage-ID: <{number}@mail.acme.example>\n"
            f"Date: Tue, 24 Nov 2026 08:00:00 +0000\n\npublish\n\nOn Tue, Acme Status wrote:\n{quoted}"
        ).encode()


if __name__ == "__main__":
    main()
