"""What was put off while the clock was fast is sent once it is set back, and not when that time comes again."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from service.model import Delivery, DeliveryKind
from service.store import deliveries, far_ahead
from service.store.database import Store
from service.store.far_ahead import FURTHEST
from service.store.schema import deliveries as rows
from service.store.tidings import ToSend
from service.store.whats_due import to_send
from tests.store.rows import MINUTE, NOW, a_mail, add_incident, add_update, claim, delivery_again, queued

FAST = NOW + timedelta(days=2)
"""What the clock said before it was set back."""


def put_off(connection: Connection, kind: str) -> Delivery:
    """Queue one of a kind and put it off by a clock that is fast."""
    said: dict[str, object] = {}
    if kind != "mail":
        said["update_id"] = add_update(connection, add_incident(connection))
    if kind == "call":
        said["kind"] = DeliveryKind.WEBHOOK_CALL
    [one] = queued(connection, a_mail(kind, **said), at=NOW)
    deliveries.postpone(connection, one.id, FAST + MINUTE, "451 later")
    return one


@pytest.mark.parametrize("kind", ["mail", "update", "call"])
def test_what_was_put_off_by_a_fast_clock_falls_due_once_it_is_right(store: Store, kind: str) -> None:
    with store.transaction() as connection:
        one = put_off(connection, kind)
        assert not far_ahead.is_any_far_ahead(connection, FAST)
        assert far_ahead.is_any_far_ahead(connection, NOW)
        assert ToSend.MAILS in to_send(connection, NOW), "who sends them sees to it"
        far_ahead.bring_back(connection, NOW)
        assert delivery_again(connection, one).due_at == NOW
        assert not far_ahead.is_any_far_ahead(connection, NOW)


def test_what_is_put_off_for_as_long_as_may_be_waits(store: Store) -> None:
    with store.transaction() as connection:
        [one] = queued(connection, a_mail("one"), at=NOW)
        deliveries.postpone(connection, one.id, NOW + FURTHEST, "451 later")
        assert not far_ahead.is_any_far_ahead(connection, NOW)
        far_ahead.bring_back(connection, NOW)
        assert delivery_again(connection, one).due_at == NOW + FURTHEST


def test_what_somebody_has_claimed_by_a_fast_clock_is_his(store: Store) -> None:
    with store.transaction() as connection:
        [one] = queued(connection, a_mail("one"), at=NOW)
        assert claim(connection, FAST) == [one.id]
        connection.execute(update(rows).values(claimed_by=7))
        assert not far_ahead.is_any_far_ahead(connection, NOW)
        far_ahead.bring_back(connection, NOW)
        assert delivery_again(connection, one).due_at == FAST + 10 * MINUTE
