"""Everybody reads what runs, as far as it concerns him; nobody reads a secret."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.actions.house import House
from service.actions.watchdog import Seen
from service.config import parse
from service.store import audit
from service.store.audit import Act
from service.web.dashboard.config_file import read_config_file
from service.web.dashboard.setting_words import MASK, sections_for
from service.web.dashboard.settings import Part, last_backup, parts
from service.web.front import Front
from tests.rooms import CONFIG, Clock
from tests.web.employees import Enter, employee_at

pytestmark = pytest.mark.anyio
HERE = "/dashboard/settings"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECRET = "sesame-open-7f3a"
FULL = f"""
secret_key: {SECRET}-of-the-house-0123456789
database: postgresql://replycast:{SECRET}@db.acme.example/replycast
metrics: {{token: {SECRET}}}
webhooks: {{victorops: {{secret: {SECRET}}}}}
replies: {{words: {{publish: [raus]}}}}
login: {{oidc: {{name: Acme, issuer: "https://id.acme.example", client_id: x, client_secret: {SECRET}}}}}
mail:
  from: status@acme.example
  smtp: {{host: mail.acme.example, security: starttls, username: status, password: {SECRET}}}
  imap: {{host: mail.acme.example, security: tls, username: status, password: {SECRET}}}
"""


async def test_admins_read_all_and_others_what_concerns_them(enter: Enter) -> None:
    async with enter("jordan") as admin, enter("vera") as viewer:
        whole, part = (await admin.get(HERE)).text, (await viewer.get(HERE)).text
    for heading in ("How the parts are", "Webhooks of providers", "Database and secrets", "SQLite"):
        assert heading in whole
        assert heading not in part
    for page in (whole, part):
        assert "Acme Status" in page
        assert "decides and publishes" in page
    assert "sam@acme.example" not in part


@pytest.mark.parametrize("is_admin", [True, False])
def test_no_secret_is_in_any_words(is_admin: bool) -> None:  # noqa: FBT001  parametrised
    config = parse(CONFIG + FULL, Path("config.yaml"), {})
    said = repr(sections_for(config, is_admin=is_admin, has_sandbox=False))
    assert SECRET not in said
    assert (f"/webhook/victorops/{MASK}" in said) is is_admin
    assert ("mail.acme.example:587, STARTTLS, as status" in said) is is_admin
    assert "raus" in said


def test_a_part_that_is_not_well_says_so() -> None:
    an_hour_ago = NOW - timedelta(hours=1)
    seen = Seen(
        decided_at=NOW,
        mailbox_since=an_hour_ago,
        mailbox_read_at=None,
        relay_fails_since=an_hour_ago,
        config_refused_at=an_hour_ago,
    )
    assert list(parts(seen, has_sandbox=False)) == [
        Part("Work", is_well=True, words="looked for what is due", ago=NOW),
        Part("Relay", is_well=False, words="takes no mail for", since=an_hour_ago),
        Part("Mailbox", is_well=False, words="was not read since the start"),
        Part("config.yaml", is_well=False, words="could not be taken over", ago=an_hour_ago),
    ]


async def test_how_long_a_part_is_so_moves_and_says_since_when(front: Front, clock: Clock) -> None:
    at = clock() - timedelta(hours=1)
    seen = Seen(decided_at=at, mailbox_since=at, mailbox_read_at=at, relay_fails_since=at)
    async with employee_at(replace(front, seen=lambda: seen), clock, "jordan") as admin:
        page = (await admin.get(HERE)).text
    stamp = at.isoformat(timespec="seconds")
    time = f'<time datetime="{stamp}" title="{stamp}" data-moves='
    for said in ("looked for what is due", "read to its end"):
        assert f'{said} {time}"from">' in page
    assert f'takes no mail for {time}"for">1 h</time>' in page


def test_a_standby_and_a_sandbox_are_well() -> None:
    assert all(one.is_well for one in parts(Seen(is_standby=True), has_sandbox=True))


def backup_of(age: timedelta) -> Act:
    return Act(1, NOW - age, audit.COMMAND_LINE, audit.BACKUP_MADE, "/var/backups/one.tar.gz", "")


@pytest.mark.parametrize(
    ("backups", "is_well", "said"),
    [
        ([backup_of(timedelta(hours=2))], True, ", into /var/backups/one.tar.gz"),
        ([backup_of(timedelta(days=7))], True, ", into /var/backups/one.tar.gz"),
        ([backup_of(timedelta(days=7, seconds=1))], False, "all since then would be lost"),
        ([], False, "none is known of: `replycast backup FILE` makes one"),
    ],
)
def test_a_backup_that_is_old_or_was_never_made_is_a_note_and_no_fault(
    backups: list[Act],
    is_well: bool,  # noqa: FBT001  parametrised
    said: str,
) -> None:
    found = last_backup(backups, NOW, has_own_tool=False)
    assert (found.is_well, found.is_note) == (is_well, not is_well)
    assert said in f"{found.words}{found.more}"
    assert found.ago == (backups[0].at if backups else None)


def test_of_a_database_with_a_tool_of_its_own_no_backup_is_missed() -> None:
    found = last_backup([], NOW, has_own_tool=True)
    assert found.is_well
    assert "pg_dump" in found.words


async def test_admins_read_when_the_last_backup_was_made(front: Front, clock: Clock) -> None:
    async with employee_at(front, clock, "jordan") as admin, employee_at(front, clock, "sam") as other:
        assert "none is known of: <code>replycast backup FILE</code>" in (await admin.get(HERE)).text
        made_at = clock()
        with front.house.store.transaction() as connection:
            for name in ("older", "newer"):
                audit.note(connection, clock(), audit.COMMAND_LINE, audit.BACKUP_MADE, f"/b/{name}.tar.gz")
        clock.move(timedelta(hours=1))
        page = (await admin.get(HERE)).text
        stamp = made_at.isoformat(timespec="seconds")
        time = f'<time datetime="{stamp}" title="{stamp}" data-moves="from">'
        assert f">well</span> made {time}" in page
        assert "</time>, into /b/newer.tar.gz" in page
        assert "older.tar.gz" not in page
        clock.move(timedelta(days=6, hours=23, seconds=1))
        later = (await admin.get(HERE)).text
        assert f">look at it</span> made {time}" in later
        assert "</time>, into /b/newer.tar.gz: if this machine failed now" in later
        assert "newer.tar.gz" not in (await other.get(HERE)).text
        assert "made a backup" in (await admin.get("/dashboard/audit")).text


def test_a_file_that_serve_would_refuse_is_faulty_here_too(house: House, clock: Clock) -> None:
    house.config.path.write_text(CONFIG)
    faults = read_config_file(house.config, clock(), has_sandbox=True).faults
    assert ["the mail sandbox is on" in one.text for one in faults] == [True]


async def test_a_newer_and_a_faulty_file_are_told(front: Front, clock: Clock) -> None:
    path = front.house.config.path
    path.write_text(CONFIG.replace("Acme Status", "Another Status"))
    async with employee_at(front, clock, "jordan") as browser:
        newer = (await browser.get(HERE)).text
        path.write_text("site: {name: A}\n")
        faulty = (await browser.get(HERE)).text
    assert "newer than what runs: site" in newer
    assert "Acme Status" in newer
    assert "has a fault" in faulty or "faults" in faulty


async def test_a_warning_sets_names_of_settings_as_code(front: Front, clock: Clock) -> None:
    warned = parse(CONFIG.replace('"Email works again."', '""'), front.house.config.path, {})
    assert any("`closing_comment`" in one.text for one in warned.warnings)
    house = replace(front.house, config=warned)
    async with employee_at(replace(front, house=house), clock, "jordan") as browser:
        page = (await browser.get(HERE)).text
    assert "add a <code>closing_comment</code>" in page


async def test_a_line_of_the_file_is_told(front: Front, clock: Clock) -> None:
    front.house.config.path.write_text(CONFIG)
    seen = replace(front, seen=lambda: Seen(config_in_force_at=clock()))
    async with employee_at(seen, clock, "jordan") as browser:
        page = (await browser.get(HERE)).text
    line = next(at for at, text in enumerate(CONFIG.splitlines(), 1) if "id: sam" in text)
    assert f"line {line}</span>" in page.partition("Sam Lee")[2].partition("</div>")[0]
    assert (
        'data-moves="for">under a minute</time>'
        in page.partition("in force for <time")[2].partition("</dd>")[0]
    )


async def test_a_section_without_settings_says_where_they_would_stand(front: Front, clock: Clock) -> None:
    config = replace(front.house.config, components=(), monitors=())
    bare = replace(front, house=replace(front.house, config=config))
    async with employee_at(bare, clock, "vera") as browser:
        page = (await browser.get(HERE)).text
        listed = (await browser.get("/dashboard/components")).text
    assert "nothing stands below <code>components:</code> in config.yaml" in page
    assert "list what your users know by name below <code>components:</code>" in listed
