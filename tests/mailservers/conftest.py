"""The fixture of real mail servers; without them tests are skipped, but in CI they fail."""

import os
from collections.abc import Iterator

import pytest

from tests.mailservers.processes import ServersMissing
from tests.mailservers.servers import MailServers, running_mail_servers


@pytest.fixture(scope="session")
def mail_servers() -> Iterator[MailServers]:
    try:
        with running_mail_servers() as servers:
            yield servers
    except ServersMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture
def trust(mail_servers: MailServers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the certificate of the servers."""
    monkeypatch.setenv("SSL_CERT_FILE", str(mail_servers.certificate))
