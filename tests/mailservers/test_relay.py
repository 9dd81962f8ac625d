"""Sending through a real Postfix."""

import pytest

from service.config.settings import Security
from service.errors import RecipientRefused, RelayUnavailable
from service.mail.smtp import Session, open_session
from tests.mailservers.dovecot import PASSWORD
from tests.mailservers.servers import MailServers
from tests.transport.rows import Rows, mail, running

pytestmark = [pytest.mark.mailservers, pytest.mark.anyio]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def send(session: Session, recipient: str, raw: bytes | None = None) -> str:
    return await session.send(
        sender="status@acme.example", recipient=recipient, message=raw or mail("hello", to=recipient)
    )


async def test_a_mail_is_queued_and_delivered(mail_servers: MailServers) -> None:
    address = mail_servers.new_address()
    async with open_session(mail_servers.smtp) as session:
        assert "queued as" in await send(session, address, "Subject: Störung\n\nä\n".encode())
    rows = Rows()
    with running(rows.reader(mail_servers.imap_for(address))):
        assert "Störung".encode() in rows.next_mail().raw


async def test_an_unknown_recipient_is_refused_and_the_session_goes_on(mail_servers: MailServers) -> None:
    async with open_session(mail_servers.smtp) as session:
        with pytest.raises(RecipientRefused, match=r"550 5\.1\.1"):
            await send(session, "nobody@acme.example")
        assert await send(session, mail_servers.new_address())


async def test_nothing_leaves_the_machine(mail_servers: MailServers) -> None:
    async with open_session(mail_servers.smtp) as session:
        with pytest.raises(RecipientRefused, match="Relay access denied"):
            await send(session, "ana@other.example")


@pytest.mark.parametrize("security", list(Security))
async def test_a_login_works_with_each_kind_of_protection(
    mail_servers: MailServers, trust: None, security: Security
) -> None:
    smtp = mail_servers.postfix.submission(security, username="ana@acme.example", password=PASSWORD)
    async with open_session(smtp) as session:
        assert await send(session, mail_servers.new_address())


async def test_a_wrong_password_makes_the_relay_unavailable(mail_servers: MailServers) -> None:
    smtp = mail_servers.postfix.submission(Security.NONE, username="ana@acme.example", password="wrong word")
    with pytest.raises(RelayUnavailable, match="user name or password") as fault:
        async with open_session(smtp):
            pytest.fail("it was opened")
    assert "wrong word" not in str(fault.value)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_certificate_that_nobody_vouches_for_makes_the_relay_unavailable(
    mail_servers: MailServers, security: Security
) -> None:
    with pytest.raises(RelayUnavailable, match="certificate"):
        async with open_session(mail_servers.postfix.submission(security, username="", password="")):
            pytest.fail("it was opened")


async def test_a_relay_that_goes_away_is_unavailable_until_it_is_back(mail_servers: MailServers) -> None:
    async with open_session(mail_servers.smtp) as session:
        mail_servers.postfix.stop()
        try:
            with pytest.raises(RelayUnavailable):
                await send(session, "ana@acme.example")
            with pytest.raises(RelayUnavailable):
                async with open_session(mail_servers.smtp):
                    pytest.fail("it was opened")
        finally:
            mail_servers.postfix.start()
    async with open_session(mail_servers.smtp) as session:
        assert await send(session, "ana@acme.example")
