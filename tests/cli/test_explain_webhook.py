"""`replycast explain-webhook`: what a body would be taken for, without a database."""

from pathlib import Path

import pytest

from tests.cli.running import ON_THIS_MACHINE, run, run_json, write_config

GENERIC = """\
webhooks:
  generic: {secret: s, each: post.checks, monitor_name: name, state: is}
"""
FIRING = b'{monitorName: "Email Server", state: "CRITICAL", entityId: "mx1"}'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path)


def test_a_body_from_standard_input_is_explained(config: Path) -> None:
    said = run_json("explain-webhook", "victorops", "--config", config, stdin=FIRING)
    assert said["accepted"] is True
    assert isinstance(said["reason"], str)
    [alert] = said["alerts"]
    assert {name: alert[name] for name in ("monitor_name", "state", "entity_id", "matches")} == {
        "monitor_name": "Email Server",
        "state": "firing",
        "entity_id": "mx1",
        "matches": "Email Server",
    }


def test_a_body_in_a_file_is_explained(config: Path, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(FIRING)
    said = run_json("explain-webhook", "victorops", body, "--config", config)
    assert said["alerts"][0]["monitor_name"] == "Email Server"


@pytest.mark.parametrize(
    ("body", "options", "state"),
    [
        (FIRING.replace(b"CRITICAL", b"UP"), (), "recovered"),
        (FIRING.replace(b"CRITICAL", b"ACKED"), (), "acknowledged"),
        (FIRING.replace(b"CRITICAL", b"whatever"), (), "info"),
        (FIRING, ("--event", "resolved"), "recovered"),
        (
            b"monitorName=Email+Server&state=OK",
            ("--content-type", "application/x-www-form-urlencoded"),
            "recovered",
        ),
    ],
)
def test_the_state_is_told_as_the_service_would_take_it(
    config: Path, body: bytes, options: tuple[str, ...], state: str
) -> None:
    said = run_json("explain-webhook", "victorops", "--config", config, *options, stdin=body)
    assert [(alert["monitor_name"], alert["state"]) for alert in said["alerts"]] == [("Email Server", state)]


def test_the_providers_spelling_does_not_matter(config: Path) -> None:
    said = run_json("explain-webhook", "VictorOps", "--config", config, stdin=FIRING)
    assert said["alerts"][0]["matches"] == "Email Server"


def test_a_name_without_a_monitor_matches_none_and_is_hinted_at(config: Path) -> None:
    body = FIRING.replace(b"Server", b"Sever")
    [alert] = run_json("explain-webhook", "victorops", "--config", config, stdin=body)["alerts"]
    assert alert["matches"] is None
    in_words = run("explain-webhook", "victorops", "--config", config, stdin=body)
    assert in_words.stdout == (
        "Email Sever (entity mx1): firing\n"
        "  is recorded without effect: no monitor is configured for `Email Sever`, did you mean `Email Server`?\n"
    )


MATCHES = "matches the monitor `Email Server`"
UNHEARD = f"{MATCHES}, but is recorded without effect"
UNKNOWN = (
    "is no state that is known, and so opens and closes nothing: "
    "let the webhook send CRITICAL or OK, or add `phase` to its payload, which comes first"
)
MISSING = "it has no state, and so opens and closes nothing: let the webhook send one"
ASKED = f"{MATCHES}: joins its open incident, or opens one, about which employees are asked after its wait time of 5m"


@pytest.mark.parametrize(
    ("changed", "state", "reason"),
    [
        ({}, "CRITICAL", ASKED),
        ({}, "WARNING", ASKED),
        (
            {"combine_alerts: true": "combine_alerts: false", "auto_publish: false": "auto_publish: true"},
            "CRITICAL",
            f"{MATCHES}: opens an incident of its own, which is published after its wait time of 5m",
        ),
        (
            {"wait_time: 5m": "wait_time: 0"},
            "CRITICAL",
            f"{MATCHES}: joins its open incident, or opens one, about which employees are asked at once",
        ),
        (
            {"wait_time: 5m": "wait_time: 5m\n    warning_fires: false"},
            "Warning",
            f"{UNHEARD}: the state `Warning` does not fire for `Email Server` (`warning_fires: false`)",
        ),
        ({}, "UP", f"{MATCHES}: what is open of it recovers; where nothing is open, nothing happens"),
        ({}, "ACKED", f"{UNHEARD}: the state `ACKED` opens and closes nothing"),
        (
            {},
            "on\\u001b[31m fire" + "!" * 200,
            f"{UNHEARD}: `on [31m fire{'!' * 87}…` {UNKNOWN}",
        ),
        ({}, "", f"{UNHEARD}: {MISSING}"),
    ],
)
def test_each_alert_says_what_would_come_of_it(
    changed: dict[str, str], state: str, reason: str, tmp_path: Path
) -> None:
    text = ON_THIS_MACHINE
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    path, body = (
        write_config(tmp_path, text),
        f'{{"monitorName": "Email Server", "state": "{state}"}}'.encode(),
    )
    [alert] = run_json("explain-webhook", "victorops", "--config", path, stdin=body)["alerts"]
    assert alert["reason"] == reason
    in_words = run("explain-webhook", "victorops", "--config", path, stdin=body).stdout
    assert in_words.splitlines()[1] == f"  {reason}"


def test_a_body_without_a_state_is_taken_and_said_to_have_no_effect(config: Path) -> None:
    body = b'{monitorName: "Email Server"}'
    said = run_json("explain-webhook", "victorops", "--config", config, stdin=body)
    assert (said["accepted"], said["alerts"][0]["state"]) == (True, "info")
    assert said["alerts"][0]["reason"].endswith(MISSING)


def test_what_cannot_be_read_of_a_list_is_told_beside_its_alerts(config: Path) -> None:
    config.write_text(config.read_text() + GENERIC)
    body = b'{"checks": [{"name": "Toaster", "is": "down"}, {"name": "b", "is": "??"}]}'
    said = run_json("explain-webhook", "generic", "--config", config, stdin=body)
    assert [alert["monitor_name"] for alert in said["alerts"]] == ["Toaster"]
    assert said["complaint"].startswith("alert 2 cannot be read: what `state: is` looks for is `??`")
    in_words = run("explain-webhook", "generic", "--config", config, stdin=body).stdout.splitlines()
    assert in_words[0] == "Toaster: firing"
    assert in_words[2:] == [said["complaint"]]


def test_a_name_that_another_providers_monitor_has_is_told_with_the_line_to_write(config: Path) -> None:
    config.write_text(config.read_text() + GENERIC)
    body = b'{"checks": [{"name": "Email Server", "is": "down"}]}'
    [alert] = run_json("explain-webhook", "generic", "--config", config, stdin=body)["alerts"]
    assert alert["did_you_mean"] == []
    assert alert["reason"] == (
        "is recorded without effect: `Email Server` is a monitor of victorops, and this came from generic: "
        "set `provider: generic` in a monitor of that name"
    )


@pytest.mark.parametrize("body", [b"", b"{", b'{"state": "CRITICAL"}', b"\xff\xfe\x00", b"[" * 60_000])
def test_what_would_be_refused_is_explained_too(config: Path, body: bytes) -> None:
    said = run_json("explain-webhook", "victorops", "--config", config, stdin=body)
    assert (said["accepted"], said["alerts"]) == (False, [])
    assert said["reason"]


def test_an_unknown_provider_is_a_wrong_argument(config: Path) -> None:
    result = run("explain-webhook", "nagios", "--config", config, stdin=FIRING)
    assert result.exit_code == 2
    assert "known is: alertmanager" in result.stderr


def test_nothing_is_stored(config: Path, tmp_path: Path) -> None:
    run("explain-webhook", "victorops", "--config", config, stdin=FIRING)
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]
