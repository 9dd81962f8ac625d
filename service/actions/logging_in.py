"""Logging employees in: by a link that is mailed to them, or by what an OpenID Connect provider says of them.

A link is short-lived, for one use, in the browser that asked. Who somebody is the provider tells; whether that is an
employee, config.yaml alone does.
"""

import hashlib
import hmac
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from service.actions.house import House
from service.actions.mailed_links import mail_link
from service.errors import NotAllowed, StoreUnavailable, TokenInvalid
from service.mail.tokens import hash_token
from service.model import DeliveryKind, Employee
from service.store import audit, credentials, deliveries
from service.store.credentials import Purpose, Session
from service.store.deliveries import NewDelivery

LINK_LIFETIME = timedelta(minutes=15)
SESSION_LIFETIME = timedelta(days=30)
"""The longest, however much it is used."""
IDLE_END = timedelta(days=7)
"""A session ends by itself so long after it was used last."""
SEEN_EVERY: Final = timedelta(minutes=1)
"""How exactly is known when a session was used last."""
MOST_LINKS_AN_HOUR = 10
"""Per employee: whoever knows the address can ask for one, and each is a mail."""
LONGEST_BROWSER: Final = 200


@dataclass(frozen=True, slots=True)
class Arriving:
    """The browser that is about to be logged in."""

    session_key: str
    """Fresh and random; only the browser gets to hold it."""
    browser: str = ""
    """What it calls itself."""
    instead_of: str = ""
    """The key of the session that it has already, which ends."""


def hash_key(key: str) -> str:
    """Give the SHA-256 under which a session's or a browser's random key is kept."""
    return hashlib.sha256(key.encode()).hexdigest()


def mark_known(house: House, employee: Employee, browser: str) -> str:
    """Give a browser's key with a mark behind it that this employee logged in there."""
    key = _unmarked(browser)
    signed = hmac.digest(house.key, f"known-browser:{employee.id}:{key}".encode(), hashlib.sha256)
    return f"{key}.{signed.hex()}"


def is_known(house: House, browser: str) -> bool:
    """Tell whether somebody who is an employee now logged in in this browser before."""
    marked = (mark_known(house, one, browser) for one in house.config.employees.values())
    return "." in browser and any(hmac.compare_digest(browser.encode(), one.encode()) for one in marked)


def _unmarked(browser: str) -> str:
    return browser.partition(".")[0]


def request_link(house: House, email: str, *, browser: str, now: datetime) -> None:
    """Mail a log-in link if the address is an employee's; say nothing either way.

    `browser` is a key that only the asking browser holds. It gets one link a minute at most, and all browsers
    together MOST_LINKS_AN_HOUR; those in which the employee logged in before have as many of their own, so that
    no stranger who asks all the time can keep an employee out of them.
    """
    employee = house.config.employee_by_email(email.strip())
    if employee is None:
        return
    key = hash_key(_unmarked(browser))
    came_before = hmac.compare_digest(browser.encode(), mark_known(house, employee, browser).encode())
    asked_by = f"login:{employee.id}:{'known' if came_before else 'new'}:"
    with house.store.transaction() as connection:
        lately = deliveries.count_of_occasions(connection, asked_by, now - timedelta(hours=1))
        if lately >= MOST_LINKS_AN_HOUR:
            return
        mail = NewDelivery(
            public_id=house.new_id(),
            occasion=f"{asked_by}{key}",
            kind=DeliveryKind.LOGIN_LINK,
            recipient=employee.email,
            facts={"employee_name": employee.name, "minutes": LINK_LIFETIME.seconds // 60},
            employee_id=employee.id,
        )
        mail_link(
            connection,
            house,
            mail,
            Purpose.LOGIN,
            now,
            once_in=timedelta(minutes=1),
            lifetime=LINK_LIFETIME,
            browser=key,
        )


def log_in(house: House, token: str, arriving: Arriving, *, browser: str, now: datetime) -> Employee:
    """Use a link up and start a session; `browser` is the key of that which asked. Raises TokenInvalid, saying why."""
    with house.store.transaction() as connection:
        found = credentials.find(connection, hash_token(token), Purpose.LOGIN)
        employee = house.employee(found.employee_id) if found else None
        if found is None or employee is None:
            raise TokenInvalid("this log-in link is not one of ours; ask for a new one")
        if found.expires_at <= now:
            raise TokenInvalid("this log-in link is too old; ask for a new one")
        if found.browser != hash_key(_unmarked(browser)):
            raise TokenInvalid("this link opens only in the browser that asked for it; ask for one here")
        if not credentials.use(connection, found.hash, now):
            raise TokenInvalid("this log-in link was used before; ask for a new one")
        _start(connection, house, employee, arriving, "mail", now)
        return employee


def log_in_by_provider(house: House, email: str, arriving: Arriving, *, now: datetime) -> Employee:
    """Start a session for the employee whose address a provider has proven. Raises NotAllowed for anybody else's."""
    employee = house.config.employee_by_email(email.strip())
    if employee is None:
        raise NotAllowed(
            f"{email[:320]} is no employee's address in config.yaml: ask an admin to add you, "
            "or log in with another account"
        )
    with house.store.transaction() as connection:
        _start(connection, house, employee, arriving, "oidc", now)
    return employee


def _start(
    connection: Connection, house: House, employee: Employee, arriving: Arriving, way: str, now: datetime
) -> None:
    if arriving.instead_of:
        credentials.end_session(connection, hash_key(arriving.instead_of))
    browser = " ".join("".join(one if one.isprintable() else " " for one in arriving.browser).split())
    session = Session(
        hash_key(arriving.session_key),
        employee.id,
        now,
        now + IDLE_END,
        public_id=house.new_id(),
        way=way,
        browser=browser[:LONGEST_BROWSER],
        seen_at=now,
    )
    credentials.start_session(connection, session)
    audit.note(connection, now, employee.id, "logged_in", way, session.browser)


def note_refusal(house: House, way: str, why: str, now: datetime) -> None:
    """Write down that somebody was not let in."""
    with house.store.transaction() as connection:
        audit.note(connection, now, "", "login_refused", way, why)


def find_session(house: House, session_key: str, now: datetime) -> Session | None:
    """Find the session under a key, which moves its end; None where it has ended, or is nobody's any more."""
    with house.store.reading() as connection:
        session = credentials.find_session(connection, hash_key(session_key), now)
    if session is None or house.employee(session.employee_id) is None:
        return None
    if now >= (session.seen_at or session.created_at) + SEEN_EVERY:
        expires_at = min(now + IDLE_END, session.created_at + SESSION_LIFETIME)
        # whether this is there after a power cut matters to nobody, nor whether it can be written just now
        with suppress(StoreUnavailable), house.store.transaction(durable=False) as connection:
            credentials.touch_session(connection, session.hash, seen_at=now, expires_at=expires_at)
    return session


def find_employee(house: House, session_key: str, now: datetime) -> Employee | None:
    """Find who is logged in under a session key, as config.yaml has them now."""
    session = find_session(house, session_key, now)
    return house.employee(session.employee_id) if session else None


def log_out(house: House, session_key: str, now: datetime) -> None:
    """End a session."""
    with house.store.transaction() as connection:
        ended = credentials.end_session(connection, hash_key(session_key))
        if ended is not None:
            audit.note(connection, now, ended.employee_id, "logged_out", ended.way, ended.browser)
