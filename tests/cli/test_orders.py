"""Ordering at the command line: the same rules as by mail, the same honest refusals."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.cli import incidents, orders
from service.store import audit
from tests.cli.running import run, run_json, write_config
from tests.rooms import CONFIG, Clock
from tests.stories.world import ANA, World, make_world

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _on_the_clock(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Let the commands go by the clock of the test."""
    monkeypatch.setattr(orders, "wall_clock", clock)
    monkeypatch.setattr(incidents, "wall_clock", clock)


async def fired(world: World) -> None:
    """Let an alert fire and its wait time pass."""
    await world.subscribe(ANA)
    await world.fire()
    await world.after(minutes=5)


def listed(config: Path, *options: str) -> list[dict[str, Any]]:
    result = run("incidents", "list", "--json", *options, "--config", config)
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


async def test_what_is_published_here_is_told_by_the_running_service(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await fired(world)
        config = write_config(tmp_path)
        result = run("publish", "INC-1", "--as", "sam", "--config", config, stdin=b"y\n")
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("INC-1 is published")
        await world.after(seconds=1)
        assert "Email is unavailable" in world.mails(ANA)[-1].subject
        assert "Email is unavailable" in await world.page()
        with world.service.house.store.reading() as connection:
            [act] = audit.listed(connection, by=audit.COMMAND_LINE, limit=9)
        assert (act.act, act.about, act.note) == ("ordered_publish", "INC-1", "as sam")


async def test_it_is_asked_before_with_the_number_of_those_who_would_read_it(
    tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock) as world:
        await fired(world)
        config = write_config(tmp_path)
        for typed in (b"n\n", b""):
            result = run("publish", "INC-1", "--config", config, stdin=typed)
            assert result.exit_code == 1
            assert "Publish it to 1 subscriber by mail?" in result.stderr
            assert "We are looking into **Email Server**." in result.stderr
            assert listed(config)[0]["phase"] == "unpublished"


async def test_update_and_close_go_to_those_who_heard_of_it(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await fired(world)
        config = write_config(tmp_path)
        assert run("publish", "1", "--yes", "--config", config).exit_code == 0
        await world.after(seconds=1)
        said = run_json("update", "inc-1", "We found it.", "--status", "identified", "--config", config)
        assert (said["reason"], said["incident"]["published_by"]) == ("update_posted", "cli")
        await world.after(seconds=1)
        assert "We found it." in world.mails(ANA)[-1].text
        assert run("update", "INC-1", "Nearly done.", "--config", config).exit_code == 0
        assert run("close", "INC-1", "--config", config).stdout.startswith("INC-1 is closed")
        await world.after(seconds=1)
        assert "Email works again." in world.mails(ANA)[-1].text
        shown = run_json("incidents", "show", "INC-1", "--config", config)
        assert [one["status"] for one in shown["updates"]] == [
            "investigating",
            "identified",
            "identified",
            "resolved",
        ]


async def test_a_refusal_says_what_had_happened_before(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await fired(world)
        config = write_config(tmp_path)
        early = run("update", "INC-1", "Text", "--config", config)
        assert (early.exit_code, early.stderr) == (
            1,
            "replycast: INC-1 is not published yet: publish it first.\n",
        )
        assert run("discard", "INC-1", "--as", "jordan", "--config", config).exit_code == 0
        late = run("publish", "INC-1", "--yes", "--json", "--config", config)
        assert late.exit_code == 1
        assert json.loads(late.stdout)["is_refusal"] is True
        assert "INC-1 was discarded by Jordan Ray at 13:05 CET" in late.stderr
        await world.after(seconds=1)
        assert world.mails(ANA)[1:] == []


async def test_a_hold_keeps_the_clock_from_deciding(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await fired(world)
        config = write_config(tmp_path)
        result = run("hold", "INC-1", "2h", "--config", config)
        assert (result.exit_code, "INC-1 is held until 15:05 CET" in result.stdout) == (0, True)
        assert run("hold", "INC-1", "0", "--config", config).exit_code == 2


async def test_two_persons_are_persons(tmp_path: Path, clock: Clock) -> None:
    two = CONFIG.replace("wait_time: 5m", "wait_time: 5m\n    approvals: 2")
    async with make_world(tmp_path, clock, two) as world:
        await fired(world)
        config = write_config(tmp_path, two)
        nameless = run("publish", "INC-1", "--yes", "--config", config)
        assert nameless.exit_code == 1
        assert "INC-1 needs 2 employees to say publish: say who you are with --as" in nameless.stderr
        first = run("publish", "INC-1", "--yes", "--as", "sam", "--config", config)
        assert "Your approval of INC-1 is noted; 1 more is needed" in first.stdout
        again = run("publish", "INC-1", "--yes", "--as", "sam", "--config", config)
        assert (again.exit_code, "You approved INC-1 before" in again.stderr) == (1, True)
        assert run("publish", "INC-1", "--yes", "--as", "jordan", "--config", config).exit_code == 0
        assert listed(config)[0]["phase"] == "published"
        late = run("publish", "INC-1", "--yes", "--config", config)
        assert "INC-1 was already published" in late.stderr, "who says so does not matter any more"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["publish", "INC-9", "--yes"], 1, "there is no incident INC-9"),
        (["publish", "the outage"], 2, "`the outage` names no incident: write it as INC-12"),
        (["publish", "INC-1", "--as", "nora", "--yes"], 2, "there are: jordan, sam, vera"),
        (["publish", "INC-1", "--as", "vera", "--yes"], 1, "Vera Moss may look, but not publish"),
        (["update", "INC-1", "  "], 2, "the text is empty"),
        (["update", "INC-1", "x" * 20_001], 2, "the text is too long"),
        (["incidents", "show", "99"], 1, "There is no incident INC-99."),
    ],
)
async def test_what_cannot_be_ordered_is_said_in_a_sentence(
    arguments: list[str], code: int, said: str, tmp_path: Path, clock: Clock
) -> None:
    async with make_world(tmp_path, clock) as world:
        await fired(world)
        config = write_config(tmp_path)
        result = run(*arguments, "--config", config)
        assert (result.exit_code, said in result.stderr) == (code, True), result.output
        assert listed(config)[0]["phase"] == "unpublished"


@pytest.mark.parametrize(
    "command",
    [["incidents", "list"], ["publish", "INC-1", "--yes"], ["close", "INC-1"], ["maintenance", "list"]],
)
async def test_where_config_yaml_is_faulty_it_is_said_where_to_decide_meanwhile(
    command: list[str], tmp_path: Path
) -> None:
    config = write_config(tmp_path, CONFIG.replace("wait_time: 5m", "wait_time: soon"))
    meanwhile = "a running service goes on with the older file: decide on its dashboard, or mend the file"

    result = run(*command, "--config", config)

    assert result.exit_code == 2
    assert "`soon` is not a span" in result.stderr.splitlines()[0]
    assert result.stderr.splitlines()[-1] == f"replycast: {meanwhile}"
    for alone in ("check", "serve"):
        assert meanwhile not in run(alone, "--config", config).output


async def test_what_happens_by_itself_is_said_as_on_the_dashboard(tmp_path: Path, clock: Clock) -> None:
    ladder = "wait_time: 5m\n    escalate: [{after: 10m, notify: [sam]}, {after: 1h, then: discard}]"
    climbing = CONFIG.replace("wait_time: 5m", ladder).replace("[jordan, sam]", "[jordan]")
    async with make_world(tmp_path, clock, climbing) as world:
        await fired(world)
        config = write_config(tmp_path, climbing)
        said = run("incidents", "show", "INC-1", "--config", config).stdout
        assert "\n  next        further employees are asked (Sam Lee) at 2026-11-24 13:15 CET\n" in said
        assert "\n  then        discarded automatically at 2026-11-24 14:05 CET\n" in said
        run("discard", "INC-1", "--config", config)
        assert "  next " not in run("incidents", "show", "INC-1", "--config", config).stdout


async def test_an_incident_is_shown_with_who_did_what(tmp_path: Path, clock: Clock) -> None:
    async with make_world(tmp_path, clock) as world:
        await fired(world)
        config = write_config(tmp_path)
        before = run("incidents", "show", "INC-1", "--config", config).stdout
        assert "needs a decision  Email is unavailable" in before
        assert "what the public would be told\n    | We are looking into **Email Server**." in before
        run("publish", "INC-1", "--yes", "--config", config)
        after = run("incidents", "show", "INC-1", "--config", config).stdout
        assert "It was published (the command line)" in after
        assert "investigating\n    | We are looking into **Email Server**." in after
        assert run("incidents", "list", "--open", "--config", config).stdout.startswith("INC-1 ")
        ended = run("incidents", "list", "--phase", "closed", "--config", config).stdout
        assert ended == "there is no such incident\n"
