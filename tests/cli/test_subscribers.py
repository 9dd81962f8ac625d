"""Subscribers and deliveries at the command line."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from service.store import progress
from service.store.database import open_store
from tests.cli.running import ON_THIS_MACHINE, run, run_json, write_config
from tests.store.rows import add_incident, add_update

LIST = "Email,Components,Groups\nana@reader.example,API,Staff\nben@reader.example,,\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Give a config.yaml whose database is beside it."""
    return write_config(tmp_path)


def imported(config: Path, text: str = LIST) -> None:
    """Import a list of people who agreed."""
    path = config.parent / "list.csv"
    path.write_text(text)
    run_json("subscribers", "import", path, "--have-agreed", "--config", config)


def test_what_is_imported_is_listed_and_exported(config: Path) -> None:
    imported(config)
    listed = run_json("subscribers", "list", "--search", "ana", "--config", config)
    assert listed["counts"] == {"confirmed": 2, "pending": 0, "unsubscribed": 0, "suppressed": 0}
    assert [(one["address"], one["components"]) for one in listed["subscribers"]] == [
        ("ana@reader.example", ["API"])
    ]
    exported = run("subscribers", "export", "--config", config)
    assert exported.stdout.splitlines()[1:] == ["ana@reader.example,,API,Staff,,", "ben@reader.example,,,,,"]
    assert "2 subscribed, 0 asked to confirm" in run("subscribers", "list", "--config", config).stdout


def test_an_import_tells_whom_it_left_out_and_which_groups_nobody_names(config: Path) -> None:
    path = config.parent / "list.csv"
    path.write_text(LIST)
    result = run("subscribers", "import", path, "--have-agreed", "--config", config)
    assert result.stdout.splitlines() == [
        "2 added, 0 changed",
        "no monitor has this group as its audience: Staff",
    ]


def test_a_bad_file_is_refused_whole_with_every_line(config: Path) -> None:
    path = config.parent / "list.csv"
    path.write_text(LIST + "x,,\ny,,\n")
    result = run("subscribers", "import", path, "--config", config)
    assert result.exit_code == 2
    assert [line.partition("list.csv: ")[2][:6] for line in result.stderr.splitlines()[:2]] == [
        "line 4",
        "line 5",
    ]
    assert "nothing was imported" in result.stderr
    assert run_json("subscribers", "list", "--config", config)["subscribers"] == []


def test_a_webhook_is_added_with_the_key_that_proves_its_calls(config: Path) -> None:
    added = run_json(
        "subscribers",
        "add-webhook",
        "https://ops.acme.example/hook",
        "--component",
        "API",
        "--config",
        config,
    )
    assert (added["channel"], added["components"]) == ("webhook", ["API"])
    assert added["signing_key"].startswith("whsec_")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add-webhook", "ftp://x"), "must begin with https://"),
        (("add-webhook", "http://127.0.0.1/x"), "`http://127.0.0.1/x` is at an address of our own network"),
        (("add", "http://localhost/x"), "`subscribers.private_webhooks`"),
        (("add", "tést@exämple.org"), "we cannot write to this address"),
        (("add-webhook", "https://x.example/", "--component", "Fax"), "no component `Fax`"),
        (("import", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_what_cannot_be_done_is_said(config: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run("subscribers", *arguments, "--config", config)
    assert result.exit_code == 2
    assert said in result.stderr


def test_deliveries_of_nothing_are_an_empty_table(config: Path) -> None:
    assert json.loads(run("deliveries", "--json", "--config", config).stdout) == []
    assert "time left" in run("deliveries", "--watch", "--config", config).stdout


def test_deliveries_that_were_called_off_are_told_apart(config: Path) -> None:
    store = open_store(f"sqlite:///{config.parent}/replycast.db")
    with closing(store), store.transaction() as connection:
        told = add_update(connection, add_incident(connection))
        progress.count(connection, told, queued=10, sent=1, failed=2, cancelled=7)
    head, row, *_ = run("deliveries", "--config", config).stdout.splitlines()
    assert "failed  not sent" in head
    assert row.split()[3:7] == ["1", "0", "2", "7"]


def test_an_address_is_added_by_hand(config: Path) -> None:
    result = run("subscribers", "add", "ana@reader.example", "--group", "Staff", "--config", config)
    assert result.stdout.splitlines()[0] == "1  ana@reader.example  email  pending  all components"
    options = ("--component", "API", "--have-agreed", "--config", config)
    added = run_json("subscribers", "add", "ben@reader.example", *options)
    assert (added["state"], added["components"]) == ("confirmed", ["API"])
    assert "signing_key" not in added
    hook = run("subscribers", "add", "https://ops.acme.example/x", "--config", config).stdout
    assert "signing key: whsec_" in hook


@pytest.mark.parametrize(
    "added", [("add", "ana@reader.example"), ("add-webhook", "https://ops.acme.example/x")]
)
def test_a_group_that_no_monitor_names_is_told_when_somebody_is_added_to_it(
    tmp_path: Path, added: tuple[str, str]
) -> None:
    config = write_config(
        tmp_path, ON_THIS_MACHINE.replace("wait_time: 5m", "wait_time: 5m\n    audience: [Staff]")
    )
    groups = ("--group", "Nope", "--group", "Staff", "--config", config)
    said = run("subscribers", *added, *groups).stdout
    assert [line for line in said.splitlines() if "no monitor" in line] == [
        "no monitor has this group as its audience: Nope"
    ]
    other = added[1].replace("ana", "ben").replace("/x", "/y")
    assert run_json("subscribers", added[0], other, *groups)["unheard_groups"] == ["Nope"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["ana"], 2, "this is not an e-mail address: an e-mail address must have an @-sign."),
        (["ftp://x.example"], 2, "must begin with https://"),
        (["ana@reader.example", "--component", "Nothing"], 2, "no component `Nothing`"),
        (["ben@reader.example"], 1, "is subscribed already"),
    ],
)
def test_what_cannot_be_added_by_hand_changes_nothing(
    config: Path, arguments: list[str], code: int, said: str
) -> None:
    imported(config)
    result = run("subscribers", "add", *arguments, "--config", config)
    assert (result.exit_code, said in result.stderr) == (code, True), result.output
    assert run_json("subscribers", "list", "--config", config)["counts"]["confirmed"] == 2
