"""With a socket that systemd keeps open the service is started anew without a refused post."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import create_engine, text

from service.app.listening import AddressUnusable, inherit_socket
from tests.cli.running import PATIENCE, write_config

pytestmark = pytest.mark.xdist_group("processes")

AS_SYSTEMD_DOES = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()));"
    "os.execv(sys.executable, [sys.executable, '-m', 'service', 'serve', '--config', sys.argv[2]])"
)


def start_with(door: socket.socket, config: Path) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", AS_SYSTEMD_DOES, str(door.fileno()), str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=config.parent,
        pass_fds=[door.fileno(), 3],
        env={**os.environ, "PYTHONPATH": str(root)},
    )


@contextmanager
def served(door: socket.socket, config: Path) -> Iterator[subprocess.Popen[str]]:
    """Serve until the block ends, however it does."""
    with start_with(door, config) as process:
        try:
            assert f":{door.getsockname()[1]}" in first_line(process)
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_no_post_is_refused_while_it_is_started_anew(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    done = Event()

    def keep_posting(url: str) -> int:
        taken = 0
        while not done.is_set():
            body = json.dumps({"monitorName": "Email Server", "state": "INFO", "entityId": str(taken)})
            with urlopen(Request(url, body.encode()), timeout=PATIENCE) as answer:  # noqa: S310  it is our own
                assert answer.status == 202
            taken += 1
        return taken

    with socket.create_server(("127.0.0.1", 0), backlog=1024) as door, ThreadPoolExecutor(1) as pool:
        url = f"http://127.0.0.1:{door.getsockname()[1]}/webhook/victorops"
        posting = pool.submit(keep_posting, url)
        try:
            for _ in range(3):
                with served(door, config):
                    pass
        finally:
            done.set()
            with served(door, config):  # whoever waits in the queue is answered
                taken = posting.result(PATIENCE)
    with create_engine(f"sqlite:///{tmp_path}/replycast.db").connect() as connection:
        stored = connection.execute(text("SELECT count(*) FROM inbox")).scalar_one()
    assert stored == taken > 0


def test_what_was_meant_for_another_process_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))
    assert inherit_socket() is None
    assert "LISTEN_FDS" not in os.environ


def test_more_than_one_socket_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "2")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    with pytest.raises(AddressUnusable, match="handed over 2 sockets"):
        inherit_socket()
