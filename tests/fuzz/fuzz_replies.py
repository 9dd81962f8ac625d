"""Coverage-guided fuzzing of how replies are read: it must never raise but MailUnreadable, and quotes never act.

`pip install atheris`, then `python -m tests.fuzz.fuzz_replies -max_total_time=600 tests/mail/eml`.
"""

import sys
from contextlib import suppress

import atheris  # not in the lock file: only who fuzzes needs it

with atheris.instrument_imports(include=["service.mail"]):
    from service.errors import MailUnreadable
    from service.mail.bounces import read_bounce
    from service.mail.replies import read_reply
    from service.mail.words import WORDS, vocabulary

EVERYTHING = vocabulary(list(WORDS), {})
HEAD = b"From: jordan@acme.example\nTo: status+mfrggzdfmztwq2lknnwg23tpob@acme.example\n\n"


def test_one_input(raw: bytes) -> None:
    """Read an input as a mail, and as the quoted text of one."""
    with suppress(MailUnreadable):
        read_bounce(raw, key=b"k" * 32)
        read_reply(raw, own_address="status@acme.example", instance_id="i", vocabulary=EVERYTHING)
    quoted = b"".join(b"> " + line + b"\n" for line in raw.replace(b"\r", b"\n").split(b"\n"))
    with suppress(MailUnreadable):
        reply = read_reply(HEAD + quoted, own_address="status@acme.example", instance_id="i")
        if reply.command is not None:
            raise AssertionError(f"quoted text ordered {reply.command}")


def main() -> None:
    """Fuzz until told to stop."""
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
