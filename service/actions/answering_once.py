"""Doing once what a program may ask for twice, as Idempotency-Key has it (draft-ietf-httpapi-idempotency-key-header).

What is done and what was answered are committed together: a program that lost our answer asks again and is told.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from service.actions.house import House
from service.errors import PermanentFault
from service.store import given_answers
from service.store.given_answers import GivenAnswer
from service.store.one_transaction import OneTransaction

KEPT: Final = timedelta(hours=24)
"""How long an answer is given again; under a key that is older, things are done anew."""


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
        given = given_answers.find(connection, token_id, key, since=now - KEPT)
        if given is not None:
            if given.fingerprint != fingerprint:
                raise KeyUsedOtherwise("this Idempotency-Key was used for another request: take a new one")
            return given, True
        answer = act(replace(house, store=OneTransaction(connection)))
        given_answers.add(connection, token_id, key, answer, now)
        return answer, False
