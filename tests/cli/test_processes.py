"""The commands as processes: how they start, what they print first, and how they end."""

import json
import signal
import socket
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cli.running import PATIENCE, run_process, start, write_config

pytestmark = pytest.mark.xdist_group("processes")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_it_serves_until_it_is_told_to_stop(name: str, tmp_path: Path) -> None:
    with start("serve", "--config", write_config(tmp_path), "--port", 0, folder=tmp_path) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("listening on http://127.0.0.1:")
        assert process.stderr is not None
        url = first.removeprefix("listening on ").strip()
        with urlopen(f"{url}/healthz", timeout=PATIENCE) as answer:  # noqa: S310  it is our own
            assert answer.read() == b"ok\n"
        process.send_signal(signal.Signals[name])
        rest, log = process.stdout.read(), process.stderr.read()
    assert process.returncode == 0, log
    assert "listening on" not in rest
    assert "/sandbox" in rest, "where there is no mail server it says where the mails are"
    assert "status@replycast.example" not in log, "addresses are redacted"
    assert "Traceback" not in log
    told = [(line["event"], line.get("reason")) for line in map(json.loads, log.splitlines())]
    assert ("stopping", name) in told
    assert told[-1] == ("stopped", None)


def test_a_crash_of_python_itself_leaves_word_of_where_it_was(tmp_path: Path) -> None:
    with start("serve", "--config", write_config(tmp_path), "--port", 0, folder=tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGSEGV)
        assert process.stderr is not None
        log = process.stderr.read()
    assert process.returncode == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in log
    assert "in serve\n" in log


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = write_config(tmp_path)
        code, out, err = run_process("serve", "--config", config, "--port", port, folder=tmp_path)
    assert (code, out) == (1, "")
    assert (
        err.splitlines()[-1] == f"replycast: cannot listen on 127.0.0.1, port {port}: address already in use"
    )


def test_the_mail_sandbox_is_not_shown_to_other_machines(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    everywhere = "0.0.0.0"  # noqa: S104  it is to be refused
    command = ("serve", "--config", config, "--host", everywhere, "--port", 0)
    code, out, err = run_process(*command, folder=tmp_path)
    assert (code, out) == (1, "")
    said = err.splitlines()[-1]
    assert said.startswith("replycast: without `mail` in config.yaml the mail sandbox is on")
    assert said.endswith("listen on 127.0.0.1 instead of 0.0.0.0")


def test_the_environment_may_name_the_config(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    named = config.rename(tmp_path / "elsewhere.yaml")
    code, out, _ = run_process("check", folder=tmp_path, REPLYCAST_CONFIG=str(named))
    assert code == 0
    assert out.splitlines()[-1].startswith(f"{named}: right")


def test_the_demo_comes_out_right(tmp_path: Path) -> None:
    code, out, err = run_process("demo", folder=tmp_path)
    assert code == 0, out + err
    assert out.splitlines()[-1].startswith("All of it came out right, in ")
    assert out.index("still says 'All systems operational'") < out.index(
        "The incident is on the status page."
    )
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"
