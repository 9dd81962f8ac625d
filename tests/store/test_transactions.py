"""What a transaction promises, on every database."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from service.store.database import Store
from service.store.schema import instance, timeline
from service.store.tidings import ToSend
from tests.store.rows import NOW, a_mail, add_incident, add_update, queued

THREADS, CHANGES = 4, 50


def set_value(store: Store, value: str) -> None:
    with store.transaction() as connection:
        connection.execute(insert(instance).values(name="count", value=value))


def get_values(store: Store) -> list[str]:
    with store.reading() as connection:
        return list(connection.execute(select(instance.c.value)).scalars())


def count_one(store: Store) -> None:
    with store.transaction() as connection:
        value = connection.execute(select(instance.c.value).with_for_update()).scalar_one()
        connection.execute(update(instance).values(value=str(int(value) + 1)))


def test_threads_that_read_and_then_write_lose_no_change(store: Store) -> None:
    set_value(store, "0")

    def count_many(_: int) -> None:
        for _ in range(CHANGES):
            count_one(store)

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(count_many, range(THREADS)))
    assert get_values(store) == [str(THREADS * CHANGES)]


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def write_and_fail() -> None:
        with store.transaction() as connection:
            connection.execute(insert(instance).values(name="count", value="1"))
            raise LookupError

    with pytest.raises(LookupError):
        write_and_fail()
    assert get_values(store) == []


def test_reading_hinders_no_writer_and_sees_one_state(store: Store) -> None:
    set_value(store, "0")
    with store.reading() as connection:
        before = connection.execute(select(instance.c.value)).scalar_one()
        count_one(store)
        assert before == "0"
    assert get_values(store) == ["1"]


def test_a_broken_rule_is_no_fault_of_the_database(store: Store) -> None:
    set_value(store, "0")
    with pytest.raises(IntegrityError):
        set_value(store, "1")


def test_no_row_speaks_of_an_incident_that_is_not_there(store: Store) -> None:
    orphan = insert(timeline).values(incident_id=7, at=NOW, to_phase="waiting", reason="", by="", note="")

    def add_orphan() -> None:
        with store.transaction() as connection:
            connection.execute(orphan)

    with pytest.raises(IntegrityError):
        add_orphan()


def test_what_stands_in_a_row_is_not_in_an_errors_text(store: Store) -> None:
    set_value(store, "secret")
    with pytest.raises(IntegrityError) as raised:
        set_value(store, "secret")
    assert "secret" not in str(raised.value)


def test_who_queues_a_mail_wakes_its_sender_once_it_is_committed(store: Store) -> None:
    heard: list[tuple[ToSend, int]] = []
    store.queued = lambda what: heard.append((what, store.commits))
    with store.transaction() as connection:
        queued(connection, a_mail("first"))
        queued(connection, a_mail("second"))
        assert heard == []
    assert heard == [(ToSend.MAILS, store.commits)]
    with store.transaction() as connection:
        add_incident(connection)
    with pytest.raises(ZeroDivisionError):
        queue_in_vain(store)
    with store.transaction() as connection:
        add_incident(connection)
    assert len(heard) == 1


def test_an_update_wakes_its_own(store: Store) -> None:
    heard: list[ToSend] = []
    store.queued = heard.append
    with store.transaction() as connection:
        update_id = add_update(connection, add_incident(connection))
    assert heard == [ToSend.UPDATES]
    with store.transaction() as connection:
        queued(connection, a_mail("first", update_id=update_id), a_mail("second"))
    assert sorted(heard) == [ToSend.MAILS, ToSend.UPDATES, ToSend.UPDATES]


def queue_in_vain(store: Store) -> None:
    with store.transaction() as connection:
        queued(connection, a_mail("in vain"))
        raise ZeroDivisionError
