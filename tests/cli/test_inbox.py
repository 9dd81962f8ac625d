"""The inbox at the command line: what arrived, as it was received, and letting it count once more."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.cli import inbox
from service.store import audit
from tests.cli.running import run, run_json, write_config
from tests.rooms import CONFIG, Clock
from tests.stories.world import JORDAN, make_world

pytestmark = pytest.mark.anyio

ODD = b'{monitorName: "Email Server", state: \xff\x00'


@pytest.fixture(autouse=True)
def _on_the_clock(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Let the commands go by the clock of the test."""
    monkeypatch.setattr(inbox, "wall_clock", clock)


def listed(config: Path, *options: str) -> list[dict[str, Any]]:
    result = run("inbox", "list", "--json", *options, "--config", config)
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


async def test_what_arrived_is_listed_and_found(tmp_path: Path, clock: Clock) -> None:
    config = write_config(tmp_path)
    assert run("inbox", "list", "--config", config).stdout == "nothing of this kind has arrived\n"
    async with make_world(tmp_path, clock) as world:
        await world.fire()
        await world.fire("Emial Server")
        await world.post(ODD)
        assert [one["id"] for one in listed(config)] == [3, 2, 1]
        assert [one["id"] for one in listed(config, "--search", "emial")] == [2]
        assert [one["id"] for one in listed(config, "--reason", "unreadable")] == [3]
        assert [one["id"] for one in listed(config, "--door", "mail")] == []
        line = run("inbox", "list", "--limit", "1", "--config", config).stdout
        assert line.startswith("#3  2026-11-24 13:00:00 CET  victorops  refused (unreadable): ")


async def test_one_is_given_byte_by_byte(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await world.post(ODD)
        config = write_config(tmp_path)
        assert run("inbox", "show", "1", "--raw", "--config", config).stdout_bytes == ODD
        shown = run("inbox", "show", "1", "--config", config).stdout
        assert "\x00" not in shown
        assert "content_type" in shown
        missing = run("inbox", "show", "9", "--config", config)
        assert (missing.exit_code, missing.stderr) == (
            1,
            "replycast: nothing in the inbox has the number 9\n",
        )


async def test_a_sender_s_address_stands_in_no_list(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await world.fire()
        await world.after(minutes=5)
        await world.answer(world.mails(JORDAN)[-1], "what is this?")
        config = write_config(tmp_path)
        said = run("inbox", "list", "--door", "mail", "--config", config).stdout
        assert said.startswith("#2 ")
        assert JORDAN not in said


async def test_a_replayed_post_counts_as_if_it_came_now(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await world.fire("Calendar Server")
        assert world.incidents() == ()
        config = write_config(tmp_path, CONFIG.replace("Email Server", "Calendar Server"))
        result = run("replay", "1", "--as", "jordan", "--yes", "--config", config)
        assert (result.exit_code, result.stdout) == (0, "#1 counts once more as #2\n")
        with world.service.house.store.reading() as connection:
            acts = [(act.by, act.act, act.note) for act in audit.listed(connection, limit=2)]
        assert acts == [("cli", "ordered_replay", "as jordan"), ("jordan", "post_replayed", "as #2")]


async def test_numbers_are_asked_about_as_a_span_is(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await world.fire("A")
        await world.fire("B")
        config = write_config(tmp_path)
        for typed in (b"n\n", b""):
            refused = run("replay", "1", "--config", config, stdin=typed)
            assert (refused.exit_code, "Replay 1 post for real?" in refused.stderr) == (1, True)
        assert "Replay 2 posts for real?" in run("replay", "1", "2", "--config", config).stderr
        assert len(listed(config)) == 2
        agreed = run("replay", "1", "--config", config, stdin=b"y\n")
        assert agreed.stdout == "#1 counts once more as #3\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay", "abc"], "`abc` cannot be used: write a whole number, 1 or more"),
        (["replay", "0"], "`0` cannot be used: write a whole number, 1 or more"),
        (["inbox", "list", "--limit", "many"], "`many` cannot be used: write a whole number, 1 to 5000"),
        (["serve", "--port", "99999"], "`99999` cannot be used: write a whole number, 0 to 65535"),
    ],
)
async def test_of_a_wrong_number_it_is_said_what_to_write(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, said in result.stderr) == (2, True), result.output


async def test_a_span_is_asked_about_and_repeats_no_repetition(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await world.fire("Old")
        await world.after(hours=3)
        await world.fire("A")
        await world.fire("B")
        config = write_config(tmp_path)
        refused = run("replay", "--since", "2h", "--config", config, stdin=b"n\n")
        assert (refused.exit_code, "Replay 2 posts for real?" in refused.stderr) == (1, True)
        assert len(listed(config)) == 3
        result = run("replay", "--since", "2h", "--yes", "--config", config)
        assert result.stdout == "#2 counts once more as #4\n#3 counts once more as #5\n"
        again = run("replay", "--since", "2h", "--dry", "--config", config)
        assert again.stdout.count("`A` (firing) matches no monitor") == 1


async def test_a_dry_replay_shows_the_mails_and_stores_nothing(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await world.fire()
        await world.after(minutes=1)
        await world.recover()
        config = write_config(tmp_path)
        simulated = run_json("replay", "2", "1", "--dry", "--config", config)
        assert [step["after"] for step in simulated["steps"]] == ["0", "1m"]
        assert "mail to jordan@acme.example" in run("replay", "1", "--dry", "--config", config).stdout
        assert len(listed(config)) == 2


async def test_all_are_replayed_or_none(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await world.fire()
        await world.after(minutes=5)
        await world.answer(world.mails(JORDAN)[-1], "help")
        config = write_config(tmp_path)
        for arguments, said in (
            (["1", "2"], "A mail cannot be replayed"),
            (["1", "--as", "sam"], "Sam Lee may look, but not replay: that is for admins"),
            (["1", "9"], "nothing in the inbox has the number 9"),
            (["2", "--dry"], "a mail cannot be replayed"),
        ):
            result = run("replay", *arguments, "--yes", "--config", config)
            assert (result.exit_code, said in result.stderr) == (1, True), result.output
        assert run("replay", "--config", config).exit_code == 2
        assert run("replay", "1", "--since", "1h", "--config", config).exit_code == 2
        assert len(listed(config)) == 2
