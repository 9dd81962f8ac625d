"""A monitor for an alert's name that none takes, as text to paste into config.yaml. Pure."""

from collections.abc import Sequence
from typing import Final

_LONGEST_NAME: Final = 190
"""Characters; a pattern stands for the rest, as a name in config.yaml has at most 200."""
_ESCAPED: Final = {'"': '\\"', "\\": "\\\\", "\t": "\\t"}
_BYTE, _TWO_BYTES = 0xFF, 0xFFFF


def suggest_monitor(name: str, provider: str, *, authored_by: str, components: Sequence[str] = ()) -> str:
    """Write the entry of `monitors` that takes this name.

    `authored_by` is an employee's id. The first of the components is affected; which it should be, its reader knows.
    """
    line = " ".join(name.split())
    taken = f"{line[:_LONGEST_NAME].rstrip()}*" if len(line) > _LONGEST_NAME else line
    affected = f"[{_quoted(components[0])}]" if components else "[]"
    return f"""\
  - provider: {_quoted(provider)}
    alert_name: {_quoted(taken)}
    authored_by: {_quoted(authored_by)}
    type: service_unavailable
    affected_components: {affected}   # which parts of the status page it concerns
    subject: "Something does not work as it should"   # what the public reads
    message: "We are looking into it."
    notify_employees: [{_quoted(authored_by)}]
    wait_time: 5m
    closing_comment: "It works again."
"""


def _quoted(text: str) -> str:
    """Write a text as a double-quoted scalar (YAML 1.2.2, section 7.3.1) that nothing is filled into."""
    return f'"{"".join(map(_escaped, text.replace("${", "$${")))}"'


def _escaped(char: str) -> str:
    if char in _ESCAPED:
        return _ESCAPED[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code <= _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _TWO_BYTES else f"\\U{code:08x}"
