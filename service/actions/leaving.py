"""Unsubscribing by mail: to the address of List-Unsubscribe, or by a plain word from the subscriber's own address.

Whoever leaves is not answered, nor is whoever could not: a mail may come from anybody.
"""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from service.actions.house import House
from service.actions.subscribing import unsubscribe
from service.config.settings import Policy
from service.errors import TokenInvalid
from service.mail.authenticity import Judgement, Verdict, judge
from service.mail.compose import unsubscribe_token
from service.mail.leaving import read_leaving
from service.mail.replies import Reply
from service.model import Channel, Subscriber, SubscriberState
from service.store import inbox_rows, subscribers
from service.store.inbox_rows import InboxState


class LeavingOutcome(StrEnum):
    """What came of a mail that was to end a subscription."""

    UNSUBSCRIBED = "unsubscribed"
    TOKEN_UNKNOWN = "unsubscribe_token_unknown"  # noqa: S105  the name of a reason


_BY_TOKEN: Final = Judgement(
    Verdict.UNKNOWN, "not judged: whoever has the token of a subscription may end it"
)


def leave_by_mail(
    house: House, inbox_id: int, reply: Reply, now: datetime
) -> LeavingOutcome | Judgement | None:
    """End the subscription that a mail is to end; returns the named reason, or None where it is another mail.

    Where its sender would have to be proven and is not, it gives what was judged, and nothing was done. Done a second
    time it changes nothing, so that a crash before the inbox row is finished needs no repair. May wait for the DNS, so
    never within a transaction.
    """
    if reply.automatic or reply.tokens:
        return None
    with house.store.reading() as connection:
        row = inbox_rows.get(connection, inbox_id)
    leaving = read_leaving(row.raw, reply) if row else None
    if row is None or leaving is None:
        return None
    tokens, judgement = leaving.tokens, _BY_TOKEN
    if not tokens:
        subscriber = _subscriber(house, reply.sender or "")
        if subscriber is None:
            return None
        judgement = _judge(house, row.raw, reply.sender or "", now)
        if judgement.verdict is not Verdict.YES:
            return judgement
        tokens = (unsubscribe_token(house.key, subscriber.public_id),)
    left = [address for token in tokens if (address := _leave(house, token))]
    outcome = LeavingOutcome.UNSUBSCRIBED if left else LeavingOutcome.TOKEN_UNKNOWN
    told = (
        f"nothing more is sent to {' and '.join(left)}"
        if left
        else "no subscriber has the token of its address"
    )
    with house.store.transaction() as connection:
        inbox_rows.finish(
            connection,
            inbox_id,
            InboxState.DONE,
            reason=outcome,
            explanation=told,
            authentic=judgement.verdict,
            evidence=judgement.evidence,
        )
    return outcome


def _leave(house: House, token: str) -> str:
    """Unsubscribe and give the address, or "" where the token is a stranger's or of somebody long forgotten."""
    try:
        return unsubscribe(house, token).address
    except TokenInvalid:
        return ""


def _subscriber(house: House, sender: str) -> Subscriber | None:
    """Find the subscription of a mail's own sender, while it lasts."""
    with house.store.reading() as connection:
        found = subscribers.find_by_address(connection, sender)
    if found is None or found.channel is not Channel.EMAIL or found.state is not SubscriberState.CONFIRMED:
        return None
    return found


def _judge(house: House, raw: bytes, sender: str, now: datetime) -> Judgement:
    # `token_only` trusts the company's own addresses, and a subscriber's is anybody's
    proof = replace(house.authenticity, policy=Policy.REQUIRE)
    return judge(raw, sender, proof, house.look_up, now=now)
