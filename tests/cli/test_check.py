"""`replycast check`: right or every fault at once, for a person and for a script."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from service.cli import checking, options
from service.errors import MachineExhausted
from service.store.database import open_store
from tests.cli.running import ON_THIS_MACHINE, run, run_json, write_config
from tests.rooms import CONFIG, Clock
from tests.store import postgres
from tests.store.databases import needs_postgresql
from tests.stories.world import make_world

FAULTY = ON_THIS_MACHINE.replace("role: viewer", "role: boss").replace(
    "notify_employees: [jordan", "notify_employees: [nora"
)


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    return write_config(tmp_path, FAULTY)


def test_a_right_file_is_said_to_be_right(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    result = run("check", "--config", path)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == f"{path}: right; 1 monitor, 3 employees"


def test_a_right_file_is_ok_in_json(tmp_path: Path) -> None:
    said = run_json("check", "--config", write_config(tmp_path))
    assert (said["ok"], said["faults"]) == (True, [])


def test_every_fault_is_named_with_its_place(faulty: Path) -> None:
    result = run("check", "--config", faulty)
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    for line, word in zip(lines, ("boss", "nora"), strict=True):
        assert re.match(rf"{re.escape(str(faulty))}:\d+:\d+: ", line)
        assert word in line


def test_what_serve_refuses_is_a_fault_at_its_place_and_the_same_one(tmp_path: Path) -> None:
    path = write_config(tmp_path, CONFIG)
    checked = run("check", "--config", path)
    served = run("serve", "--config", path)
    assert (checked.exit_code, served.exit_code) == (2, 2)
    assert re.fullmatch(
        rf"{re.escape(str(path))}:2:32: without `mail` in config\.yaml the mail sandbox is on, .*\n",
        checked.stdout,
    )
    assert served.stderr == checked.stdout


def test_what_serve_refuses_is_told_with_every_other_fault(tmp_path: Path) -> None:
    path = write_config(tmp_path, CONFIG.replace("role: viewer", "role: boss"))
    lines = run("check", "--config", path).stdout.splitlines()
    assert ["sandbox" in lines[0], "boss" in lines[1], len(lines)] == [True, True, 2]


def test_who_only_looks_may_have_a_public_address_without_a_mail_server(tmp_path: Path) -> None:
    path = write_config(tmp_path, CONFIG)
    assert run("incidents", "list", "--config", path).exit_code == 0


def test_every_fault_is_in_the_json_too(faulty: Path) -> None:
    result = run("check", "--config", faulty, "--json")
    assert result.exit_code == 2
    said = json.loads(result.stdout)
    assert said["ok"] is False
    assert [sorted(fault) for fault in said["faults"]] == [["column", "file", "line", "text"]] * 2


def test_a_warning_is_shown_and_is_no_fault(tmp_path: Path) -> None:
    path = write_config(tmp_path, ON_THIS_MACHINE.replace('    closing_comment: "Email works again."\n', ""))
    result = run("check", "--config", path)
    assert result.exit_code == 0
    assert "(warning)" in result.stdout
    assert run_json("check", "--config", path)["warnings"]


@pytest.mark.parametrize("command", ["check", "serve", "explain-webhook victorops"])
def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path, command: str) -> None:
    missing = tmp_path / "missing.yaml"
    result = run(*command.split(), "--config", missing)
    assert result.exit_code == 2
    assert str(missing) in result.output


def test_the_example_is_right() -> None:
    assert run("check", "--config", Path(__file__).parents[2] / "config.yaml").exit_code == 0


def test_strict_takes_warnings_for_faults(tmp_path: Path) -> None:
    right = write_config(tmp_path)
    assert run("check", "--strict", "--config", right).exit_code == 0
    warned = write_config(
        tmp_path, ON_THIS_MACHINE.replace('    closing_comment: "Email works again."\n', "")
    )
    result = run("check", "--strict", "--json", "--config", warned)
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (2, True)


def test_what_strict_refuses_is_not_said_to_be_right(tmp_path: Path) -> None:
    text = ON_THIS_MACHINE.replace('    closing_comment: "Email works again."\n', "")
    path = write_config(tmp_path, text)

    result = run("check", "--strict", "--config", path)

    last = f"{path}: not right with --strict: 1 warning; 1 monitor, 3 employees"
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (2, last)


def test_a_monitor_that_publishes_by_itself_and_tells_nobody_is_warned_of(tmp_path: Path) -> None:
    text = ON_THIS_MACHINE.replace("auto_publish: false", "auto_publish: true")
    path = write_config(tmp_path, text.replace("    notify_employees: [jordan, sam]\n", ""))
    [warning] = run_json("check", "--config", path)["warnings"]
    assert "no employee hears of it" in warning["text"]


def test_a_template_that_would_read_since_nothing_is_refused(tmp_path: Path) -> None:
    path = write_config(tmp_path, ON_THIS_MACHINE.replace("alert.monitor_name", "incident.starts_at"))
    result = run("check", "--config", path)
    assert result.exit_code == 2
    said = "the template uses `incident.starts_at`, which does not exist, did you mean `started_at`?"
    assert re.fullmatch(rf"{re.escape(str(path))}:\d+:\d+: {re.escape(said)}\n", result.stdout)


def test_strict_refuses_a_company_without_an_admin(tmp_path: Path) -> None:
    path = write_config(tmp_path, ON_THIS_MACHINE.replace("role: admin", "role: publisher"))
    assert run("check", "--config", path).exit_code == 0
    result = run("check", "--strict", "--config", path)
    assert (result.exit_code, "nobody is an admin" in result.stdout) == (2, True)


@pytest.mark.anyio
async def test_what_was_received_teaches_what_is_wrong(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "wall_clock", clock)
    async with make_world(tmp_path, clock) as world:
        await world.fire()
        await world.fire("Emial Server")
        await world.fire("Toaster")
        await world.after(days=2)
    path = write_config(tmp_path)
    said = run_json("check", "--config", path)["warnings"]
    texts = [one["text"] for one in said]
    assert len(texts) == 3
    assert any("never recovered: is the second webhook" in text for text in texts)
    assert any(
        "`Emial Server` was received from victorops, and no monitor takes it: did" in text for text in texts
    )
    assert any(
        "`Toaster` was received from victorops, and no monitor takes it: add one" in text for text in texts
    )
    lines = path.read_text().splitlines()
    assert [lines[one["line"] - 1].strip() for one in said if "second webhook" in one["text"]] == [
        "alert_name: Email Server"
    ]
    assert run_json("check", "--no-database", "--config", path)["warnings"] == []


@pytest.mark.parametrize("command", ["check", "serve", "incidents list"])
def test_a_machine_that_has_run_out_of_something_is_told_as_such(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> None:
        raise MachineExhausted("no file descriptor is left")

    for module in (checking, options):
        monkeypatch.setattr(module, "load", load)
    result = run(*command.split(), "--config", write_config(tmp_path))
    assert (result.exit_code, result.stderr) == (1, "replycast: no file descriptor is left\n")


def test_looking_makes_no_database(tmp_path: Path) -> None:
    assert run("check", "--config", write_config(tmp_path)).exit_code == 0
    assert [one.name for one in tmp_path.iterdir()] == ["config.yaml"]


@needs_postgresql
def test_a_database_of_postgresql_without_tables_is_none_yet(tmp_path: Path) -> None:
    with postgres.server().database(template="template1") as address:
        path = tmp_path / "config.yaml"
        path.write_text(f'database: "{address}"\n{ON_THIS_MACHINE}')
        before = run_json("check", "--config", path)["warnings"]
        assert [one for one in before if "database" in one["text"]] == []
        open_store(address).close()
        assert run_json("check", "--config", path)["warnings"] == before


def test_a_database_that_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    (tmp_path / "replycast.db").write_bytes(b"no database at all, by any means" * 40)
    result = run("check", "--config", path)
    assert (result.exit_code, "what was received so far could not be looked at" in result.stdout) == (0, True)
    (tmp_path / "replycast.db").unlink()
    with closing(sqlite3.connect(tmp_path / "replycast.db")) as other:
        other.execute("CREATE TABLE something (id)")
    assert "could not be looked at" in run("check", "--config", path).stdout


@pytest.mark.anyio
async def test_a_state_that_nobody_knows_is_warned_of_at_its_monitor_and_a_nameless_alert_is_not(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "wall_clock", clock)
    async with make_world(tmp_path, clock) as world:
        for _ in range(3):
            await world.fire(state="HIGH")
        await world.fire("${{ALERT.monitor_name}}")
    path = write_config(tmp_path)
    [warning] = run_json("check", "--config", path)["warnings"]
    assert warning["text"].startswith("`HIGH` was received 3 times and is no state that is known: let the")
    assert path.read_text().splitlines()[warning["line"] - 1].strip() == "alert_name: Email Server"


def test_a_component_that_subscribers_chose_and_that_is_not_there_is_warned_of(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    assert (
        run(
            "subscribers",
            "add",
            "ana@reader.example",
            "--component",
            "Email",
            "--have-agreed",
            "--config",
            path,
        ).exit_code
        == 0
    )
    assert run_json("check", "--config", path)["warnings"] == []
    path.write_text(path.read_text().replace("name: Email,", "name: E-mail,").replace("{Email:", "{E-mail:"))
    [warning] = run_json("check", "--config", path)["warnings"]
    assert warning["text"].startswith("1 subscriber chose `Email`, which is no component: ")
    assert path.read_text().splitlines()[warning["line"] - 1] == "components:"
    assert run_json("check", "--no-database", "--config", path)["warnings"] == []
