"""An upgrade while somebody reads the tables, as pg_dump does: it waits without keeping anybody else waiting."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic import command
from psycopg.rows import scalar_row
from sqlalchemy import func, select
from structlog.testing import capture_logs

from service.store import migrating, postgresql
from service.store.database import is_migrated, open_store
from service.store.migrating import alembic_config
from service.store.patience import PATIENCE
from service.store.schema import joined_alerts
from tests.store.databases import fresh_database, needs_postgresql
from tests.store.rows import add_incident

pytestmark = needs_postgresql

Meanwhile = Callable[[Callable[[int], None]], None]
"""Lets something happen whenever the upgrade waits, with the seconds that it would wait."""
AT_ONCE = "SET LOCAL lock_timeout = 1"
"""Refuses to wait for what another holds."""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Name a database of an older version, with an incident."""
    with fresh_database("postgresql", tmp_path) as made:
        with closing(open_store(made)) as store, store.transaction() as connection:
            add_incident(connection)
            command.downgrade(alembic_config(connection), "0003")
        yield made


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Let something happen whenever the upgrade waits, and nothing take long."""
    monkeypatch.setattr(postgresql, "TABLE_WAIT", 10)

    def meanwhile(happens: Callable[[int], None]) -> None:
        monkeypatch.setattr(migrating, "sleep", happens)

    return meanwhile


def dumping(url: str) -> psycopg.Connection:
    """Read a table as pg_dump does: what it locks stays locked to the end of its transaction."""
    dump = psycopg.connect(url, application_name="pg_dump")
    dump.execute("SELECT 'jordan@acme.example', count(*) FROM joined_alerts")
    return dump


def test_it_is_upgraded_once_nobody_reads_it_and_says_who_did(url: str, waiting: Meanwhile) -> None:
    with dumping(url) as dump:
        waited: list[int] = []

        def end_soon(seconds: int) -> None:
            waited.append(seconds)
            if len(waited) == 2:
                dump.rollback()

        waiting(end_soon)
        pid = dump.info.backend_pid
        with capture_logs() as logs, closing(open_store(url)) as store, store.reading() as connection:
            assert is_migrated(connection)
            assert connection.execute(select(func.count()).select_from(joined_alerts)).scalar_one() == 1
    assert waited == [1, 2]
    told = [(log["log_level"], log["held_by"], log["again_in"]) for log in logs if "held_by" in log]
    assert [(level, again) for level, _, again in told] == [("warning", 1), ("warning", 2)]
    assert all(held_by.startswith(f"pg_dump of postgres (pid {pid}, for 0:00:") for _, held_by, _ in told)
    assert "jordan" not in repr(logs)


def test_it_is_upgraded_likewise_in_a_schema_that_is_oddly_named(tmp_path: Path, waiting: Meanwhile) -> None:
    with fresh_database("postgresql", tmp_path) as made:
        with psycopg.connect(made) as admin:
            admin.execute('CREATE SCHEMA "Our, own"')
            admin.execute(f'ALTER DATABASE {admin.info.dbname} SET search_path = "Our, own"'.encode())
        with closing(open_store(made)) as store, store.transaction() as connection:
            command.downgrade(alembic_config(connection), "0003")
        with dumping(made) as dump:
            waiting(lambda _seconds: dump.rollback())
            with capture_logs() as logs, closing(open_store(made)) as store, store.reading() as connection:
                assert is_migrated(connection)
    assert ["pg_dump" in log["held_by"] for log in logs if "held_by" in log] == [True]


def test_while_it_waits_the_older_version_reads_and_decides_and_nothing_is_changed_yet(
    url: str, waiting: Meanwhile
) -> None:
    found: list[tuple[object, object]] = []
    with dumping(url) as dump, psycopg.connect(url, row_factory=scalar_row) as other:

        def use(_seconds: int) -> None:
            with other.transaction():
                other.execute(AT_ONCE)
                other.execute(f"SELECT pg_advisory_xact_lock({postgresql.WRITERS})")
                other.execute("UPDATE joined_alerts SET times_fired = times_fired + 1")
                count = other.execute("SELECT sum(times_fired) FROM joined_alerts").fetchone()
                version = other.execute("SELECT version_num FROM alembic_version").fetchone()
            found.append((count, version))
            if len(found) == 3:
                dump.rollback()

        waiting(use)
        open_store(url).close()
    assert found == [(2, "0003"), (3, "0003"), (4, "0003")]


def test_who_queues_up_behind_it_waits_for_less_than_until_he_gives_up() -> None:
    assert postgresql.TABLE_WAIT / 1_000 < PATIENCE
