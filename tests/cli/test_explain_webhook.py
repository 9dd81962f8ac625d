"""`replycast explain-webhook`: what a body would be taken for, without a database."""

from pathlib import Path

import pytest

from tests.cli.running import run, run_json, write_config

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
    assert in_words.stdout == "Email Sever (entity mx1): firing, no monitor; did you mean Email Server?\n"


@pytest.mark.parametrize("body", [b"", b"{", b'{"state": "CRITICAL"}', b"\xff\xfe\x00", b"[" * 60_000])
def test_what_would_be_refused_is_explained_too(config: Path, body: bytes) -> None:
    said = run_json("explain-webhook", "victorops", "--config", config, stdin=body)
    assert (said["accepted"], said["alerts"]) == (False, [])
    assert said["reason"]


def test_an_unknown_provider_is_a_wrong_argument(config: Path) -> None:
    result = run("explain-webhook", "pagerduty", "--config", config, stdin=FIRING)
    assert result.exit_code == 2
    assert "known is: victorops" in result.stderr


def test_nothing_is_stored(config: Path, tmp_path: Path) -> None:
    run("explain-webhook", "victorops", "--config", config, stdin=FIRING)
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]
