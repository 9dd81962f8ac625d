"""config.yaml is put in force anew while the service runs: on SIGHUP, and when it was changed; never a faulty one."""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread, Timer
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import create_engine, text

from tests.cli.running import ON_THIS_MACHINE, PATIENCE, run, start, write_config
from tests.descriptors import nothing_can_be_opened
from tests.store.databases import write_locked

NO_DOOR = (
    "mail:\n  from: status@acme.example\n  smtp: {host: 127.0.0.1, port: 9, security: none}\n"
    "  receive: {protocol: lmtp, host: 192.0.2.1, port: 2500}\nemployees:\n"
)
"""A door for replies at an address that no machine has."""

LOG_IN = "login: {oidc: {issuer: https://id.acme.example, client_id: replycast, client_secret: secret}}\nemployees:\n"

pytestmark = pytest.mark.xdist_group("processes")


@dataclass
class Running:
    """A service, its config.yaml, and what it logged so far."""

    process: subprocess.Popen[str]
    folder: Path
    url: str
    seen: list[dict[str, str]] = field(default_factory=list)

    def write(self, was: str, now: str, *, hang_up: bool = True) -> None:
        """Change the file, and say so unless it is to be noticed."""
        assert was in ON_THIS_MACHINE
        write_config(self.folder, ON_THIS_MACHINE.replace(was, now, 1))
        if hang_up:
            self.process.send_signal(signal.SIGHUP)

    def logged(self, is_it: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """Read the log until a line is the one that is waited for."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.seen.append(json.loads(line))
            if is_it(self.seen[-1]):
                return self.seen[-1]
        pytest.fail(f"it was never logged, but {self.seen}")

    def page(self) -> str:
        """Read the status page."""
        with urlopen(self.url, timeout=PATIENCE) as answer:  # noqa: S310  it is our own
            return str(answer.read().decode())

    def metric(self, name: str) -> str:
        """Read what a metric stands at."""
        with urlopen(f"{self.url}/metrics", timeout=PATIENCE) as answer:  # noqa: S310  it is our own
            found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
        assert found is not None
        return found[1]

    def token(self) -> str:
        """Make a token that may have the file read anew."""
        typed = ("token", "create", "deploy", "--scope", "config:reload")
        return run(*typed, "--config", self.folder / "config.yaml").stdout.strip()

    def reload(self, token: str) -> tuple[int, dict[str, Any]]:
        """Ask for it over HTTP; gives the status and what is told."""
        headers = {"authorization": f"Bearer {token}"}
        url = f"{self.url}/-/reload"
        asked = Request(url, headers=headers, method="POST")  # noqa: S310  it is our own
        try:
            with urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310  as above
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read())


@contextmanager
def service_in(folder: Path) -> Iterator[Running]:
    with start("serve", "--config", write_config(folder), "--port", 0, folder=folder) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("listening on ").strip()
        drain = Thread(target=process.stdout.read, daemon=True)
        drain.start()
        running = Running(process, folder, url)
        end = Timer(PATIENCE, process.kill)
        end.start()
        try:
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            running.seen += [json.loads(line) for line in process.stderr]
            end.cancel()
    assert process.returncode == 0
    assert running.seen[-1]["event"] == "stopped"


@pytest.mark.parametrize("hang_up", [True, False], ids=["on SIGHUP", "when it was changed"])
def test_a_right_file_is_put_in_force_and_told_in_the_log_and_the_audit(
    tmp_path: Path, *, hang_up: bool
) -> None:
    with service_in(tmp_path) as running:
        assert "Acme Status" in running.page()
        running.write("name: Acme Status", "name: Better Status", hang_up=hang_up)
        told = running.logged(lambda line: "change" in line)
        assert told["change"] == "site.name: Acme Status → Better Status"
        assert "Better Status" in running.page()
        assert "Acme Status" not in running.page()
    with create_engine(f"sqlite:///{tmp_path}/replycast.db").connect() as connection:
        notes = connection.execute(text("SELECT by, note FROM audit WHERE act = 'config_changed'")).all()
    assert [tuple(one) for one in notes] == [("config.yaml", told["change"])]


def test_a_faulty_file_changes_nothing_until_it_is_right_again(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        running.write("wait_time: 5m", "wait_time: soon")
        told = running.logged(lambda line: "fault" in line)
        assert "config.yaml:20:16: `soon` is not a span" in told["fault"]
        assert "Acme Status" in running.page()
        running.write("name: Acme Status", "name: Better Status")
        running.logged(lambda line: "change" in line)
        assert "Better Status" in running.page()


def test_a_metric_says_whether_the_last_reload_succeeded(tmp_path: Path) -> None:
    succeeded = "replycast_config_last_reload_successful"
    with service_in(tmp_path) as running:
        token = running.token()
        assert running.metric(succeeded) == "1.0"
        in_force_at = running.metric("replycast_config_last_reload_success_timestamp_seconds")
        running.write("wait_time: 5m", "wait_time: soon", hang_up=False)
        assert running.reload(token)[0] == 409
        assert running.metric(succeeded) == "0.0"
        assert running.metric("replycast_config_last_reload_success_timestamp_seconds") == in_force_at
        running.write("name: Acme Status", "name: Better Status", hang_up=False)
        assert running.reload(token)[0] == 200
        assert running.metric(succeeded) == "1.0"
        assert running.metric("replycast_config_last_reload_success_timestamp_seconds") > in_force_at


def test_what_this_process_cannot_run_is_refused_with_a_reason(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        running.write("http://127.0.0.1:8080", "http://status.acme.example")
        told = running.logged(lambda line: "fault" in line)
        assert "without `mail` in config.yaml the mail sandbox is on" in told["fault"]
        assert "Acme Status" in running.page()


def takes_the_next(running: Running) -> None:
    """See to it that the next change of the file is in force, whatever was refused before."""
    running.write("name: Acme Status", "name: Better Status")
    running.logged(lambda line: "change" in line)
    assert "Better Status" in running.page()


def test_a_door_that_cannot_be_opened_leaves_the_former_configuration_in_force(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        running.write("employees:\n", NO_DOOR)
        told = running.logged(lambda line: "fault" in line)
        assert "replies cannot be taken at 192.0.2.1:2500" in told["fault"]
        takes_the_next(running)


def test_what_an_upgrade_took_away_leaves_the_former_configuration_in_force(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        # stands before the real one, as a version would that fits what runs no longer
        (tmp_path / "authlib").mkdir()
        (tmp_path / "authlib" / "__init__.py").write_text("")
        running.write("employees:\n", LOG_IN)
        told = running.logged(lambda line: "fault" in line)
        assert "start the service anew: it was replaced while it ran" in told["fault"]
        takes_the_next(running)


def test_another_secret_key_leaves_the_former_configuration_in_force(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        running.write("employees:\n", f"secret_key: {'k' * 40}\nemployees:\n")
        told = running.logged(lambda line: "fault" in line)
        assert "the database belongs to another secret key" in told["fault"]
        takes_the_next(running)


def test_while_the_database_is_away_it_waits_and_requests_are_answered(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        with write_locked(tmp_path / "replycast.db"):
            running.write("name: Acme Status", "name: Better Status")
            told = running.logged(lambda line: "fault" in line)
            assert "the database cannot be used just now" in told["fault"]
            waits = running.logged(lambda line: "the service waits" in line["event"])
            assert "the database cannot be used just now" in waits["because"]
            assert "Acme Status" in running.page()
            assert running.metric("replycast_config_last_reload_successful") == "0.0"
        running.logged(lambda line: "change" in line)
        assert "Better Status" in running.page()
        assert running.metric("replycast_config_last_reload_successful") == "1.0"


def test_what_cannot_be_opened_just_now_is_put_in_force_once_it_can(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        with nothing_can_be_opened(running.process.pid):
            running.write("name: Acme Status", "name: Better Status")
            told = running.logged(lambda line: "fault" in line)
            assert "this process has no file descriptor left" in told["fault"]
        running.logged(lambda line: "change" in line)
        assert "Better Status" in running.page()


def test_what_cannot_be_built_just_now_is_put_in_force_once_it_can(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        # stands before the real one, and lets its import fail as any file does that cannot be opened
        (tmp_path / "authlib").mkdir()
        full = "import errno, os\nraise OSError(errno.EMFILE, os.strerror(errno.EMFILE), __file__)\n"
        (tmp_path / "authlib" / "__init__.py").write_text(full)
        running.write("employees:\n", LOG_IN)
        told = running.logged(lambda line: "fault" in line)
        assert "this process has no file descriptor left" in told["fault"]
        running.logged(lambda line: "the service waits" in line["event"])
        assert "Acme Status" in running.page()
        shutil.rmtree(tmp_path / "authlib")
        running.logged(lambda line: "change" in line)


def test_it_stops_while_it_waits_for_the_database(tmp_path: Path) -> None:
    with service_in(tmp_path) as running, write_locked(tmp_path / "replycast.db"):
        running.write("name: Acme Status", "name: Better Status")
        running.logged(lambda line: "the service waits" in line["event"])
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(PATIENCE)


def test_nothing_is_said_to_have_changed_where_only_a_comment_did(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        running.write("employees:\n", "employees:  # who decides\n")
        running.logged(lambda line: "nothing in it changed" in line["event"])
        assert not [line for line in running.seen if "change" in line]


def test_another_database_waits_for_a_new_start(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        other = ON_THIS_MACHINE.replace("name: Acme Status", "name: Better Status", 1)
        (tmp_path / "config.yaml").write_text(f'database: "sqlite:///{tmp_path}/other.db"\n{other}')
        running.process.send_signal(signal.SIGHUP)
        running.logged(lambda line: "stays as it is until the service is started anew" in line["event"])
        running.logged(lambda line: "change" in line)
        assert "Better Status" in running.page()
    assert not (tmp_path / "other.db").exists()


def test_who_posts_for_it_is_told_what_changed_once_it_is_in_force(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        token = running.token()
        running.write("name: Acme Status", "name: Better Status", hang_up=False)
        status, told = running.reload(token)
        assert (status, told["needs_restart"]) == (200, [])
        assert told["changes"] == ["site.name: Acme Status → Better Status"]
        assert "Better Status" in running.page()


def test_who_posts_for_a_faulty_file_is_told_its_faults_and_nothing_changes(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        token = running.token()
        running.write("wait_time: 5m", "wait_time: soon", hang_up=False)
        status, told = running.reload(token)
        assert (status, told["reason"]) == (409, "config_refused")
        assert "config.yaml:20:16: `soon` is not a span" in told["errors"][0]["detail"]
        assert "Acme Status" in running.page()


def test_who_posts_for_a_configuration_that_cannot_run_here_is_told_why(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        token = running.token()
        running.write("employees:\n", NO_DOOR, hang_up=False)
        status, told = running.reload(token)
        assert status == 409
        assert "replies cannot be taken at 192.0.2.1:2500" in told["detail"]
        assert "Acme Status" in running.page()


def test_who_posts_is_told_what_waits_for_a_new_start(tmp_path: Path) -> None:
    with service_in(tmp_path) as running:
        token = running.token()
        (tmp_path / "config.yaml").write_text(f'database: "sqlite:///{tmp_path}/other.db"\n{ON_THIS_MACHINE}')
        assert running.reload(token) == (200, {"changes": [], "needs_restart": ["database"]})
