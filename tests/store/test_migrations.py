"""The migrations make exactly the tables of schema.py, and unmake them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from service.store import credentials
from service.store.columns import metadata
from service.store.database import NEWEST, SchemaUnknown, Store, is_migrated, migrate, open_store
from service.store.migrating import alembic_config
from tests.store.databases import migrated_sqlite


def objects(store: Store) -> set[str]:
    """Give the tables of SQLite with columns and constraints, and the indexes with their conditions."""
    with store.reading() as connection:
        indexes = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'index'")
        found = {re.sub(r"\s+", " ", str(sql)) for (sql,) in indexes}
        seen = inspect(connection)
        for table in seen.get_table_names():
            rules = (seen.get_check_constraints, seen.get_foreign_keys, seen.get_unique_constraints)
            parts = [*seen.get_columns(table), *(part for rule in rules for part in rule(table))]
            found |= {f"{table}: {part}" for part in parts}
    return {one for one in found if not one.startswith("alembic_version")}


def test_the_migrations_give_the_schema(store: Store) -> None:
    with store.transaction() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrations_give_every_default_rule_and_condition(sqlite: Store, tmp_path: Path) -> None:
    by_schema = Store(create_engine(f"sqlite:///{tmp_path / 'schema.db'}"))
    metadata.create_all(by_schema.engine)
    made = objects(by_schema)
    by_schema.close()
    assert made == objects(sqlite)


def test_downgrading_leaves_no_table(store: Store) -> None:
    with store.transaction() as connection:
        command.downgrade(alembic_config(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]


def test_down_and_up_again_gives_the_same(sqlite: Store) -> None:
    before = objects(sqlite)
    with sqlite.transaction() as connection:
        command.downgrade(alembic_config(connection), "base")
    migrate(sqlite)
    assert objects(sqlite) == before


def test_migrating_twice_is_harmless(store: Store) -> None:
    with store.transaction() as connection:
        credentials.instance_value(connection, "instance_id", "seven")
    migrate(store)
    with store.transaction() as connection:
        assert credentials.instance_value(connection, "instance_id", "another") == "seven"


def test_what_a_newer_version_wrote_is_left_alone(store: Store, url: str) -> None:
    with store.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaUnknown, match="written by a newer version"):
        open_store(url)


def test_the_last_migration_is_the_one_that_is_looked_for(store: Store) -> None:
    with store.reading() as connection:
        config = alembic_config(connection)
        assert is_migrated(connection)
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]


def test_a_database_that_is_up_to_date_needs_nothing_of_alembic(sqlite_file: Path) -> None:
    sqlite_file.write_bytes(migrated_sqlite())
    opening = (
        "import sys; from service.store.database import open_store; "
        f"open_store('sqlite:///{sqlite_file}').close(); print('alembic' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", opening], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"
