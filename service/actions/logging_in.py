"""Logging employees in by a link that is mailed to them: short-lived, for one use, in the browser that asked."""

import hashlib
from datetime import datetime, timedelta

from service.actions.house import House
from service.errors import TokenInvalid
from service.mail.compose import link_token
from service.mail.tokens import hash_token
from service.model import DeliveryKind, Employee
from service.store import credentials, deliveries
from service.store.credentials import Purpose, Session, Token
from service.store.deliveries import NewDelivery

LINK_LIFETIME = timedelta(minutes=15)
SESSION_LIFETIME = timedelta(days=7)


def hash_key(key: str) -> str:
    """Give the SHA-256 under which a session's or a browser's random key is kept."""
    return hashlib.sha256(key.encode()).hexdigest()


def request_link(house: House, email: str, *, browser: str, now: datetime) -> None:
    """Mail a log-in link if the address is an employee's; say nothing either way.

    `browser` is a random key that only the asking browser holds. An employee gets one link a minute at most.
    """
    employee = house.config.employee_by_email(email.strip())
    if employee is None:
        return
    with house.store.transaction() as connection:
        public_id = house.new_id()
        mail = NewDelivery(
            public_id=public_id,
            occasion=f"login:{employee.id}:{now:%Y-%m-%dT%H:%M}",
            kind=DeliveryKind.LOGIN_LINK,
            recipient=employee.email,
            facts={"employee_name": employee.name, "minutes": LINK_LIFETIME.seconds // 60},
            employee_id=employee.id,
        )
        if deliveries.queue(connection, [mail], now):
            token = Token(
                hash=hash_token(link_token(house.key, public_id, Purpose.LOGIN)),
                purpose=Purpose.LOGIN,
                created_at=now,
                expires_at=now + LINK_LIFETIME,
                employee_id=employee.id,
                browser=hash_key(browser),
            )
            credentials.issue(connection, token)


def log_in(house: House, token: str, *, browser: str, session_key: str, now: datetime) -> Employee:
    """Use a link up and start a session under a fresh random key. Raises TokenInvalid, saying why."""
    with house.store.transaction() as connection:
        found = credentials.find(connection, hash_token(token), Purpose.LOGIN)
        employee = house.employee(found.employee_id) if found else None
        if found is None or employee is None:
            raise TokenInvalid("this log-in link is not one of ours; ask for a new one")
        if found.expires_at <= now:
            raise TokenInvalid("this log-in link is too old; ask for a new one")
        if found.browser != hash_key(browser):
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
