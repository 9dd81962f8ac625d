"""Rows of what the API answered, to be answered again to whoever asks the same with the same key."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from service.errors import IncidentChangedMeanwhile
from service.store.access_schema import given_answers


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What was answered to a request; `fingerprint` tells that request from others."""

    fingerprint: str
    status: int
    body: str


def find(connection: Connection, token_id: int, key: str, since: datetime) -> GivenAnswer | None:
    """Find what was answered under a key since a time."""
    query = select(given_answers).where(
        given_answers.c.token_id == token_id, given_answers.c.key == key, given_answers.c.at > since
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else GivenAnswer(row.fingerprint, row.status, row.body)


def add(connection: Connection, token_id: int, key: str, answer: GivenAnswer, now: datetime) -> None:
    """Keep an answer, in place of one that is too old to be given again.

    Raises IncidentChangedMeanwhile where another process answers under the same key at this moment.
    """
    place = {"token_id": token_id, "key": key}
    connection.execute(
        delete(given_answers).where(*(given_answers.c[name] == is_ for name, is_ in place.items()))
    )
    kept = {"fingerprint": answer.fingerprint, "status": answer.status, "body": answer.body, "at": now}
    try:
        connection.execute(insert(given_answers).values(place | kept))
    except IntegrityError as error:
        raise IncidentChangedMeanwhile("the same request is being answered just now") from error


def sweep(connection: Connection, before: datetime) -> None:
    """Forget answers that were given before a time."""
    connection.execute(delete(given_answers).where(given_answers.c.at < before))
