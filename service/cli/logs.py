"""Sets up the log: one line an event on standard error, for people on a terminal and as JSON elsewhere."""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, TextIO

import structlog

_ADDRESS = re.compile(r"([A-Za-z0-9.!#$%&'*/=?^_`{|}~+-]{1,64})@([A-Za-z0-9.-]{1,253})")


class LogForm(StrEnum):
    """What a line of the log looks like."""

    AUTO = "auto"
    """For people on a terminal, JSON elsewhere."""
    JSON = "json"
    CONSOLE = "console"


def set_up_logs(form: LogForm = LogForm.AUTO) -> None:
    """Write what we and the libraries log to standard error in the same form, addresses redacted."""
    is_for_people = form is LogForm.CONSOLE or (form is LogForm.AUTO and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if is_for_people
        else structlog.processors.JSONRenderer()
    )
    out = logging.StreamHandler(sys.stderr)
    ours = _Out(out)
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=lambda *_: ours,  # past `logging`, which takes three times as long for each line
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    out.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(logging.INFO)
    for loud in (
        "apscheduler",
        "pymap",
        "mail.log",
        "uvicorn",
        "imapclient",
        "alembic",
        "httpx2",
        "httpcore2",
    ):
        logging.getLogger(loud).setLevel(logging.WARNING)


class _Out:
    """Writes lines to where the libraries log, one at a time. Where it cannot, whoever logs goes on all the same."""

    def __init__(self, libraries: "logging.StreamHandler[TextIO]") -> None:
        self._libraries = libraries

    def msg(self, line: str) -> None:
        """Write a line."""
        self._libraries.acquire()
        try:
            with suppress(OSError, ValueError):  # a full disk, a pipe that nobody reads, one that is closed
                self._libraries.stream.write(line + "\n")
                self._libraries.stream.flush()
        finally:
            self._libraries.release()

    debug = info = warning = error = critical = msg


def _redact(_logger: object, _method: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide who it was, keep where: `j***@acme.example`."""
    for name, value in said.items():
        if isinstance(value, str) and "@" in value:
            said[name] = redacted(value)
    return said


def redacted(text: str) -> str:
    """Give a text with its e-mail addresses made unreadable but for their first letter and domain."""
    return _ADDRESS.sub(lambda found: f"{found[1][0]}***@{found[2]}", text)
