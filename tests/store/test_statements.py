"""Statements that are handed to the driver as they are behave as SQLAlchemy's own."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, delete, event, insert, select, update
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


ADD = Statement(insert(inbox))


def arrivals(count: int, first: int = 0) -> list[dict[str, object]]:
    return [
        {
            "door": "webhook",
            "received_at": NOW,
            "raw": b"%d" % number,
            "about": {"n": number},
            "state": "pending",
        }
        for number in range(first, first + count)
    ]


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 200])
def test_each_of_many_rows_gets_its_own_id(sqlite: Store, count: int) -> None:
    with sqlite.transaction() as connection:
        ids = ADD.insert_many(connection, arrivals(count))
        found = connection.execute(select(inbox.c.id, inbox.c.raw).order_by(inbox.c.id)).all()
    assert [(row.id, row.raw) for row in found] == [(each, b"%d" % n) for n, each in enumerate(ids)]


def test_ids_go_on_where_rows_were_deleted_or_taken_back(sqlite: Store) -> None:
    with sqlite.transaction() as connection:
        ids = ADD.insert_many(connection, arrivals(3))
        connection.execute(delete(inbox))
        later = ADD.insert_many(connection, arrivals(3))
    with pytest.raises(IntegrityError), sqlite.transaction() as connection:
        ADD.insert_many(connection, [*arrivals(2), arrivals(1)[0] | {"state": "odd"}])
    with sqlite.transaction() as connection:
        last = ADD.insert_many(connection, arrivals(2))
        found = connection.execute(select(inbox.c.id).order_by(inbox.c.id)).scalars().all()
    assert found == [*later, *last]
    assert set(ids).isdisjoint(found)


def test_many_rows_take_few_statements(sqlite: Store) -> None:
    said: list[str] = []
    event.listen(sqlite.engine, "before_cursor_execute", lambda _c, _cur, text, *_: said.append(text))
    with sqlite.transaction() as connection:
        ADD.insert_many(connection, arrivals(70))
    assert sum(text.startswith("INSERT") for text in said) == 3


COUNT = Statement(update(inbox).where(inbox.c.id == bindparam("of_id"), inbox.c.state == bindparam("was")))


def counted(number: int, attempts: int, explanation: str | None = "why?") -> dict[str, object]:
    return {"of_id": number, "was": "pending", "attempts": attempts, "explanation": explanation}


@pytest.mark.parametrize("are_distinct", [True, False])
@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 200])
def test_each_of_many_rows_is_changed_as_if_it_were_the_only_one(
    store: Store, count: int, *, are_distinct: bool
) -> None:
    with store.transaction() as connection:
        ADD.run_rows(connection, arrivals(count + 1), are_distinct=True)
        ids = connection.execute(select(inbox.c.id).order_by(inbox.c.id)).scalars().all()
        given = [counted(each, 7 * each, f"why? {each}") for each in ids[:count]]
        gone = counted(ids[-1] + 1, 1)
        assert COUNT.run_rows(connection, [*given, gone], are_distinct=are_distinct) == count
        found = connection.execute(select(inbox.c.id, inbox.c.attempts, inbox.c.explanation)).all()
    assert sorted(found) == [*((each, 7 * each, f"why? {each}") for each in ids[:count]), (ids[-1], 0, "")]


def test_a_row_that_is_changed_twice_keeps_the_last_values(store: Store) -> None:
    with store.transaction() as connection:
        ADD.run_rows(connection, arrivals(1), are_distinct=True)
        only = connection.execute(select(inbox.c.id)).scalar_one()
        COUNT.run_rows(connection, [counted(only, 1), counted(only, 2)], are_distinct=False)
        assert connection.execute(select(inbox.c.attempts)).scalar_one() == 2


def test_many_rows_are_changed_by_few_statements_each_row_found_by_its_key(sqlite: Store) -> None:
    said: list[tuple[str, Any]] = []
    event.listen(
        sqlite.engine,
        "before_cursor_execute",
        lambda _c, _cur, text, given, *_: said.append((text, given)),
    )
    with sqlite.transaction() as connection:
        COUNT.run_rows(connection, [counted(number, 1) for number in range(70)], are_distinct=True)
    updates = [one for one in said if one[0].startswith("UPDATE")]
    assert len(updates) == 3
    with sqlite.reading() as connection:
        text, given = updates[0]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given).all()
    assert any("SEARCH inbox USING INTEGER PRIMARY KEY" in step.detail for step in plan)


def test_one_row_gets_its_id_on_each_database(store: Store) -> None:
    with store.transaction() as connection:
        ids = [
            incidents.reserve_id(connection, "m:1", NOW),
            incidents.reserve_id(connection, "m:2", NOW),
        ]
        found = connection.execute(select(table.c.id).order_by(table.c.id)).scalars().all()
    assert ids == found
