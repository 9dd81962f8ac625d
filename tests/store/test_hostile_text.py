"""Texts that no database need take: what is strange in them is replaced, and nothing else of them is lost."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from service.model import Alert, AlertState
from service.store import audit, inbox_rows, incidents, narrative
from service.store.database import Store
from service.store.inbox_rows import Arrival, Door
from service.store.inbox_search import Wanted, search
from service.store.schema import inbox
from tests.store.rows import NOW, add_incident

NUL = "a\0b"
LONG = "x" * 5_000


def without_strange(value: Any) -> Any:  # noqa: ANN401  whatever JSON holds
    """Take out what one database replaces and the other keeps."""
    if isinstance(value, str):
        return re.sub("[\0\ufffd\ud800-\udfff]", "", value)
    if isinstance(value, dict):
        return {without_strange(key): without_strange(one) for key, one in value.items()}
    return [without_strange(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("text", [NUL, "\0", "\\u0000", "\\\0", "%s %(a)s %%", "'; --", "\U0001f600", LONG])
def test_a_text_comes_back_but_for_its_nul(store: Store, text: str) -> None:
    with store.transaction() as connection:
        incident = add_incident(connection, subject=text, message=text, type=text)
        read = incidents.get(connection, incident.id)
    assert read is not None
    assert [without_strange(one) for one in (read.subject, read.message, read.type)] == [
        without_strange(text)
    ] * 3


@pytest.mark.parametrize(
    "about",
    [{"query": {NUL: NUL}}, {"list": [NUL, {"\0": 1}]}, {"plain": "\\u0000"}, {"surrogate": "\ud800"}],
)
def test_what_stands_around_a_body_comes_back_but_for_its_nul(store: Store, about: dict[str, Any]) -> None:
    arrivals = [Arrival(Door.WEBHOOK, NOW, b"\0\xff{}", about={**about, "sender": "Ada"}) for _ in range(2)]
    with store.transaction() as connection:
        first, _ = inbox_rows.add_many(connection, arrivals)
        inbox_rows.add_mails(connection, [Arrival(Door.MAIL, NOW, b"\0", about=about, content_key="k")])
        row = inbox_rows.get(connection, first)
        found = search(connection, Wanted(text="ada", is_by_sender=True), limit=9)
    assert row is not None
    assert row.raw == b"\0\xff{}"
    assert without_strange(dict(row.about)) == without_strange({**about, "sender": "Ada"})
    assert [one.id for one in found.rows] == [first + 1, first]


def test_a_hostile_alert_is_noted(store: Store) -> None:
    alert = Alert("victorops", NUL, AlertState.FIRING, entity_id=NUL, raw_state=NUL * 100, message=NUL)
    with store.transaction() as connection:
        narrative.add_alert(connection, alert, inbox_id=None, incident_id=None, reason="r", now=NOW)
        audit.note(connection, NOW, NUL * 100, "act", about=NUL, note=NUL)
        (act,) = audit.listed(connection, limit=9)
    assert act.act == "act"


def test_what_was_stored_is_found_by_the_same_hostile_text(store: Store) -> None:
    mail = Arrival(Door.MAIL, NOW, b"", content_key="k", uid_key=f"a/{NUL}/1/0000000007")
    with store.transaction() as connection:
        assert inbox_rows.add_mails(connection, [mail, mail]) == 1
        assert inbox_rows.last_uid(connection, f"a/{NUL}/1/") == 7
        assert connection.execute(select(inbox.c.id)).scalars().all() == [1]
