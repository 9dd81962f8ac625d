"""What the relay took is marked on a connection of its own, which may be lost like any other."""

from contextlib import closing

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.errors import StoreUnavailable
from service.store.database import open_store
from service.store.sent_marks import SentMarks
from tests.store import postgres
from tests.store.databases import needs_postgresql
from tests.store.rows import NOW, a_mail, claim, delivery_again, queued


@needs_postgresql
def test_a_connection_that_is_lost_between_two_marks_is_called_so_and_the_next_one_marks() -> None:
    server = postgres.server()
    with server.database() as url, closing(open_store(url)) as store:
        with store.transaction() as connection:
            [mail] = queued(connection, a_mail("one"))
            claim(connection)
        with closing(SentMarks(store)) as marks:
            server.end_connections(str(store.engine.url.database))
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    marks.mark([mail], NOW)
        with closing(SentMarks(store)) as marks:
            marks.mark([mail], NOW)
        with store.reading() as connection:
            assert delivery_again(connection, mail).sent_at == NOW


@needs_postgresql
def test_where_all_connections_are_in_use_it_is_the_database_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with postgres.server().database() as url, closing(open_store(url)) as store:

        def refuse() -> None:
            raise PoolTimeout("QueuePool limit of size 5 overflow 10 reached")

        monkeypatch.setattr(store.engine, "raw_connection", refuse)
        with pytest.raises(StoreUnavailable, match="the database cannot be used just now: QueuePool limit"):
            SentMarks(store)
