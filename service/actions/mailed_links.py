"""Queueing a mail whose link carries a token of its own, once in a period however often somebody asks for it."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.actions.house import House
from service.mail.compose import link_token
from service.mail.tokens import hash_token
from service.store import credentials, deliveries
from service.store.credentials import Purpose, Token
from service.store.deliveries import NewDelivery


def mail_link(
    connection: Connection,
    house: House,
    mail: NewDelivery,
    purpose: Purpose,
    now: datetime,
    *,
    once_in: timedelta,
    lifetime: timedelta,
    browser: str = "",
) -> bool:
    """Queue the mail and make its link valid; False where its occasion had come in this period already.

    The token is bound to the mail's employee or subscriber and, where `browser` is given, to that hash of a key.
    """
    mail = replace(mail, occasion=f"{mail.occasion}:{int(now.timestamp() // once_in.total_seconds())}")
    if not deliveries.queue(connection, [mail], now):
        return False
    token = Token(
        hash=hash_token(link_token(house.key, mail.public_id, purpose)),
        purpose=purpose,
        created_at=now,
        expires_at=now + lifetime,
        employee_id=mail.employee_id,
        subscriber_id=mail.subscriber_id,
        browser=browser,
    )
    credentials.issue(connection, token)
    return True
