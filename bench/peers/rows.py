"""A database in which every table that grows has a great many rows, written by the database itself.

The rows are such as the service leaves when all is over: posts that were decided about, incidents that ended, mails
that were sent, subscribers who are confirmed.
"""

from datetime import datetime
from typing import Final

import psycopg
from sqlalchemy import Connection

from service.store.database import open_store

POST: Final = '{"monitorName":"Email Server","state":"CRITICAL","entityId":"disk-1"}'
SECOND: Final = 1
TEN_MINUTES: Final = 600
"""Seconds between two incidents: a million of them took nineteen years."""


def fill(address: str, count: int, now: datetime) -> None:
    """Write so many rows into each of the tables, the newest a moment ago; the database must have none yet."""
    if not count:
        return
    store = open_store(address)
    is_sqlite = store.engine.dialect.name == "sqlite"
    for table, values in _words(count, now, is_sqlite=is_sqlite).items():
        with store.transaction() as connection:
            if not is_sqlite:  # who refers to what is right, and to look each of them up takes a while
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            _write(connection, table, values, count)
        store.checkpoint()
    store.close()
    if not is_sqlite:  # as its autovacuum would do in the midst of the measuring
        with psycopg.connect(address, autocommit=True) as connected:
            connected.execute("VACUUM ANALYZE")


def open_incidents(address: str, count: int, now: datetime) -> None:
    """Write so many incidents of one monitor that wait for a decision, each with an alert of its own that fires."""
    if not count:
        return
    store = open_store(address)
    words = _words(count, now, is_sqlite=store.engine.dialect.name == "sqlite")
    unpublished = dict.fromkeys(("published_at", "published_by", "ended_at", "ended_by"), "NULL")
    incidents = words["incidents"] | unpublished | {"phase": "'unpublished'"}
    firing = words["joined_alerts"] | {"entity_id": "'other-' || i", "recovered_at": "NULL"}
    with store.transaction() as connection:
        _write(connection, "incidents", incidents, count)
        _write(connection, "joined_alerts", firing, count)
    store.close()


def _write(connection: Connection, table: str, values: dict[str, str], count: int) -> None:
    columns = ", ".join(f'"{name}"' for name in values)
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({columns})"  # noqa: S608  our own words
        f" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        f" SELECT {', '.join(values.values())} FROM n"
    )


def _words(count: int, now: datetime, *, is_sqlite: bool) -> dict[str, dict[str, str]]:
    """Give, by table and column, the expression over the number `i` of a row."""
    at, long_ago = (_moment(count, now, each, is_sqlite=is_sqlite) for each in (SECOND, TEN_MINUTES))
    raw = f"CAST('{POST}' AS BLOB)" if is_sqlite else f"convert_to('{POST}', 'UTF8')"
    component = "CASE i - i / 3 * 3 WHEN 0 THEN 'Email' WHEN 1 THEN 'Calendar' ELSE 'API' END"
    return {
        "inbox": {
            "door": "'webhook'",
            "provider": "'victorops'",
            "received_at": at,
            "raw": raw,
            "about": "'{}'",
            "state": "'done'",
            "reason": "'alert_joined'",
        },
        "incidents": {
            "monitor_key": "'victorops:Email Server'",
            "phase": "'closed'",
            "version": "4",
            "subject": "'Email is unavailable'",
            "message": "'We are looking into it.'",
            "type": "'service_unavailable'",
            "components": """'{"Email": "major_outage"}'""",
            "started_at": long_ago,
            "authored_by": "'jordan'",
            "notify_employees": """'["jordan", "sam"]'""",
            "notified_at": long_ago,
            "published_at": long_ago,
            "published_by": "'sam'",
            "ended_at": long_ago,
            "ended_by": "'sam'",
        },
        "joined_alerts": {
            "incident_id": "i",
            "entity_id": "'disk-' || i",
            "fired_at": long_ago,
            "recovered_at": long_ago,
            "times_fired": "1",
        },
        "alerts": {
            "inbox_id": "i",
            "incident_id": "i",
            "monitor_name": "'Email Server'",
            "state": "'firing'",
            "raw_state": "'CRITICAL'",
            "entity_id": "'disk-' || i",
            "message": "'It is full.'",
            "received_at": at,
            "reason": "'alert_joined'",
        },
        "timeline": {
            "incident_id": "i",
            "at": long_ago,
            "from_phase": "'published'",
            "to_phase": "'closed'",
            "reason": "'closed'",
            "by": "'sam'",
            "note": "''",
        },
        "updates": {
            "incident_id": "i",
            "status": "'resolved'",
            "body": "'It works again.'",
            "posted_at": long_ago,
            "posted_by": "'sam'",
            "fan_out_cursor": "0",
            "fanned_out_at": long_ago,
        },
        "component_states": {
            "component": component,
            "state": "CASE i / 3 - i / 6 * 2 WHEN 0 THEN 'major_outage' ELSE 'operational' END",
            "since": long_ago,
        },
        "subscribers": {
            "public_id": "'s' || i",
            "address": "'old' || i || '@acme.example'",
            "address_key": "'old' || i || '@acme.example'",
            "state": "'confirmed'",
            "created_at": long_ago,
            "confirmed_at": long_ago,
            "unsubscribe_hash": "'h' || i",
        },
        "deliveries": {
            "public_id": "'d' || i",
            "occasion": "'update:' || i || ':' || i",
            "kind": "'subscriber_update'",
            "recipient": "'old' || i || '@acme.example'",
            "created_at": at,
            "incident_id": "i",
            "update_id": "i",
            "subscriber_id": "i",
            "facts": "'{}'",
            "sent_at": at,
            "attempts": "1",
        },
    }


def _moment(count: int, now: datetime, each: int, *, is_sqlite: bool) -> str:
    """Give the expression of a time that passes by so many seconds from row to row."""
    ago = f"({count} - i) * {each}"
    if is_sqlite:
        return (
            f"strftime('%Y-%m-%d %H:%M:%S.000000', '{now:%Y-%m-%d %H:%M:%S}', '-' || ({ago}) || ' seconds')"
        )
    return f"timestamptz '{now.isoformat()}' - {ago} * interval '1 second'"
