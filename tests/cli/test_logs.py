"""The log says where a mail went, and not to whom."""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from errno import ENOSPC
from io import StringIO
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from service.cli.logs import redacted
from service.cli.options import load_or_exit
from service.config import Config
from tests.cli.running import PATIENCE, run, start, write_config


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("jordan@acme.example", "j***@acme.example"),
        ("Acme <status+abc@acme.example>", "Acme <s***@acme.example>"),
        ("550 a@b.example and c.d@e.example", "550 a***@b.example and c***@e.example"),
        ("no address @ all", "no address @ all"),
        ("", ""),
    ],
)
def test_an_address_keeps_its_first_letter_and_its_domain(text: str, shown: str) -> None:
    assert redacted(text) == shown


@given(
    local=st.text("abcdefghijklmnopqrstuvwxyz0123456789.+-_", min_size=5, max_size=64),
    around=st.text(max_size=9),
)
def test_no_local_part_stands_in_the_log(local: str, around: str) -> None:
    assert f"{local}@acme.example" not in redacted(f"{around} {local}@acme.example {around}")


@pytest.mark.parametrize(("form", "is_json"), [("json", True), ("console", False), ("auto", True)])
def test_the_log_has_the_form_that_is_asked_for(tmp_path: Path, form: str, *, is_json: bool) -> None:
    """`auto` writes to no terminal here."""
    config = write_config(tmp_path)
    with start(
        "serve", "--config", config, "--port", "0", folder=tmp_path, REPLYCAST_LOG_FORMAT=form
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening on ")
        process.terminate()
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    logged = [line for line in said.splitlines() if "stopping" in line]
    assert len(logged) == 1
    assert logged[0].startswith("{") == is_json


class FullDisk(StringIO):
    """Where nothing can be written."""

    def write(self, _text: str, /) -> int:
        """Write nothing."""
        raise OSError(ENOSPC, "No space left on device")


def closed() -> StringIO:
    """Give a file that is closed."""
    file = StringIO()
    file.close()
    return file


class InPieces(StringIO):
    """What takes a line for several, as standard error does where nothing is held back."""

    def write(self, text: str, /) -> int:
        """Write letter after letter, and let others have Python in between."""
        for letter in text:
            super().write(letter)
            time.sleep(0)
        return len(text)


@pytest.mark.parametrize("file", [FullDisk(), closed()], ids=["full", "closed"])
def test_who_cannot_write_to_the_log_goes_on_all_the_same(
    write_log: Callable[[StringIO], None], file: StringIO
) -> None:
    write_log(file)
    log = structlog.get_logger()
    assert [log.info("decided"), log.error("loop failed")] == [None, None]


def test_a_line_says_when_it_was_how_grave_it_is_and_what_failed_where(
    write_log: Callable[[StringIO], None],
) -> None:
    said = StringIO()
    write_log(said)
    log = structlog.get_logger()
    log.debug("not said")
    try:
        int("of jordan@acme.example")
    except ValueError:
        log.exception("loop failed", loop="send")
    (line,) = map(json.loads, said.getvalue().splitlines())
    assert (line["event"], line["level"], line["loop"]) == ("loop failed", "error", "send")
    assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None
    assert "test_logs.py" in line["exception"]
    assert "of j***@acme.example" in line["exception"]


def test_no_line_breaks_into_another_whoever_says_it(write_log: Callable[[StringIO], None]) -> None:
    said = InPieces()
    write_log(said)
    ours, theirs = structlog.get_logger(), logging.getLogger("some.library")

    def say(number: int) -> None:
        ours.info("ours", number=number)
        theirs.warning("theirs")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(say, range(40)))
    events = Counter(json.loads(line)["event"] for line in said.getvalue().splitlines())
    assert events == {"ours": 40, "theirs": 40}


def test_no_address_of_a_webhook_stands_in_the_log(write_log: Callable[[StringIO], None]) -> None:
    write_log(StringIO())
    # they say each call's URL, which is all that protects a channel of Slack or Teams
    assert not any(logging.getLogger(name).isEnabledFor(logging.INFO) for name in ("httpx2", "httpcore2"))


def test_what_a_command_prints_is_free_of_what_is_logged_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_and_log(path: Path, **more: bool) -> Config:
        structlog.get_logger().warning("something was noted", by="jordan@acme.example")
        return load_or_exit(path, **more)

    monkeypatch.setattr("service.cli.incidents.load_or_exit", load_and_log)
    result = run("incidents", "list", "--json", "--config", write_config(tmp_path))
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    logged = json.loads(result.stderr)
    assert (logged["event"], logged["by"]) == ("something was noted", "j***@acme.example")
