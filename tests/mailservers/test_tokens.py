"""XOAUTH2 with a real Dovecot, which asks the OAuth server about each token, and a Postfix that asks Dovecot."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from service.config.settings import Auth, Imap, Secret, Security, Smtp
from service.errors import MailboxLoginRefused
from service.mail.oauth import AccessTokens
from service.mail.smtp import open_session
from service.mail.smtp_answers import RelayLoginRefused
from tests.mailservers.servers import MailServers
from tests.transport.oauth_double import OAuthDouble, oauth_double
from tests.transport.rows import NOW, Rows, mail, running

pytestmark = pytest.mark.mailservers


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def double(mail_servers: MailServers) -> Iterator[OAuthDouble]:
    with oauth_double(mail_servers.dovecot.oauth_port) as running_double:
        running_double.owner = mail_servers.new_address()
        yield running_double


def by_token(imap: Imap, double: OAuthDouble) -> Imap:
    return replace(imap, password=Secret(""), auth=Auth.MICROSOFT365, oauth=double.oauth())


@pytest.mark.parametrize("security", list(Security))
def test_dovecot_lets_a_good_token_in(
    mail_servers: MailServers, double: OAuthDouble, trust: None, security: Security
) -> None:
    rows = Rows()
    imap = by_token(mail_servers.imap_for(double.owner, security=security), double)
    with running(rows.reader(imap)):
        mail_servers.deliver(double.owner, mail("one"))
        rows.next_mail()
    assert rows.subjects == ["one"]


def test_dovecot_refuses_a_token_that_has_ended_and_takes_the_next(
    mail_servers: MailServers, double: OAuthDouble
) -> None:
    reader = Rows().reader(by_token(mail_servers.imap_for(double.owner), double))
    reader.poll_once()
    reader.close()
    double.let_pass(3600)
    reader.poll_once()
    reader.close()
    assert len(double.given) == 2


def test_dovecot_does_not_open_somebody_elses_mailbox(mail_servers: MailServers, double: OAuthDouble) -> None:
    imap = by_token(mail_servers.imap_for("jordan@acme.example"), double)
    with pytest.raises(
        MailboxLoginRefused, match=r"refused the access token for jordan@acme\.example"
    ) as fault:
        Rows().reader(imap).poll_once()
    assert "access.token" not in str(fault.value)


def submission(mail_servers: MailServers, double: OAuthDouble, username: str) -> Smtp:
    smtp = mail_servers.postfix.submission(Security.NONE, username=username, password="")
    return replace(smtp, auth=Auth.MICROSOFT365, oauth=double.oauth())


@pytest.mark.anyio
async def test_postfix_lets_a_good_token_in(mail_servers: MailServers, double: OAuthDouble) -> None:
    smtp = submission(mail_servers, double, double.owner)
    tokens = AccessTokens(double.oauth(), username=smtp.username)
    async with open_session(smtp, tokens=tokens, now=NOW) as session:
        assert await session.send(sender=double.owner, recipient=double.owner, message=mail("one"))


@pytest.mark.anyio
async def test_postfix_refuses_a_token_that_is_not_good(
    mail_servers: MailServers, double: OAuthDouble
) -> None:
    double.lifetime = -1
    smtp = submission(mail_servers, double, double.owner)
    tokens = AccessTokens(double.oauth(), username=smtp.username)
    with pytest.raises(RelayLoginRefused, match="refused the access token"):
        async with open_session(smtp, tokens=tokens, now=NOW):
            pass
    assert len(double.given) == 2
