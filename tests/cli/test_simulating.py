"""`replycast simulate` and `replycast advise`, as a person and as a script reads them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.cli.house import house_of
from service.cli.options import load_or_exit
from service.store import inbox_rows
from service.store.inbox_rows import Arrival, Door
from tests.cli.running import run, run_json, write_config

GENERIC = """\
webhooks:
  generic: {secret: s, each: post.checks, monitor_name: name, state: is}
"""
FIRING = b'{monitorName: "Email Server", state: "CRITICAL", entityId: "mx1"}'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path)


def test_a_name_and_a_state_are_simulated(config: Path) -> None:
    said = run_json(
        "simulate",
        "--config",
        config,
        "--monitor",
        "Email Server",
        "--recovered-after",
        "30m",
        "--publish-after",
        "3m",
    )
    steps = said["steps"]
    assert [(step["after"], step["cause"], step["reason"]) for step in steps] == [
        ("0", "post", "opened"),
        ("5m", "timer", "wait_elapsed"),
        ("8m", "reply", "published"),
        ("30m", "post", "auto_closed"),
    ]
    assert steps[0]["matches"] == [
        {"monitor_name": "Email Server", "state": "firing", "monitor": "victorops:Email Server"}
    ]
    assert steps[2]["mails"][-1]["to"] == "subscriber@reader.example"
    assert steps[3]["page"][0]["status"] == "resolved"


def test_payloads_are_taken_from_files_a_minute_apart(config: Path, tmp_path: Path) -> None:
    firing, over = tmp_path / "firing", tmp_path / "over"
    firing.write_bytes(FIRING)
    over.write_bytes(FIRING.replace(b"CRITICAL", b"OK"))
    steps = run_json("simulate", firing, over, "--config", config)["steps"]
    assert [(step["after"], step["reason"]) for step in steps] == [
        ("0", "opened"),
        ("1m", "recovered_within_wait"),
    ]


def test_a_payload_recovers_with_the_id_that_it_fired_with(config: Path) -> None:
    steps = run_json("simulate", "-", "--config", config, "--recovered-after", "2m", stdin=FIRING)["steps"]
    assert steps[-1]["reason"] == "recovered_within_wait"


def test_a_person_reads_the_timeline_and_every_mail(config: Path) -> None:
    said = run("simulate", "--config", config, "--monitor", "Email Server", "--publish-after", "3m").stdout
    lines = said.splitlines()
    assert lines[0] == "       0  Email Server: CRITICAL"
    assert lines[1] == "          `Email Server` (firing) matches the monitor `victorops:Email Server`"
    assert "      8m  Jordan Ray answers `publish`" in lines
    assert "          mail to subscriber@reader.example: [Acme Status] Email is unavailable" in lines
    assert "We are looking into" in said
    assert "          the page: Email is unavailable (investigating)" in lines
    assert lines[-1].endswith("nothing more until then")


def test_what_has_no_effect_says_why(config: Path) -> None:
    said = run("simulate", "--config", config, "--monitor", "Email Sever").stdout
    assert "matches no monitor" in said
    assert "did you mean `Email Server`?" in said


def test_an_unreadable_payload_is_complained_of(config: Path) -> None:
    (step,) = run_json("simulate", "-", "--config", config, stdin=b"{}")["steps"]
    assert step["complaint"] == "monitorName is missing"
    assert "monitorName is missing" in run("simulate", "-", "--config", config, stdin=b"{}").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give either payload files or --monitor NAME"),
        (("-", "--monitor", "x"), "give either payload files or --monitor NAME"),
        (("--monitor", "x", "--publish-after", "3"), "has no unit"),
        (("nowhere.json",), "No such file"),
    ],
)
def test_a_wrong_argument_is_named(config: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run("simulate", "--config", config, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_nothing_is_stored(config: Path, tmp_path: Path) -> None:
    run("simulate", "--config", config, "--monitor", "Email Server")
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_reminders_without_end_are_cut(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    path.write_text(path.read_text().replace("combine_alerts", "remind_every: 1m\n    combine_alerts"))
    said = run("simulate", "--config", path, "--monitor", "Email Server", "--until", "3d").stdout
    assert said.splitlines()[-1].strip() == "it would go on; the rest is left out"


def test_a_mail_in_the_same_words_is_told_whole_once_and_then_in_a_line(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    path.write_text(path.read_text().replace("combine_alerts", "remind_every: 10m\n    combine_alerts"))
    options = ("--config", path, "--monitor", "Email Server", "--until", "40m")

    lines = run("simulate", *options).stdout.splitlines()

    mails = [line.strip() for line in lines if line.strip().startswith("mail to jordan@")]
    assert mails == [
        "mail to jordan@acme.example: [INC-1] Email is unavailable",
        "mail to jordan@acme.example: [INC-1] Email is unavailable",
        "mail to jordan@acme.example: as before, at 15m",
        "mail to jordan@acme.example: as before, at 15m",
    ]
    whole = [line for line in lines if line.strip() == "| Hello Jordan Ray,"]
    assert len(whole) == 2, "that it asks, and that it asks again"
    told = [mail["text"] for step in run_json("simulate", *options)["steps"] for mail in step["mails"]]
    assert len([text for text in told if "Hello Jordan Ray," in text]) == 4


def test_advice_is_given_of_each_monitor(config: Path) -> None:
    said = run("advise", "--config", config)
    assert said.stdout.splitlines() == [
        "victorops:Email Server: fired 0, resolved 0, published 0 in 30 days",
        "  Nothing has fired yet, so there is nothing to learn from.",
    ]
    (monitor,) = run_json("advise", "--config", config)["monitors"]
    assert (monitor["monitor"], monitor["wait_time"], monitor["suggested_wait_time"]) == (
        "victorops:Email Server",
        "5m",
        None,
    )
    assert list(monitor["spared"]) == ["0", "1m", "2m", "5m", "10m", "15m", "30m"]


def test_a_recorded_day_is_simulated_under_the_present_configuration(config: Path) -> None:
    day = datetime(2026, 11, 23, 12, tzinfo=UTC)
    with house_of(load_or_exit(config)) as house, house.store.transaction() as connection:
        arrivals = [Arrival(Door.WEBHOOK, day, FIRING, provider="victorops")]
        inbox_rows.add_many(connection, arrivals)
    asked = "simulate", "--config", config, "--recorded", "2026-11-23", "--publish-after", "3m"
    said = run_json(*asked)
    [incident] = said["incidents"]
    assert (said["posts"], incident["monitor"], incident["phase"]) == (
        1,
        "victorops:Email Server",
        "published",
    )
    assert incident["is_told_to_subscribers"] is True
    text = run(*asked).stdout
    assert "1 posts were received" not in text
    assert "1 post was received" in text
    assert "INC-1" in text
    assert "victorops:Email Server, published 23 Nov, 13:08; " in text


def test_what_is_lost_of_a_recorded_day_is_told_with_whose_it_was(config: Path) -> None:
    config.write_text(config.read_text() + GENERIC)
    day = datetime(2026, 11, 23, 12, tzinfo=UTC)
    checks = (
        b'{"checks": [{"name": "Email Server", "is": "down"}]}',
        b'{"checks": [{"name": "Toaster", "is": "down"}, {"name": "b", "is": "??"}]}',
    )
    with house_of(load_or_exit(config)) as house, house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, day, body, "generic") for body in checks])
    asked = "simulate", "--config", config, "--recorded", "2026-11-23"
    said = run_json(*asked)
    assert (said["unmatched"], said["partly_unreadable"]) == (["Email Server", "Toaster"], 1)
    elsewhere = (
        "! `Email Server` is a monitor of victorops, and this came from generic: "
        "set `provider: generic` in a monitor of that name."
    )
    assert [line for line in run(*asked).stdout.splitlines() if line.startswith("!")] == [
        elsewhere,
        "! `Toaster` was received from generic, and no monitor takes it.",
        "! of 1 post a part could not be read",
    ]


def test_a_simulated_post_says_what_of_it_cannot_be_read(config: Path) -> None:
    config.write_text(config.read_text() + GENERIC)
    body = b'{"checks": [{"name": "Toaster", "is": "down"}, {"name": "b", "is": "??"}]}'
    asked = "simulate", "-", "--config", config, "--provider", "generic"
    [step] = run_json(*asked, stdin=body)["steps"]
    assert (step["given"], step["reason"], step["complaint"]) == ("Toaster: down", "no_monitor", "")
    assert step["lost"].startswith("alert 2 cannot be read")
    assert "a part of it cannot be read: alert 2 cannot be read" in run(*asked, stdin=body).stdout


@pytest.mark.parametrize(
    ("bad", "said"), [(1, "! 1 post could not be read"), (2, "! 2 posts could not be read")]
)
def test_what_could_not_be_read_on_that_day_is_counted(config: Path, bad: int, said: str) -> None:
    day = datetime(2026, 11, 23, 12, tzinfo=UTC)
    with house_of(load_or_exit(config)) as house, house.store.transaction() as connection:
        inbox_rows.add_many(connection, [Arrival(Door.WEBHOOK, day, b"{", provider="victorops")] * bad)
    assert said in run("simulate", "--config", config, "--recorded", "2026-11-23").stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recorded", "yesterday"], "`yesterday` is no day: write it as 2026-11-23"),
        (["--recorded", "2026-11-23", "--monitor", "Email Server"], "--recorded goes with --until"),
    ],
)
def test_a_day_that_cannot_be_simulated_is_refused(config: Path, arguments: list[str], said: str) -> None:
    answer = run("simulate", "--config", config, *arguments)
    assert (answer.exit_code, said in answer.stderr) == (2, True)
