"""What admins did with subscribers is written down, without anybody's whole address."""

from service.actions import subscriber_admin
from service.actions.house import House
from service.store import audit, subscriber_lists, subscribers
from tests.rooms import Clock

FILE = b"Email\nana@reader.example\nben@reader.example\n"


def test_what_changes_who_hears_is_written_down(house: House, clock: Clock) -> None:
    jordan = house.config.employees["jordan"]
    subscriber_admin.import_file(house, FILE, jordan, clock(), have_agreed=True)
    hook = subscriber_admin.add_webhook(house, "https://hooks.slack.com/services/T/s3cret", jordan, clock())
    with house.store.transaction() as connection:
        [ana] = subscriber_lists.search(connection, text="ana@", state="", before_id=None, limit=9)
        subscribers.suppress(connection, hook.id, clock(), "it answered 500")
    for _ in range(2):
        subscriber_admin.reinstate(house, hook.id, jordan, clock())
    subscriber_admin.remove(house, ana.id, None, clock())
    list(subscriber_admin.export_lines(house, jordan, clock()))
    with house.store.reading() as connection:
        acts = audit.listed(connection, limit=9)
    assert [(one.by, one.act, one.about, one.note) for one in reversed(acts)] == [
        ("jordan", "subscribers_imported", "", "2 added, 0 changed"),
        ("jordan", "webhook_added", "hooks.slack.com/…", ""),
        ("jordan", "subscriber_reinstated", "hooks.slack.com/…", ""),
        ("cli", "subscriber_removed", "a…@reader.example", ""),
        ("jordan", "subscribers_exported", "", ""),
    ]
