"""The log says where a mail went, and not to whom."""

import logging
import sys
from errno import ENOSPC
from io import StringIO
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from service.cli.logs import redacted, set_up_logs
from tests.cli.running import PATIENCE, start, write_config


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


def test_who_cannot_write_to_the_log_goes_on_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", FullDisk())
    try:
        set_up_logs()
        log = structlog.get_logger()
        assert [log.info("decided"), log.error("loop failed")] == [None, None]
    finally:
        root.handlers[:], level = before
        root.setLevel(level)
        structlog.reset_defaults()


def test_no_address_of_a_webhook_stands_in_the_log() -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        set_up_logs()
        # they say each call's URL, which is all that protects a channel of Slack or Teams
        assert not any(logging.getLogger(name).isEnabledFor(logging.INFO) for name in ("httpx2", "httpcore2"))
    finally:
        root.handlers[:], level = before
        root.setLevel(level)
        structlog.reset_defaults()
