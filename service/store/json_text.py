"""How values of JSON columns are written and read: by orjson, which is several times as fast as Python's own.

Whole numbers of more than 64 bits come back as floats; what is read of payloads has none (`providers.lenient`).
"""

import json
from typing import Any, Final

import orjson

_AS_PYTHON: Final = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def write(value: object) -> str:
    """Write a value. What orjson does not take, such as half a pair of surrogates, Python writes. Raises TypeError."""
    try:
        return orjson.dumps(value, option=_AS_PYTHON).decode()
    except orjson.JSONEncodeError:
        return json.dumps(value)


def read(text: str | bytes) -> Any:  # noqa: ANN401  whatever was written
    """Read what `write` wrote, or Python itself. Raises ValueError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
