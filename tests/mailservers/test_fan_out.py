"""A fan-out through a real Postfix, which takes commands ahead and refuses some recipients."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from service.actions.house import House
from service.config.settings import Limits, Security
from service.errors import RecipientRefused
from service.mail.compose import Envelope
from service.mail.pipelining import open_pipelined
from service.outbox import Relay
from service.store import progress
from tests.mailservers.dovecot import PASSWORD
from tests.mailservers.servers import MailServers
from tests.outbox.relays import fan_out_all, subscribe
from tests.rooms import Clock, make_house
from tests.transport.rows import Rows, mail, running
from tests.web.outages import Outages

pytestmark = [pytest.mark.mailservers, pytest.mark.anyio]

READERS, STRANGERS = 300, 20


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize("security", list(Security))
async def test_everybody_whom_postfix_knows_gets_one_mail(
    mail_servers: MailServers, trust: None, house: House, security: Security
) -> None:
    box, clock = mail_servers.new_address(), Clock()
    name, _, domain = box.partition("@")
    subscribe(house, clock, *(f"{name}+{number}@{domain}" for number in range(READERS)))
    subscribe(house, clock, *(f"nobody{number}@{domain}" for number in range(STRANGERS)))
    Outages(house, clock).published()
    smtp = mail_servers.postfix.submission(security, username="ana@acme.example", password=PASSWORD)
    relay = Relay(replace(smtp, limits=Limits(connections=4, mails_per_connection=50)))
    assert await fan_out_all(house, clock, relay) == READERS + STRANGERS
    with house.store.reading() as connection:
        found = progress.of_update(connection, 1)
    assert found is not None
    assert (found.sent, found.failed, found.waiting) == (READERS, STRANGERS, 0)
    rows = Rows()
    with running(rows.reader(mail_servers.imap_for(box))):
        raw = [rows.next_mail().raw for _ in range(READERS)]
    recipients = {one.partition(b"\nTo: ")[2].partition(b"\r\n")[0].decode() for one in raw}
    assert recipients == {f"{name}+{number}@{domain}" for number in range(READERS)}


@pytest.mark.parametrize("security", list(Security))
async def test_commands_go_ahead_behind_each_kind_of_protection(
    mail_servers: MailServers, trust: None, security: Security
) -> None:
    smtp = mail_servers.postfix.submission(security, username="ana@acme.example", password=PASSWORD)
    box = mail_servers.new_address()
    envelopes = [
        Envelope("status@acme.example", to, mail(f"mail {number}", to=box))
        for number, to in enumerate([box, "nobody@acme.example", box])
    ]
    async with open_pipelined(smtp) as session:
        assert session.is_pipelining
        assert "queued as" in await session.send(envelopes[0], then=envelopes[1])
        with pytest.raises(RecipientRefused, match=r"550 5\.1\.1"):
            await session.send(envelopes[1], then=envelopes[2])
        assert "queued as" in await session.send(envelopes[2])
    rows = Rows()
    with running(rows.reader(mail_servers.imap_for(box))):
        for _ in range(2):
            rows.next_mail()
    assert sorted(rows.subjects) == ["mail 0", "mail 2"]
