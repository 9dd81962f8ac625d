"""What admins do with subscribers: import and export them, add webhooks, remove, let them hear again.

Nobody (`by=None`) is whoever has a shell on the machine: the command line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.actions.house import House
from service.actions.subscriber_file import Entry, channel_of, read_file, write_file
from service.actions.subscribing import ask_to_confirm
from service.calls.calling import check_url
from service.errors import NotAllowed, NotFound
from service.mail.compose import unsubscribe_token
from service.mail.tokens import hash_token
from service.model import Channel, Employee, Role, Subscriber, SubscriberState
from service.store import deliveries, subscriber_lists, subscribers
from service.store.subscriber_lists import Standing, Wish
from service.store.subscribers import key_of

ASKED_AT_ONCE = 500
"""New addresses of one import that are asked to confirm; a list of more would make us a spammer."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file."""

    added: int
    changed: int
    kept_out: tuple[str, ...]
    """Addresses that had left, or that nothing reaches: an import does not bring them back."""
    unheard_groups: tuple[str, ...]
    """Groups that no monitor and no maintenance names as its audience: perhaps a slip of the pen."""


def import_file(house: House, raw: bytes, by: Employee | None, now: datetime, *, have_agreed: bool) -> Imported:
    """Take a CSV file of subscribers: all of it or, where a line is bad, none of it.

    New addresses are asked to confirm, unless `have_agreed` says that all of them did so elsewhere; webhooks need
    no asking. Known ones get the choices of the file. Raises SubscriberFileFaulty and NotAllowed.
    """
    _refuse_others(by)
    entries = read_file(raw, [component.name for component in house.config.components])
    wishes = [_wish(house, entry) for entry in entries]
    with house.store.transaction() as connection:
        known = subscriber_lists.standings(connection, [one.address for one in wishes])
        new = [one for one in wishes if key_of(one.address) not in known]
        calls = [one for one in new if one.channel is not Channel.EMAIL or have_agreed]
        asked = [one for one in new if one.channel is Channel.EMAIL and not have_agreed]
        if len(asked) > ASKED_AT_ONCE:
            raise NotAllowed(
                f"{len(asked):,} new addresses would be asked to confirm, and {ASKED_AT_ONCE} are the most at a time: "
                "say that they have agreed, or import a part of them"
            )
        ids = {
            **subscriber_lists.add_all(connection, calls, now, state=SubscriberState.CONFIRMED),
            **subscriber_lists.add_all(connection, asked, now, state=SubscriberState.PENDING),
        }
        kept_out = {key for key, standing in known.items() if _stays_out(standing)}
        ids |= {key: standing.id for key, standing in known.items() if key not in kept_out}
        by_key = {key_of(one.address): one for one in wishes}
        subscriber_lists.choose_all(connection, {number: by_key[key] for key, number in ids.items()})
        for one in asked:
            ask_to_confirm(connection, house, ids[key_of(one.address)], one.address, now)
    return Imported(
        added=len(new),
        changed=len(known) - len(kept_out),
        kept_out=tuple(by_key[key].address for key in sorted(kept_out)),
        unheard_groups=_unheard(house, entries),
    )


def _stays_out(standing: Standing) -> bool:
    return standing.state is SubscriberState.UNSUBSCRIBED or standing.is_suppressed


def _wish(house: House, entry: Entry) -> Wish:
    public_id = house.new_id()
    return Wish(
        public_id=public_id,
        unsubscribe_hash=hash_token(unsubscribe_token(house.key, public_id)),
        channel=entry.channel,
        address=entry.address,
        components=entry.components,
        groups=entry.groups,
        phone=entry.phone,
        tags=entry.tags,
    )


def _unheard(house: House, entries: Sequence[Entry]) -> tuple[str, ...]:
    heard = {group for monitor in house.config.monitors for group in monitor.audience}
    named = dict.fromkeys(group for entry in entries for group in entry.groups)
    return tuple(group for group in named if group not in heard)


def export_lines(house: House, by: Employee | None) -> Iterator[str]:
    """Write all who have confirmed as a CSV file, line by line. Raises NotAllowed."""
    _refuse_others(by)

    def lines() -> Iterator[str]:
        with house.store.reading() as connection:
            yield from write_file(subscriber_lists.every_one(connection))

    return lines()


def add_webhook(
    house: House,
    url: str,
    by: Employee | None,
    now: datetime,
    *,
    channel: Channel | None = None,
    components: Sequence[str] | None = None,
    groups: Sequence[str] = (),
) -> Subscriber:
    """Let a webhook hear of incidents; None tells its channel by its host. Raises UrlUnusable and NotAllowed."""
    _refuse_others(by)
    address = check_url(url)
    with house.store.transaction() as connection:
        found = subscribers.find_by_address(connection, address)
        if found is None:
            public_id = house.new_id()
            found = subscribers.add(
                connection,
                public_id=public_id,
                address=address,
                unsubscribe_hash=hash_token(unsubscribe_token(house.key, public_id)),
                now=now,
                channel=channel or channel_of(address),
            )
        if found.state is not SubscriberState.CONFIRMED or found.suppressed_at is not None:
            subscribers.set_state(connection, found.id, SubscriberState.CONFIRMED, confirmed_at=now)
        subscribers.choose(connection, found.id, components=components, groups=groups)
        return subscribers.get(connection, found.id) or found


def reinstate(house: House, subscriber_id: int, by: Employee | None, now: datetime) -> Subscriber:
    """Send to a suppressed subscriber again. Raises NotFound and NotAllowed."""
    _refuse_others(by)
    with house.store.transaction() as connection:
        found = _found(subscribers.get(connection, subscriber_id))
        if found.state is SubscriberState.CONFIRMED and found.suppressed_at is not None:
            subscribers.set_state(connection, found.id, found.state, confirmed_at=now)
        return found


def remove(house: House, subscriber_id: int, by: Employee | None) -> Subscriber:
    """Forget a subscriber altogether; what was sent stays in the records. Raises NotFound and NotAllowed."""
    _refuse_others(by)
    with house.store.transaction() as connection:
        found = _found(subscribers.get(connection, subscriber_id))
        deliveries.cancel_of_subscriber(connection, found.id, "removed")
        subscribers.remove(connection, found.id)
        return found


def _found(subscriber: Subscriber | None) -> Subscriber:
    if subscriber is None:
        raise NotFound("there is no such subscriber")
    return subscriber


def _refuse_others(by: Employee | None) -> None:
    if by is not None and by.role is not Role.ADMIN:
        raise NotAllowed(f"{by.name} may not change subscribers: that is for admins")
