"""What admins do with subscribers: import and export them, add webhooks, remove, let them hear again.

Nobody (`by=None`) is whoever has a shell on the machine: the command line.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from service.actions.house import House
from service.actions.subscriber_file import Entry, channel_of, named_columns, read_file, write_file
from service.actions.subscribing import add_pending, ask_to_confirm
from service.calls.calling import check_url
from service.config.settings import Config
from service.errors import IncidentChangedMeanwhile, NotAllowed, NotFound, StoreUnavailable
from service.mail.compose import unsubscribe_token
from service.mail.tokens import hash_token
from service.model import Channel, Employee, Role, Subscriber, SubscriberState
from service.store import audit, deliveries, subscriber_lists, subscribers
from service.store.subscriber_lists import Standing, Wish
from service.store.subscribers import key_of

_SAID_BY: Final = {"Components": "components", "Groups": "groups", "Phone": "phone", "Tags": "tags"}
"""What a column of the file says of an address, as `Wish` names it."""
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
    """Groups that no monitor and no maintenance of config.yaml has as its audience: perhaps a slip of the pen."""


def import_file(
    house: House,
    raw: bytes,
    by: Employee | None,
    now: datetime,
    *,
    have_agreed: bool,
    note: Callable[[Connection, Imported], None] | None = None,
) -> Imported:
    """Take a CSV file of subscribers: all of it or, where a line is bad, none of it.

    New ones are written some at a time, so that nobody has to wait who writes in between, and hear of nothing before
    one last step lets all of them; where that does not come, the same file imported again completes it.
    New addresses are asked to confirm, unless `have_agreed` says that all of them did so elsewhere, as those did
    then who were asked before; webhooks need no asking. Known ones get the choices of the file, of which a column
    that it does not have says nothing. `note` is called with what came of it within the last step's transaction, to be
    committed with it or not at all. Raises SubscriberFileFaulty and NotAllowed.
    """
    refuse_others(by)
    names = [component.name for component in house.config.components]
    entries = read_file(raw, names, may_be_private=house.config.private_webhooks)
    said = {_SAID_BY[name] for name in named_columns(raw) if name in _SAID_BY}
    by_key = {key_of(entry.address): _wish(house, entry) for entry in entries}
    known = _standings(house, list(by_key.values()))
    new = [one for key, one in by_key.items() if key not in known]
    asked = [one for one in new if one.channel is Channel.EMAIL and not have_agreed]
    _refuse_too_many(len(asked))
    heard = [one for one in new if have_agreed or one.channel is not Channel.EMAIL]
    added: dict[str, int] = {}
    try:
        for some in subscriber_lists.chunks(heard):
            # what waits for the last step is in no hurry, and the last step waits for the disk for all of them
            with house.store.transaction(durable=False) as connection:
                added |= subscriber_lists.add_pending(connection, some, now)
        # who signed up in this very moment is known by now
        known |= _standings(house, [one for one in heard if key_of(one.address) not in added])
        kept_out = {key for key, standing in known.items() if _stays_out(standing)}
        kept = {standing.id: by_key[key] for key, standing in known.items() if key not in kept_out}
        hear_now = [number for number, one in kept.items() if have_agreed or one.channel is not Channel.EMAIL]
        with house.store.reading() as connection:
            changes = subscriber_lists.changes_for(connection, kept, said)
        with house.store.transaction() as connection:
            subscriber_lists.change(connection, changes)
            subscriber_lists.confirm_all(connection, [*added.values(), *hear_now], now)
            number_asked = _ask_all(connection, house, asked, now)
            imported = Imported(
                added=len(added) + number_asked,
                changed=len(kept),
                kept_out=tuple(by_key[key].address for key in sorted(kept_out)),
                unheard_groups=unheard_groups(
                    house.config, (one for entry in entries for one in entry.groups)
                ),
            )
            told = f"{imported.added:,} added, {imported.changed:,} changed"
            audit.note(connection, now, who(by), "subscribers_imported", note=told)
            if note is not None:
                note(connection, imported)
    except (StoreUnavailable, IncidentChangedMeanwhile):
        _forget(house, list(added.values()))
        raise
    return imported


def _standings(house: House, wishes: Sequence[Wish]) -> dict[str, Standing]:
    with house.store.reading() as connection:
        return subscriber_lists.standings(connection, [one.address for one in wishes])


def _refuse_too_many(asked: int) -> None:
    if asked > ASKED_AT_ONCE:
        raise NotAllowed(
            f"{asked:,} new addresses would be asked to confirm, and {ASKED_AT_ONCE} are the most at a time: "
            "say that they have agreed, or import a part of them"
        )


def _ask_all(connection: Connection, house: House, wishes: Sequence[Wish], now: datetime) -> int:
    """Add addresses and ask them to confirm; gives how many were not known."""
    number = 0
    for some in subscriber_lists.chunks(wishes):
        addresses = {key_of(one.address): one.address for one in some}
        for key, subscriber_id in subscriber_lists.add_pending(connection, some, now).items():
            ask_to_confirm(connection, house, subscriber_id, addresses[key], now)
            number += 1
    return number


def _forget(house: House, subscriber_ids: Sequence[int]) -> None:
    with suppress(StoreUnavailable):
        for some in subscriber_lists.chunks(subscriber_ids):
            with house.store.transaction() as connection:
                subscriber_lists.remove_pending(connection, some)


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


def heard_groups(config: Config) -> tuple[str, ...]:
    """Name the groups that some monitor or maintenance of config.yaml has as its audience, in its order."""
    audiences = (*(one.audience for one in config.monitors), *(one.audience for one in config.maintenance))
    return tuple(dict.fromkeys(name for audience in audiences for name in audience))


def unheard_groups(config: Config, named: Iterable[str]) -> tuple[str, ...]:
    """Give those groups of some that no monitor and no maintenance has as its audience, each once."""
    heard = heard_groups(config)
    return tuple(group for group in dict.fromkeys(named) if group not in heard)


def export_lines(house: House, by: Employee | None, now: datetime) -> Iterator[str]:
    """Write all who have confirmed as a CSV file, line by line. Raises NotAllowed."""
    refuse_others(by)
    with house.store.transaction() as connection:
        audit.note(connection, now, who(by), "subscribers_exported")
    return write_file(_every_one(house))


def _every_one(house: House) -> Iterator[Subscriber]:
    """Read some at a time: whoever takes long over the file keeps no view of the database open."""
    last_id = 0
    while True:
        with house.store.reading() as connection:
            some = subscriber_lists.next_confirmed(connection, after_id=last_id)
        if not some:
            return
        yield from some
        last_id = some[-1].id


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
    refuse_others(by)
    address = check_url(url, may_be_private=house.config.private_webhooks)
    with house.store.transaction() as connection:
        found = subscribers.find_by_address(connection, address)
        if found is None:
            kind = channel or channel_of(address)
            found = add_pending(connection, house, address, now, channel=kind)
        if found.state is not SubscriberState.CONFIRMED or found.suppressed_at is not None:
            subscribers.set_state(connection, found.id, SubscriberState.CONFIRMED, confirmed_at=now)
        subscribers.choose(connection, found.id, components=components, groups=groups)
        audit.note(connection, now, who(by), "webhook_added", audit.redacted(address))
        return subscribers.get(connection, found.id) or found


def reinstate(house: House, subscriber_id: int, by: Employee | None, now: datetime) -> Subscriber:
    """Send to a suppressed subscriber again. Raises NotFound and NotAllowed."""
    refuse_others(by)
    with house.store.transaction() as connection:
        found = _found(subscribers.get(connection, subscriber_id))
        if found.state is SubscriberState.CONFIRMED and found.suppressed_at is not None:
            subscribers.set_state(connection, found.id, found.state, confirmed_at=now)
            audit.note(connection, now, who(by), "subscriber_reinstated", audit.redacted(found.address))
        return found


def remove(house: House, subscriber_id: int, by: Employee | None, now: datetime) -> Subscriber:
    """Forget a subscriber altogether; what was sent stays in the records. Raises NotFound and NotAllowed."""
    refuse_others(by)
    with house.store.transaction() as connection:
        found = _found(subscribers.get(connection, subscriber_id))
        deliveries.cancel_of_subscriber(connection, found.id, "removed")
        subscribers.remove(connection, found.id)
        audit.note(connection, now, who(by), "subscriber_removed", audit.redacted(found.address))
        return found


def _found(subscriber: Subscriber | None) -> Subscriber:
    if subscriber is None:
        raise NotFound("there is no such subscriber")
    return subscriber


def who(by: Employee | None) -> str:
    """Name whoever orders something for the audit."""
    return by.id if by else audit.COMMAND_LINE


def refuse_others(by: Employee | None) -> None:
    """Raise NotAllowed for everybody but admins and the command line."""
    if by is not None and by.role is not Role.ADMIN:
        raise NotAllowed(f"{by.name} may not change subscribers: that is for admins")
