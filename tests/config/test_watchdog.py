"""When the watchdog speaks up, and who may read the metrics."""

from datetime import timedelta
from pathlib import Path

import pytest

from service.config import parse
from service.config.settings import Watchdog
from tests.config.sample import SAMPLE, faults_of, marked, read


def test_it_watches_where_nothing_is_said() -> None:
    assert read(SAMPLE).watchdog == Watchdog(timedelta(days=7), timedelta(minutes=10), timedelta(minutes=5))


@pytest.mark.parametrize("off", ["off", "Off", "0", "'off'", "false"])
def test_each_limit_can_be_turned_off(off: str) -> None:
    assert not read(f"{SAMPLE}watchdog: {{mailbox_unread_for: {off}}}\n").watchdog.mailbox_unread_for


@pytest.mark.parametrize(
    ("said", "fragment"),
    [
        ("{outbox_older_than: ¦30s}", "2m is the least, or off"),
        ("{outbox_older_than: ¦5}", "has no unit"),
        ("{no_webhook_for: ¦32d}", "is too long: 31d is the most"),
        ("{no_webhook_for: ¦true}", "is not a span of time"),
        ("{¦no_webhooks_for: 7d}", "did you mean `no_webhook_for`?"),
    ],
)
def test_a_fault_points_at_its_place(said: str, fragment: str) -> None:
    text, line, column = marked(f"{SAMPLE}watchdog: {said}\n")
    (fault,) = faults_of(text)
    assert fragment in fault.text
    assert (fault.line, fault.column) == (line, column)


def test_the_token_of_metrics_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("sEsaMe\n")
    config = parse(f"{SAMPLE}metrics: {{token_file: token}}\n", tmp_path / "config.yaml", {})
    assert config.metrics_token.reveal() == "sEsaMe"
    assert "sEsaMe" not in repr(config)


def test_no_fault_shows_the_token() -> None:
    (fault,) = faults_of(f"{SAMPLE}metrics: {{token: [sEsaMe]}}\n")
    assert "sEsaMe" not in fault.text
