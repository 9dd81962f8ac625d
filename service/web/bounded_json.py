"""Reads a JSON object that another server answers with, never more of it than is bounded."""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx2

LARGEST: Final = 256 * 1024
"""Bytes."""
_OK: Final = 200


class AnswerUnusable(ValueError):
    """The answer is an error, too long, or no JSON object."""


async def read_object(answer: httpx2.Response) -> Mapping[str, Any]:
    """Read the body of an answer whose head is there. Raises AnswerUnusable."""
    if answer.status_code != _OK:
        raise AnswerUnusable(f"it answers {answer.status_code}")
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > LARGEST:
            raise AnswerUnusable("its answer is too long")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise AnswerUnusable("its answer is no JSON") from None
    if not isinstance(found, dict):
        raise AnswerUnusable("its answer is no JSON object")
    return found
