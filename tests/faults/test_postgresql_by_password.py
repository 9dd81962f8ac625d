"""PostgreSQL by TCP with a password (SCRAM-SHA-256), wherever that stands; a second instance with another key."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from tests.cli.running import run_process
from tests.faults.cluster import PASSWORD, ROLE, database_of_a_role, own_cluster
from tests.faults.process import ServiceProcess
from tests.mailservers.processes import LOOPBACK, free_port
from tests.rooms import CONFIG
from tests.store.databases import needs_postgresql

pytestmark = [pytest.mark.anyio, needs_postgresql, pytest.mark.xdist_group("processes")]

ESCAPED = quote(PASSWORD, safe="")
ADDRESS = "postgresql://{role}{password}@127.0.0.1:{port}/{role}?sslmode=disable"
ON_THIS_MACHINE = CONFIG.replace("status.acme.example", "127.0.0.1:8080")
WAYS = {
    "in the address, from the environment": ("${DB_ESCAPED}", ""),
    "apart from it, from the environment": ("", "database_password: ${DB_PASSWORD}\n"),
    "in a file of its own": ("", "database_password_file: database.password\n"),
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Give where a server listens that has a database of a role with a password."""
    chosen = free_port()
    with own_cluster(hosts=LOOPBACK, port=chosen) as server, database_of_a_role(server):
        yield chosen


def write_config(folder: Path, port: int, way: str) -> Path:
    in_address, lines = WAYS[way]
    address = ADDRESS.format(role=ROLE, password=in_address and f":{in_address}", port=port)
    secret = folder / "database.password"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    path = folder / "config.yaml"
    path.write_text(f'database: "{address}"\n{lines}secret_key: {"k" * 40}\n{ON_THIS_MACHINE}')
    return path


@pytest.mark.parametrize("way", WAYS)
async def test_the_service_logs_in_at_the_database(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setitem(os.environ, "DB_ESCAPED", ESCAPED)
    monkeypatch.setitem(os.environ, "DB_PASSWORD", PASSWORD)
    log = tmp_path / "log"
    async with (
        await ServiceProcess.start(write_config(tmp_path, port, way), log) as service,
        httpx2.AsyncClient(base_url=service.url) as client,
    ):
        body = '{monitorName: "Email Server", state: "CRITICAL"}'
        assert (await client.post("/webhook/victorops", content=body)).status_code == 202
        assert await service.stop() == 0
    assert PASSWORD not in log.read_text()


def test_a_wrong_password_is_refused_and_not_shown(port: int, tmp_path: Path) -> None:
    config = write_config(tmp_path, port, "apart from it, from the environment")
    wrong = "wrong-word"
    code, out, err = run_process("serve", "--config", config, "--port", 0, folder=tmp_path, DB_PASSWORD=wrong)
    assert (code, out) == (1, "")
    assert "password authentication failed" in err.splitlines()[-1]
    assert wrong not in err


async def test_of_two_instances_the_one_with_another_key_does_not_start(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "DB_PASSWORD", PASSWORD)
    config = write_config(tmp_path, port, "apart from it, from the environment")
    async with await ServiceProcess.start(config, tmp_path / "log") as first:
        config.write_text(config.read_text().replace("k" * 40, "o" * 40))
        code, out, err = run_process("serve", "--config", config, "--port", 0, folder=tmp_path)
        assert (code, out) == (1, "")
        said = (
            "replycast: the database belongs to another secret key than the one in config.yaml (`secret_key`)"
        )
        assert err.splitlines()[-1].startswith(said)
        refused = run_process("accept-key", "--config", config, folder=tmp_path)
        assert refused[0] == 1
        assert "an instance works on the database: stop all of them first" in refused[2]
        assert await first.stop() == 0
