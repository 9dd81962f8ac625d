"""A component that is renamed in config.yaml, or left out of it, leaves nobody in silence who chose it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from service.actions import maintaining
from service.actions.audience import audience_of, count_audience
from service.actions.fan_out import queue_next_chunk
from service.actions.house import House
from service.actions.lost_choices import lost_choices, no_longer_there, still_chosen
from service.actions.subscriber_admin import export_lines, import_file
from service.store import audience, deliveries, narrative, subscribers
from service.workflow.maintenance import Plan
from tests.outbox.relays import subscribe
from tests.rooms import CONFIG, Clock, config_in
from tests.web.outages import Outages

HOUR = timedelta(hours=1)

RENAMED = CONFIG.replace("name: Email,", "name: E-mail,").replace("{Email:", "{E-mail:")


def renamed(house: House, config: str = RENAMED) -> House:
    """Give the house as it is with another config.yaml."""
    return replace(house, config=config_in(house.config.path.parent, config))


def chose(house: House, clock: Clock, name: str, *components: str, groups: Sequence[str] = ()) -> None:
    subscribe(house, clock, name)
    with house.store.transaction() as connection:
        found = subscribers.find_by_address(connection, f"{name}@reader.example")
        assert found is not None
        subscribers.choose(connection, found.id, components=components, groups=groups)


def told(house: House, clock: Clock) -> list[str]:
    """Turn all that was published into mails, and give whom they are for."""
    while queue_next_chunk(house, clock()):
        pass
    with house.store.transaction() as connection:
        mails = deliveries.claim_due(connection, clock(), urgent=False, lease=HOUR, limit=99)
    return [mail.recipient.partition("@")[0] for mail in mails]


def said(house: House) -> list[str]:
    with house.store.reading() as connection:
        return [one.in_words for one in lost_choices(connection, house.config)]


def test_who_chose_what_was_renamed_hears_of_everything(house: House, clock: Clock) -> None:
    for name, components in (("ana", ["Email"]), ("ben", ["API"]), ("cem", ["Email", "API"])):
        chose(house, clock, name, *components)
    after = renamed(house)
    incident = Outages(after, clock).fire()
    with after.store.reading() as connection:
        assert count_audience(connection, after, incident).total == 1
    Outages(after, clock).published()
    assert told(after, clock) == ["ana"]


def test_once_the_old_name_is_back_the_old_choice_counts_again(house: House, clock: Clock) -> None:
    chose(house, clock, "ana", "API")
    without = renamed(house, CONFIG.replace("  - {name: API, group: Platform}\n", ""))
    Outages(without, clock).published()
    assert told(without, clock) == ["ana"]
    Outages(house, clock).published()
    assert told(house, clock) == []


def test_who_is_in_no_group_of_the_audience_hears_nothing_by_it(house: House, clock: Clock) -> None:
    chose(house, clock, "ana", "Email")
    chose(house, clock, "ben", "Email", groups=["Staff"])
    after = renamed(house, f"{RENAMED}    audience: [Staff]\n")
    Outages(after, clock).published()
    assert told(after, clock) == ["ben"]


def test_a_maintenance_is_told_too(house: House, clock: Clock) -> None:
    chose(house, clock, "ana", "Email")
    after = renamed(house)
    plan = Plan("Move", "We move.", ("Calendar",), clock() + HOUR, clock() + 2 * HOUR)
    planned = maintaining.plan(after, plan, house.config.employees["jordan"], clock())
    with after.store.reading() as connection:
        [update] = narrative.updates_of_maintenances(connection, [planned.maintenance.id])[
            planned.maintenance.id
        ]
        assert audience.count(connection, audience_of(connection, after, update)).total == 1


def test_admins_are_told_how_many_chose_what_is_not_there(house: House, clock: Clock) -> None:
    for name, components in (("ana", ["Email"]), ("ben", ["API", "Email"]), ("cem", ["Calendar"])):
        chose(house, clock, name, *components)
    assert said(house) == []
    [both] = said(renamed(house))
    assert both.startswith("2 subscribers chose `Email`, which is no component: ")
    [one] = said(renamed(house, CONFIG.replace("name: Calendar", "name: Diary")))
    assert one.startswith("1 subscriber chose `Calendar`, ")


def test_a_list_that_is_exported_and_imported_with_the_new_name_lets_them_follow(
    house: House, clock: Clock
) -> None:
    chose(house, clock, "ana", "Email", "API", groups=["Staff"])
    chose(house, clock, "ben")
    after = renamed(house)
    jordan = after.config.employees["jordan"]
    lines = (
        "".join(export_lines(after, jordan, clock()))
        .replace("Email;", "E-mail;")
        .replace("; Email", "; E-mail")
    )
    imported = import_file(after, lines.encode(), jordan, clock(), have_agreed=False)
    assert (imported.added, imported.kept_out) == (0, ())
    assert said(after) == []
    with after.store.reading() as connection:
        ana = subscribers.find_by_address(connection, "ana@reader.example")
    assert ana is not None
    assert (set(ana.components or ()), ana.groups) == ({"E-mail", "API"}, ("Staff",))


@pytest.mark.parametrize(
    ("chosen", "heard", "lost"),
    [
        (None, None, ()),
        (("API",), ("API",), ()),
        (("Fax",), None, ("Fax",)),
        (("API", "Fax"), ("API",), ("Fax",)),
    ],
)
def test_what_is_heard_of_is_what_is_still_there(
    house: House, chosen: tuple[str, ...] | None, heard: tuple[str, ...] | None, lost: tuple[str, ...]
) -> None:
    assert still_chosen(house.config, chosen) == heard
    assert no_longer_there(house.config, chosen) == lost
