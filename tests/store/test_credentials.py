"""Tokens open one thing, once; sessions end; both are forgotten in time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.store import credentials
from service.store.credentials import Purpose, Session, Token
from service.store.database import Store
from tests.store.rows import MINUTE, NOW

TOKEN = Token("hash", Purpose.LOGIN, NOW, NOW + MINUTE, employee_id="jordan")
SESSION = Session("hash", "jordan", NOW, NOW + MINUTE, public_id="s", seen_at=NOW)


def test_a_token_is_used_once(store: Store) -> None:
    with store.transaction() as connection:
        credentials.issue(connection, TOKEN)
        assert credentials.use(connection, "hash", NOW)
        assert not credentials.use(connection, "hash", NOW + MINUTE)
        used = credentials.find(connection, "hash", Purpose.LOGIN)
    assert used is not None
    assert used.used_at == NOW


def test_of_threads_that_use_a_token_at_once_one_may(store: Store) -> None:
    with store.transaction() as connection:
        credentials.issue(connection, TOKEN)

    def use(_: int) -> bool:
        with store.transaction() as connection:
            return credentials.use(connection, "hash", NOW)

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(use, range(4))) == [False, False, False, True]


def test_a_token_that_is_not_there_cannot_be_used(store: Store) -> None:
    with store.transaction() as connection:
        assert not credentials.use(connection, "hash", NOW)


def test_a_token_is_worth_nothing_for_another_purpose(store: Store) -> None:
    with store.transaction() as connection:
        credentials.issue(connection, TOKEN)
        assert credentials.find(connection, "hash", Purpose.LOGIN) == TOKEN
        assert credentials.find(connection, "hash", Purpose.REPLY) is None


def test_a_session_ends_at_its_time_or_by_logging_out(store: Store) -> None:
    with store.transaction() as connection:
        credentials.start_session(connection, SESSION)
        assert credentials.find_session(connection, "hash", NOW) == SESSION
        assert credentials.find_session(connection, "hash", NOW + MINUTE) is None
        credentials.end_session(connection, "hash")
        assert credentials.find_session(connection, "hash", NOW) is None


def test_sweeping_forgets_what_ended_before_and_nothing_else(store: Store) -> None:
    end = NOW + MINUTE
    with store.transaction() as connection:
        credentials.issue(connection, TOKEN)
        credentials.start_session(connection, SESSION)
        credentials.sweep(connection, sessions_before=end, tokens_before=end)
        assert credentials.find(connection, "hash", Purpose.LOGIN) == TOKEN
        assert credentials.find_session(connection, "hash", NOW) == SESSION
        credentials.sweep(connection, sessions_before=end + MINUTE, tokens_before=end + MINUTE)
        assert credentials.find(connection, "hash", Purpose.LOGIN) is None
        assert credentials.find_session(connection, "hash", NOW) is None


def test_the_installations_name_is_given_once(store: Store) -> None:
    with store.transaction() as connection:
        assert credentials.instance_value(connection, "instance_id", "seven") == "seven"
        assert credentials.instance_value(connection, "instance_id", "eight") == "seven"


def test_what_another_process_sets_at_this_moment_is_taken(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = credentials.known_instance_value
    with store.transaction() as connection:
        credentials.instance_value(connection, "instance_id", "seven")
        seen = iter([None])
        monkeypatch.setattr(credentials, "known_instance_value", lambda *asked: next(seen, known(*asked)))
        assert credentials.instance_value(connection, "instance_id", "eight") == "seven"
