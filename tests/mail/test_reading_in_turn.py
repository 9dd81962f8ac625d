"""Of several instances one reads the mailbox: the others do not even connect, until it is their turn."""

import threading
from datetime import UTC, datetime

import pytest

from service.config.settings import Imap, Secret, Security
from service.mail import imap
from service.mail.imap import MailboxReader

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NOBODY_IS_THERE = Imap("127.0.0.1", 1, Security.NONE, "status", Secret("hush"))


@pytest.mark.parametrize(("answers", "attempts"), [([False, False, False], 0), ([False, False, True], 1)])
def test_it_connects_only_in_its_turn(
    answers: list[bool], attempts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "STANDBY_PAUSE", 0.0)
    stop, warnings, left = threading.Event(), list[str](), iter(answers)

    def may_read() -> bool:
        answer = next(left, None)
        if answer is None:
            stop.set()
        return bool(answer)

    reader = MailboxReader(
        NOBODY_IS_THERE,
        last_uid=lambda _account, _folder, _validity: 0,
        take=lambda _mails: None,
        notice=warnings.append,
        warn=warnings.append,
        clock=lambda: NOW,
        may_read=may_read,
    )
    reader.run(stop)
    assert len(warnings) == attempts
