"""`replycast init`: from nothing to a config.yaml that is right, and two webhooks to paste."""

import json
import os
import pty
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from service.cli import setting_up
from service.cli.first_config import employee_id, webhooks_to_paste
from service.cli.machine_zone import machine_zone
from tests.cli.running import PATIENCE, run, run_json

SITE = ["--site-name", "Acme Status", "--url", "http://127.0.0.1:8080"]
PUBLIC = ["--url", "https://status.acme.example"]
PERSON = ["--admin-name", "Jordan Ray", "--admin-email", "jordan@acme.example", "--monitor", "Email Server"]
WHO = [*SITE, *PERSON]
MAIL = [
    "--from",
    "Acme <status@acme.example>",
    "--smtp-host",
    "mail.acme.example",
    "--smtp-username",
    "status",
]
MAILBOX = ["--imap-host", "mail.acme.example", "--imap-username", "status"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give where config.yaml is to be."""
    return tmp_path / "etc" / "config.yaml"


def made(path: Path, *options: str) -> dict[str, Any]:
    return run_json("init", *WHO, *options, "--config", path)


def test_what_it_writes_is_right_and_runs_with_the_sandbox(path: Path) -> None:
    told = made(path, "--sandbox")
    assert told["warnings"] == []
    assert run("check", "--config", path).exit_code == 0
    simulated = run_json("simulate", "--monitor", "Email Server", "--config", path)
    assert simulated["steps"][1]["mails"][0]["to"] == "jordan@acme.example"


def test_its_first_line_leads_an_editor_to_the_schema(path: Path) -> None:
    made(path, "--sandbox")
    first = path.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=config.schema.json"
    schema = json.loads((path.parent / "config.schema.json").read_text())
    assert schema == json.loads(run("schema").stdout)
    jsonschema_rs.validate(schema, YAML(typ="safe").load(path.read_text()))


def test_the_secret_is_in_a_file_of_its_own_for_its_owner_alone(path: Path) -> None:
    made(path, "--sandbox")
    secret = (path.parent / "victorops.secret").read_text().strip()
    assert len(secret) > 40
    assert secret not in path.read_text()
    for file in (path, path.parent / "victorops.secret"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_both_webhooks_are_taken_by_the_very_secret(path: Path) -> None:
    told = made(path, *PUBLIC, "--from", "status@acme.example", "--smtp-host", "mail.acme.example")
    secret = (path.parent / "victorops.secret").read_text().strip()
    at = f"https://status.acme.example/webhook/victorops?secret={secret}&event="
    assert [(one["event"], one["url"]) for one in told["webhooks"]] == [
        ("Incident-Triggered", f"{at}triggered"),
        ("Incident-Resolved", f"{at}resolved"),
    ]
    body = told["webhooks"][0]["payload"].replace("${{ALERT.monitor_name}}", "Email Server")
    fired = body.replace("${{ALERT.entity_state}}", "CRITICAL").encode()
    for event, state in (("triggered", "firing"), ("resolved", "recovered")):
        explained = run_json("explain-webhook", "victorops", "--event", event, "--config", path, stdin=fired)
        assert [one["state"] for one in explained["alerts"]] == [state]


def test_a_person_reads_what_to_paste_and_what_to_do_next(path: Path) -> None:
    said = run("init", *WHO, "--sandbox", "--config", path).stdout
    assert 'monitorName: "${{ALERT.monitor_name}}",' in said
    assert said.splitlines()[-1] == f"Next: replycast serve --config {path}"


def test_what_is_there_is_replaced_only_by_force_and_its_secret_is_kept(path: Path) -> None:
    first = made(path, "--sandbox")
    refused = run("init", *WHO, "--sandbox", "--config", path)
    assert (refused.exit_code, "exists: edit it, or let --force replace it" in refused.stderr) == (2, True)
    assert made(path, "--sandbox", "--force")["webhooks"] == first["webhooks"]


def test_mail_servers_are_written_with_their_passwords_in_files(path: Path) -> None:
    path.parent.mkdir()
    for name in ("smtp.password", "imap.password"):
        (path.parent / name).write_text("hush\n")
    made(path, *MAIL, *MAILBOX)
    tree = YAML(typ="safe").load(path.read_text())
    assert tree["mail"]["smtp"] == {
        "host": "mail.acme.example",
        "port": 587,
        "security": "starttls",
        "username": "status",
        "password_file": "smtp.password",
    }
    assert tree["mail"]["imap"] == {
        "host": "mail.acme.example",
        "port": 993,
        "security": "tls",
        "username": "status",
        "password_file": "imap.password",
    }


@pytest.mark.parametrize(
    ("options", "port"), [(["--imap-security", "none"], 143), (["--imap-port", "1143"], 1143)]
)
def test_a_mailbox_may_be_reached_in_another_way_than_the_usual(
    path: Path, options: list[str], port: int
) -> None:
    path.parent.mkdir()
    for name in ("smtp.password", "imap.password"):
        (path.parent / name).write_text("hush\n")
    made(path, *MAIL, *MAILBOX, *options)
    assert YAML(typ="safe").load(path.read_text())["mail"]["imap"]["port"] == port


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "give --site-name, --url, --admin-name, --admin-email, --monitor, --smtp-host, or --sandbox"),
        ([*WHO], "give --smtp-host, or --sandbox"),
        ([*WHO, "--smtp-host", "mail.acme.example"], "give --from"),
        ([*WHO, *MAIL], "smtp.password"),
        ([*SITE, *PERSON[:3], "nobody", *PERSON[4:], "--sandbox"], "is not an e-mail address"),
        ([*WHO, "--url", "acme", "--sandbox"], "must be an address such as"),
        ([*WHO, "--timezone", "Berlin", "--sandbox"], "is not a time zone"),
        (
            [*WHO, *PUBLIC, "--sandbox"],
            "let --url be http://127.0.0.1:8080, or name a mail server with --from",
        ),
        ([*WHO, "--monitor", "mail-*", "--sandbox"], "`mail-*` is a pattern: name with --component"),
        ([*WHO, "--monitor", "*", "--sandbox"], "`*` is a pattern: name with --component"),
    ],
)
def test_where_something_does_not_fit_nothing_is_written(path: Path, options: list[str], said: str) -> None:
    result = run("init", *options, "--config", path)
    assert (result.exit_code, said in result.stderr) == (2, True), result.output
    assert not path.parent.exists() or list(path.parent.iterdir()) == []


@pytest.mark.parametrize("odd", ['"', "${HOME}", "{{ alert.x }} {% x %}", "ü: [x]", "- #", "'"])
def test_what_is_typed_stays_as_it_is(path: Path, odd: str) -> None:
    name = f"Mail {odd}"
    options = ["--monitor", name, "--site-name", name, "--admin-name", name]
    made(path, "--sandbox", *options)
    simulated = run_json("simulate", "--monitor", name, "--config", path)
    assert simulated["steps"][0]["matches"][0]["monitor"] is not None
    assert [mail["fault"] for step in simulated["steps"] for mail in step["mails"]] == [""]


@pytest.mark.parametrize(
    ("name", "made_of_it"),
    [
        ("Jordan Ray", "jordan"),
        ("Zoë", "zoe"),
        ("李", "admin"),
        ("CLI", "admin"),
        ("O'Neil", "o-neil"),
        ("", "admin"),
    ],
)
def test_an_id_is_made_of_the_first_name(name: str, made_of_it: str) -> None:
    assert employee_id(name) == made_of_it


def test_a_secret_with_signs_survives_the_url() -> None:
    assert webhooks_to_paste("http://x/", "a&b c")[0].url.endswith("?secret=a%26b%20c&event=triggered")


def test_passwords_that_are_typed_go_into_files_of_their_own(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_up, "has_terminal", lambda: True)
    typed = "\nmail.acme.example\n\nstatus\nsMtP-hush\nimap.acme.example\n\niMaP-hush\n"
    result = run("init", *WHO, "--config", path, stdin=typed.encode())
    assert result.exit_code == 0, result.output
    assert "hush" not in result.output + path.read_text()
    for name, secret in (("smtp.password", "sMtP-hush\n"), ("imap.password", "iMaP-hush\n")):
        assert (path.parent / name).read_text() == secret
        assert stat.S_IMODE((path.parent / name).stat().st_mode) == 0o600
    mail = YAML(typ="safe").load(path.read_text())["mail"]
    assert mail["from"] == "Acme Status <status@acme.example>"
    assert (mail["smtp"]["username"], mail["imap"]["username"]) == ("status", "status")


def test_an_answer_that_cannot_be_used_is_asked_for_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_up, "has_terminal", lambda: True)
    typed = "Acme\nacme\nhttps://status.acme.example\nBerlin\nEurope/Berlin\nJordan\njordan\njordan@acme.example\n\n"
    typed += "y\nmail.acme.example:587\nlocalhost\nAcme\n\n\nno\n\n"
    result = run("init", "--config", path, stdin=typed.encode())
    assert result.exit_code == 0, result.output
    for refused in (
        "`acme` must be an address",
        "`Berlin` is not a time zone",
        "`jordan` is not an e-mail address",
        "`y` is no server: write its name, or nothing where there is none",
        "`mail.acme.example:587` has a port in it",
        "`Acme` is not an e-mail",
        "`no` is no server",
    ):
        assert f"Error: {refused}" in result.stderr
    tree = YAML(typ="safe").load(path.read_text())
    assert tree["site"]["url"] == "https://status.acme.example"
    assert tree["site"]["timezone"] == "Europe/Berlin"
    assert tree["employees"][0]["email"] == "jordan@acme.example"
    assert tree["mail"]["from"] == "Acme <status@acme.example>"


def test_the_sandbox_is_for_this_machine_so_another_address_is_asked_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_up, "has_terminal", lambda: True)
    typed = "\n\nhttps://elsewhere.example\n\n"  # the time zone, no relay, two addresses
    result = run("init", *WHO, *PUBLIC, "--config", path, stdin=typed.encode())
    assert result.exit_code == 0, result.output
    assert "so it is for this machine only, and https://status.acme.example is not" in result.stderr
    assert "Error: `https://elsewhere.example` leads here from other machines" in result.stderr
    assert YAML(typ="safe").load(path.read_text())["site"]["url"] == "http://127.0.0.1:8080"


def test_readers_are_shown_the_component_and_never_a_pattern(path: Path) -> None:
    made(path, "--sandbox", "--monitor", "mail-*", "--component", "Email")
    tree = YAML(typ="safe").load(path.read_text())
    [monitor] = tree["monitors"]
    assert (monitor["alert_name"], monitor["affected_components"]) == ("mail-*", ["Email"])
    assert (monitor["subject"], monitor["closing_comment"]) == ("Email is unavailable", "Email works again.")
    assert tree["components"] == [{"name": "Email"}]


def test_of_a_pattern_it_is_asked_which_component_it_is_about(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_up, "has_terminal", lambda: True)
    options = [*WHO, "--monitor", "mail-*", "--sandbox"]
    result = run("init", *options, "--config", path, stdin=b"\n\nEmail\n")
    assert result.exit_code == 0, result.output
    assert "Which component is it about, as the page shows it?" in result.stderr
    assert 'subject: "Email is unavailable"' in path.read_text()


def test_the_machine_s_time_zone_is_offered_on_a_terminal_and_taken_nowhere_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    made(path, "--sandbox")
    assert YAML(typ="safe").load(path.read_text())["site"]["timezone"] == "UTC"
    monkeypatch.setattr(setting_up, "has_terminal", lambda: True)
    result = run("init", *WHO, "--sandbox", "--force", "--config", path, stdin=b"\n")
    assert "In which time zone are times shown? [Asia/Tokyo]" in result.stderr
    assert YAML(typ="safe").load(path.read_text())["site"]["timezone"] == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("tz", "linked", "zone"),
    [
        ("Europe/Paris", "/usr/share/zoneinfo/Europe/Berlin", "Europe/Paris"),
        (":/usr/share/zoneinfo/Europe/Paris", "", "Europe/Paris"),
        ("", "/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        ("", "../var/db/timezone/zoneinfo/America/New_York", "America/New_York"),
        ("CET-1CEST", "/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        ("", "/somewhere/else", "UTC"),
        ("", "", "UTC"),
    ],
)
def test_the_machine_s_time_zone_is_that_of_tz_or_of_its_local_time(
    tmp_path: Path, tz: str, linked: str, zone: str
) -> None:
    local_time = tmp_path / "localtime"
    if linked:
        local_time.symlink_to(linked)
    assert machine_zone({"TZ": tz}, local_time) == zone


@pytest.mark.parametrize(
    ("url", "option"),
    [
        ("http://127.0.0.1:21091", " --port 21091"),
        ("http://localhost:8080", ""),
        ("http://localhost", ""),
    ],
)
def test_the_next_command_listens_where_the_address_leads(path: Path, url: str, option: str) -> None:
    told = made(path, "--sandbox", "--url", url)
    assert told["next"] == f"replycast serve --config {path}{option}"


def test_behind_a_proxy_the_port_of_the_address_is_not_that_of_the_service(path: Path) -> None:
    options = ["--url", "https://status.acme.example:8443", "--from", "s@acme.example", "--smtp-host", "mx"]
    assert made(path, *options)["next"] == f"replycast serve --config {path}"


def test_on_a_terminal_it_asks(path: Path) -> None:
    typed = "\nhttp://127.0.0.1:8080\n\nJordan Ray\njordan@acme.example\nEmail Server\n\n"
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "service", "init", "--config", str(path)],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        ) as process:
            os.write(ours, typed.encode())
            out, asked = process.communicate(timeout=PATIENCE)
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == 0, out + asked
    assert "What is the status page called? [Acme Status]" in asked
    assert re.search(
        r"^  To +http://127\.0\.0\.1:8080/webhook/victorops\?secret=\S+&event=resolved$", out, re.MULTILINE
    )
    assert "Without a `mail` section" in path.read_text()
