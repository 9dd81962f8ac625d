"""Statements that are handed to the driver as they are behave as SQLAlchemy's own."""

from datetime import timedelta

import pytest
from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.exc import IntegrityError, StatementError

from service.model import Phase
from service.store import incidents
from service.store.database import Store
from service.store.schema import inbox, is_open
from service.store.schema import incidents as table
from service.store.statements import Statement
from tests.store.rows import NOW, add_incident

FIND = Statement(select(table).where(table.c.id == bindparam("wanted")))


def test_a_row_reads_as_sqlalchemy_reads_it(store: Store) -> None:
    with store.transaction() as connection:
        incident = add_incident(connection, due_at=NOW + timedelta(minutes=5))
        (ours,) = FIND.rows(connection, wanted=incident.id)
        theirs = connection.execute(select(table).where(table.c.id == incident.id)).one()
    assert ours._asdict() == theirs._asdict()


def test_nothing_found_is_no_row(store: Store) -> None:
    with store.reading() as connection:
        assert FIND.rows(connection, wanted=4711) == []


def test_words_of_the_statement_itself_need_not_be_given(store: Store) -> None:
    open_of = Statement(
        select(table.c.id).where(table.c.monitor_key == "m:1", is_open).limit(bindparam("most", 0))
    )
    with store.transaction() as connection:
        first = add_incident(connection, monitor_key="m:1", phase=Phase.WAITING)
        add_incident(connection, monitor_key="m:1", phase=Phase.CLOSED)
        add_incident(connection, monitor_key="m:2", phase=Phase.WAITING)
        assert [row.id for row in open_of.rows(connection, most=9)] == [first.id]


def test_a_change_is_counted(store: Store) -> None:
    rename = Statement(update(table).where(table.c.id == bindparam("wanted")))
    with store.transaction() as connection:
        incident = add_incident(connection)
        assert rename.run(connection, wanted=incident.id, subject="New") == 1
        assert rename.run(connection, wanted=4711, subject="New") == 0
        read = incidents.get(connection, incident.id)
    assert read is not None
    assert read.subject == "New"


def test_a_broken_rule_is_named_as_sqlalchemy_names_it(store: Store) -> None:
    add = Statement(insert(inbox))
    with store.transaction() as connection, pytest.raises(IntegrityError):
        add.run(connection, door="window", received_at=NOW, raw=b"", about={}, state="pending")


def test_a_fault_shows_no_value(store: Store) -> None:
    with store.transaction() as connection, pytest.raises(StatementError) as caught:
        Statement(update(table)).run(connection, subject="a secret", started_at=NOW.replace(tzinfo=None))
    assert "a secret" not in str(caught.value)


def test_who_listens_hears_of_it(store: Store) -> None:
    heard: list[str] = []
    with store.reading() as connection:
        event.listen(connection, "before_cursor_execute", lambda *given: heard.append(str(given[2])))
        FIND.rows(connection, wanted=1)
    assert len(heard) == 1
