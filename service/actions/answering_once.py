"""Doing once what a program may ask for twice, as Idempotency-Key has it (draft-ietf-httpapi-idempotency-key-header).

What is done and what was answered are committed together: a program that lost our answer asks again and is told.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from service.actions.house import House
from service.errors import PermanentFault
from service.store import given_answers
from service.store.given_answers import GivenAnswer
from service.store.one_transaction import OneTransaction

KEPT: Final = timedelta(hours=24)
"""How long an answer is given again; under a key that is older, things are done anew."""

Keep = Callable[[Connection, GivenAnswer], None]
"""Keeps an answer within a transaction."""


class KeyUsedOtherwise(PermanentFault):
    """The key of a request was used before, for another request."""


def answer_once(
    house: House,
    token_id: int,
    key: str,
    now: datetime,
    *,
    fingerprint: str,
    act: Callable[[House], GivenAnswer],
) -> tuple[GivenAnswer, bool]:
    """Act within one transaction and keep the answer, or give the one that was kept; True: it was given before.

    Where `act` raises, nothing was done and nothing is kept. Raises KeyUsedOtherwise and what `act` does.
    """
    with house.store.transaction() as connection:
        given = _given(connection, token_id, key, now, fingerprint)
        if given is not None:
            return given, True
        answer = act(replace(house, store=OneTransaction(connection)))
        given_answers.add(connection, token_id, key, answer, now)
        return answer, False


def answer_once_in_steps(
    house: House,
    token_id: int,
    key: str,
    now: datetime,
    *,
    fingerprint: str,
    act: Callable[[Keep], GivenAnswer],
) -> tuple[GivenAnswer, bool]:
    """Do the same with what would hold up everybody else as one transaction; True: it was given before.

    `act` has transactions of its own, and keeps its answer within the last of them, before which nothing counts; an
    answer that it has not kept did nothing, and is kept here. Raises as `answer_once` does.
    """
    with house.store.reading() as connection:
        given = _given(connection, token_id, key, now, fingerprint)
    if given is not None:
        return given, True
    kept: list[GivenAnswer] = []

    def keep(connection: Connection, answer: GivenAnswer) -> None:
        given_answers.add(connection, token_id, key, answer, now)
        kept.append(answer)

    answer = act(keep)
    if not kept:
        with house.store.transaction() as connection:
            keep(connection, answer)
    return answer, False


def _given(
    connection: Connection, token_id: int, key: str, now: datetime, fingerprint: str
) -> GivenAnswer | None:
    given = given_answers.find(connection, token_id, key, since=now - KEPT)
    if given is not None and given.fingerprint != fingerprint:
        raise KeyUsedOtherwise("this Idempotency-Key was used for another request: take a new one")
    return given
