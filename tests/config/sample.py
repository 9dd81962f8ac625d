"""A small faultless config.yaml, and ways to break it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from service.config import Config, parse
from service.errors import ConfigFaulty, Fault

SHIPPED = Path(__file__).parents[2] / "config.yaml"
WHERE = Path("config.yaml")
SAMPLE = """\
site: {name: Acme, url: "https://status.acme.example"}
webhooks:
  victorops: {secret: wOrDs-of-seCRet}
employees:
  - {id: jordan, name: Jordan Ray, email: jordan@acme.example, role: admin}
  - {id: vic, name: Vic, email: vic@acme.example, role: viewer}
components:
  - {name: Email, group: Office}
monitors:
  - alert_name: Email Server
    authored_by: jordan
    type: informational
    affected_components: {Email: major_outage}
    subject: Email is down
    message: We are looking into it.
    notify_employees: [jordan]
    closing_comment: It works again.
"""
MAIL = """\
mail:
  from: Acme Status <status@acme.example>
  smtp: {host: mx.acme.example, port: 25, security: none}
  imap: {host: mx.acme.example, username: status, password: PaSs-words}
  authenticity: {authserv_id: mx.acme.example}
"""
MARK = "¦"
"""Stands in a text before the place that a fault is expected to point at; not part of the text."""


def read(text: str, environ: Mapping[str, str] | None = None, path: Path = WHERE) -> Config:
    """Parse a text that is expected to be right."""
    return parse(text, path, environ or {})


def faults_of(text: str, environ: Mapping[str, str] | None = None, path: Path = WHERE) -> tuple[Fault, ...]:
    """Parse a text that is expected to be faulty."""
    with pytest.raises(ConfigFaulty) as caught:
        parse(text, path, environ or {})
    return caught.value.faults


def changed(old: str, new: str, text: str = SAMPLE + MAIL) -> str:
    """Replace the first occurrence of something that must be there."""
    assert old in text
    return text.replace(old, new, 1)


def marked(text: str) -> tuple[str, int, int]:
    """Take the mark out of a text; gives the line and column, 1-based, of what stood behind it."""
    before, _, after = text.partition(MARK)
    return before + after, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
