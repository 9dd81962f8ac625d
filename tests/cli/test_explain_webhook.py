"""`replycast explain-webhook`: what a body would be taken for, without a database."""

from pathlib import Path

import pytest

from tests.cli.running import ON_THIS_MACHINE, run, run_json, write_config

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
        "  no monitor of this name; did you mean `Email Server`? recorded without effect\n"
    )


MATCHES = "matches the monitor `Email Server`"
NOT_FIRING = "(`warning_fires: false`)"
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
            f"{MATCHES}, but the state `Warning` does not fire for it {NOT_FIRING}: recorded without effect",
        ),
        ({}, "UP", f"{MATCHES}: what is open of it recovers; where nothing is open, nothing happens"),
        (
            {},
            "ACKED",
            f"{MATCHES}, but an acknowledgement opens and closes nothing: recorded without effect",
        ),
        (
            {},
            "on\\u001b[31m fire" + "!" * 200,
            f"{MATCHES}, but the state `on [31m fire{'!' * 87}…` neither fires nor recovers: recorded without effect",
        ),
        ({}, "", f"{MATCHES}, but `state` is missing or empty: recorded without effect"),
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
    assert said["alerts"][0]["reason"].endswith("`state` is missing or empty: recorded without effect")


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
