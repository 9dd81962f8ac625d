"""A database of an older version is brought up to date with all that is in it, and on SQLite a copy is kept."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import ColumnElement, inspect, literal_column, select, table, text, update

import service.store.database
from service.errors import StoreUnavailable
from service.model import DeliveryKind
from service.store import credentials, inbox_rows
from service.store.database import Store, open_store
from service.store.inbox_rows import Arrival, Door
from service.store.migrating import alembic_config
from service.store.schema import deliveries
from tests.store.rows import NOW, a_mail, add_incident, add_subscriber, add_update, queued

REVISIONS = [
    one.revision
    for one in ScriptDirectory(
        str(Path(service.store.database.__file__).parent / "migrations")
    ).walk_revisions()
]
OLDER = REVISIONS[1:]
EVERYTHING: ColumnElement[object] = literal_column("*")
POST = Arrival(Door.WEBHOOK, NOW, b'{"monitorName": "Email Server"}')


def age(store: Store, revision: str) -> None:
    """Make a database one of an older version, with a post, an incident, a subscriber and mails in it."""
    with store.transaction() as connection:
        inbox_rows.add_many(connection, [POST])
        incident = add_incident(connection)
        update_id = add_update(connection, incident)
        ana = add_subscriber(connection, "ana")
        queued(
            connection,
            a_mail("asked", kind=DeliveryKind.APPROVAL, incident_id=incident.id, employee_id="sam"),
            a_mail("told", update_id=update_id, subscriber_id=ana.id, incident_id=incident.id),
        )
        credentials.instance_value(connection, "instance_id", "seven")
        command.downgrade(alembic_config(connection), revision)


def contents(store: Store) -> dict[str, list[dict[str, object]]]:
    """Give what is in each table."""
    with store.reading() as connection:
        tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
        return {
            name: [
                dict(row)
                for row in connection.execute(
                    select(EVERYTHING).select_from(table(name)).order_by(text("1"))
                ).mappings()
            ]
            for name in tables
        }


def copies(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.before-upgrade-from-*"))


@pytest.mark.parametrize("revision", OLDER)
def test_what_is_in_an_older_database_is_there_after_the_upgrade(
    store: Store, url: str, revision: str
) -> None:
    age(store, revision)
    before = contents(store)
    assert sum(1 for rows in before.values() if rows) >= 4
    upgraded = open_store(url)
    after = contents(upgraded)
    upgraded.close()
    for name, rows in before.items():
        assert [{name: row[name] for name in old} for old, row in zip(rows, after[name], strict=True)] == rows


@pytest.mark.parametrize("revision", OLDER)
def test_a_copy_of_the_older_database_is_kept(sqlite: Store, tmp_path: Path, revision: str) -> None:
    age(sqlite, revision)
    file = Path(str(sqlite.engine.url.database))
    open_store(f"sqlite:///{file}").close()
    [copy] = copies(file.parent)
    assert copy.name == f"{file.name}.before-upgrade-from-{revision}"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchall() == [(revision,)]
        assert kept.execute("SELECT raw FROM inbox").fetchall() == [(POST.raw,)]
        assert kept.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_name_of_a_copy_outlives_a_power_cut(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    age(sqlite, OLDER[0])
    file = Path(str(sqlite.engine.url.database))
    there_when_synced: list[bool] = []

    def fsync(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink() == file.parent:
            there_when_synced.append(len(copies(file.parent)) == 1)

    monkeypatch.setattr("os.fsync", fsync)
    open_store(f"sqlite:///{file}").close()
    assert there_when_synced == [True]


def test_of_a_new_database_and_of_one_that_is_up_to_date_no_copy_is_kept(sqlite: Store) -> None:
    file = Path(str(sqlite.engine.url.database))
    open_store(f"sqlite:///{file}").close()
    assert copies(file.parent) == []


def test_a_copy_of_an_earlier_try_is_replaced(sqlite: Store) -> None:
    age(sqlite, OLDER[0])
    file = Path(str(sqlite.engine.url.database))
    copy = file.with_name(f"{file.name}.before-upgrade-from-{OLDER[0]}")
    copy.write_bytes(b"half of it")
    open_store(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("SELECT raw FROM inbox").fetchall() == [(POST.raw,)]


def test_where_no_copy_can_be_kept_nothing_is_upgraded(sqlite: Store) -> None:
    age(sqlite, OLDER[0])
    file = Path(str(sqlite.engine.url.database))
    in_its_place = file.with_name(f"{file.name}.before-upgrade-from-{OLDER[0]}")
    in_its_place.mkdir()
    with pytest.raises(StoreUnavailable, match="not upgraded, for no copy of it can be kept"):
        open_store(f"sqlite:///{file}")
    with sqlite.reading() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    assert found == OLDER[0]
    assert not list(file.parent.glob("*.part"))


def test_what_an_older_version_left_in_doubt_may_have_arrived(store: Store, url: str) -> None:
    with store.transaction() as connection:
        given: dict[str, dict[str, object]] = {
            "claimed": {},
            "waits": {"attempts": 0},
            "refused": {"last_error": "451"},
            "sent": {"due_at": None},
        }
        mails = dict(zip(given, queued(connection, *map(a_mail, given)), strict=True))
        for name, mail in mails.items():
            one = update(deliveries).where(deliveries.c.id == mail.id)
            connection.execute(one.values({"attempts": 1, **given[name]}))
        command.downgrade(alembic_config(connection), "0004")
    upgraded = open_store(url)
    with upgraded.reading() as connection:
        doubted = select(deliveries.c.id).where(deliveries.c.may_have_arrived_at.is_not(None))
        assert connection.execute(doubted).scalars().all() == [mails["claimed"].id]
    upgraded.close()
