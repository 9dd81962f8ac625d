"""What a configuration does not use is not imported, for it would cost memory; what works for it is, at the start."""

import subprocess
import sys
from pathlib import Path

import pytest

from service.store.database import open_store
from tests.mailservers.processes import free_port
from tests.rooms import CONFIG
from tests.store.databases import fresh_database, needs_postgresql

ROOT = Path(__file__).parents[2]
BUILD = """
import asyncio, sys
from pathlib import Path
import service.cli.serving
from service.app.building import build
from service.app import wall_clock
from service.config import load

async def main():
    async with build(load(Path(sys.argv[1]), {}), wall_clock):
        print(*sys.modules)

asyncio.run(main())
"""
OIDC = "login: {oidc: {issuer: https://id.acme.example, client_id: replycast, client_secret: secret}}\n"
MAIL = 'mail: {from: "Acme <status@acme.example>", smtp: {host: 127.0.0.1, port: 9, security: none}}\n'
OF_OTHERS = {
    "aiosmtpd",
    "alembic",
    "authlib",
    "cryptography",
    "greenlet",
    "joserfc",
    "limits",
    "opentelemetry",
    "psycopg",
    "pymap",
    "rich",
    "sqlalchemy.dialects.postgresql",
}
AT_WORK = {"aiosmtplib", "dkim", "httpx2", "imapclient", "service.actions.deciding", "service.jobs"}
"""What decides, sends, calls and takes mails in: an upgrade under a running process must not keep it from that."""


def imported(folder: Path, database: str, config: str) -> set[str]:
    """Build the service of a configuration, over a database that is up to date, in a process of its own."""
    open_store(database).close()
    file = folder / "config.yaml"
    file.write_text(f'database: "{database}"\n{config}')
    command = [sys.executable, "-c", BUILD, str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_what_a_configuration_does_not_use_is_not_imported(tmp_path: Path) -> None:
    with fresh_database("sqlite", tmp_path) as database:
        found = imported(tmp_path, database, MAIL + CONFIG)
    assert found & OF_OTHERS == set()
    assert found >= AT_WORK


@pytest.mark.parametrize(
    ("config", "used"),
    [
        (CONFIG.replace("status.acme.example", "127.0.0.1"), {"aiosmtpd", "pymap"}),
        (
            MAIL.replace("}}", f"}}, receive: {{protocol: lmtp, port: {free_port()}}}}}") + CONFIG,
            {"aiosmtpd"},
        ),
        (MAIL + CONFIG + OIDC, {"authlib", "cryptography", "joserfc"}),
        (MAIL + CONFIG + "webhooks: {sns: {}}\n", {"cryptography"}),
    ],
    ids=["no mail server", "a door for mail servers", "a log-in provider", "Amazon SNS"],
)
def test_what_a_configuration_uses_is_imported_at_the_start(
    config: str, used: set[str], tmp_path: Path
) -> None:
    with fresh_database("sqlite", tmp_path) as database:
        assert imported(tmp_path, database, config) & OF_OTHERS == used


@needs_postgresql
def test_the_driver_of_postgresql_is_there_where_the_database_is_one(tmp_path: Path) -> None:
    with fresh_database("postgresql", tmp_path) as database:
        assert "psycopg" in imported(tmp_path, database, MAIL + CONFIG)
