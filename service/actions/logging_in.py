"""Logging employees in by a link that is mailed to them: short-lived, for one use, in the browser that asked."""

import hashlib
import hmac
from datetime import datetime, timedelta

from service.actions.house import House
from service.actions.mailed_links import mail_link
from service.errors import TokenInvalid
from service.mail.tokens import hash_token
from service.model import DeliveryKind, Employee
from service.store import credentials, deliveries
from service.store.credentials import Purpose, Session
from service.store.deliveries import NewDelivery

LINK_LIFETIME = timedelta(minutes=15)
SESSION_LIFETIME = timedelta(days=7)
MOST_LINKS_AN_HOUR = 10
"""Per employee: whoever knows the address can ask for one, and each is a mail."""


def hash_key(key: str) -> str:
    """Give the SHA-256 under which a session's or a browser's random key is kept."""
    return hashlib.sha256(key.encode()).hexdigest()


def mark_known(house: House, employee: Employee, browser: str) -> str:
    """Give a browser's key with a mark behind it that this employee logged in there."""
    key = _unmarked(browser)
    signed = hmac.digest(house.key, f"known-browser:{employee.id}:{key}".encode(), hashlib.sha256)
    return f"{key}.{signed.hex()}"


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
    is_known = hmac.compare_digest(browser.encode(), mark_known(house, employee, browser).encode())
    asked_by = f"login:{employee.id}:{'known' if is_known else 'new'}:"
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


def log_in(house: House, token: str, *, browser: str, session_key: str, now: datetime) -> Employee:
    """Use a link up and start a session under a fresh random key. Raises TokenInvalid, saying why."""
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
        session = Session(hash_key(session_key), employee.id, now, now + SESSION_LIFETIME)
        credentials.start_session(connection, session)
        return employee


def find_employee(house: House, session_key: str, now: datetime) -> Employee | None:
    """Find who is logged in under a session key."""
    with house.store.reading() as connection:
        session = credentials.find_session(connection, hash_key(session_key), now)
    return house.employee(session.employee_id) if session else None


def log_out(house: House, session_key: str) -> None:
    """End a session."""
    with house.store.transaction() as connection:
        credentials.end_session(connection, hash_key(session_key))
