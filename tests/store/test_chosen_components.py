"""What subscribers chose is counted by name, however many they are."""

from service.model import SubscriberState
from service.store import chosen_components, subscribers
from service.store.database import Store
from tests.store.rows import NOW, add_subscriber


def test_only_who_is_reached_and_chose_what_is_not_known_is_counted(store: Store) -> None:
    with store.transaction() as connection:
        for name, components, groups in (
            ("ana", ["Email", "API"], ()),
            ("ben", ["Email"], ("Fax",)),
            ("cem", ["Shop"], ()),
            ("dan", None, ("Staff",)),
            ("eve", ["Email"], ()),
            ("fay", ["Door"], ()),
        ):
            someone = add_subscriber(connection, name)
            subscribers.choose(connection, someone.id, components=components, groups=groups)
            if name == "eve":
                state = SubscriberState.UNSUBSCRIBED
                subscribers.set_state(connection, someone.id, state, confirmed_at=None)
            if name == "fay":
                subscribers.suppress(connection, someone.id, NOW)
        assert chosen_components.besides(connection, {"API"}) == {"Email": 2, "Shop": 1}
        assert chosen_components.besides(connection, {"API", "Email", "Shop"}) == {}


def test_where_nobody_chose_nothing_is_counted(store: Store) -> None:
    with store.transaction() as connection:
        add_subscriber(connection, "ana")
        assert chosen_components.besides(connection, ()) == {}
