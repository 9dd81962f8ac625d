"""Coverage-guided fuzzing of how replies are read: it must never raise but MailUnreadable, and quotes never act.

In an environment with this project: `pip install atheris`, then
`python -m tests.fuzz.fuzz_replies -max_total_time=600 -max_len=8192 NEW_FOLDER tests/mail/eml`; what it finds of
interest goes to the new folder, what fails to a file `crash-…` that may be given as the only argument to see it again.
"""

import sys
from contextlib import suppress
from html import escape

import atheris  # not in the lock file: only who fuzzes needs it

with atheris.instrument_imports(include=["service.mail"]):
    from service.errors import MailUnreadable
    from service.mail.bounces import read_bounce
    from service.mail.lines import clean_line
    from service.mail.replies import Reply, read_reply
    from service.mail.words import WORDS, Command, vocabulary

EVERYTHING = vocabulary(list(WORDS), {})
HEAD = b"From: Jordan Ray <jordan@acme.example>\nTo: status+mfrggzdfmztwq2lknnwg23tpob@acme.example\n"
ATTRIBUTION = b"On Mon, 2 Nov 2026 at 10:00, Acme Status <status@acme.example> wrote:\n\n"


def read(raw: bytes, *, anything: bool = False) -> Reply | None:
    """Read a mail with the words of all languages."""
    with suppress(MailUnreadable):
        return read_reply(
            raw,
            own_address="status@acme.example",
            instance_id="i",
            vocabulary=EVERYTHING,
            any_reply_publishes=anything,
        )
    return None


def test_one_input(raw: bytes) -> None:
    """Read an input as a mail, and as the quoted text of others."""
    with suppress(MailUnreadable):
        read_bounce(raw, key=b"k" * 32)
    for anything in (False, True):
        read(raw, anything=anything)
        read(HEAD + b"Content-Type: text/plain; charset=utf-8\n\n" + raw, anything=anything)
    lines = raw.replace(b"\r", b"\n").split(b"\n")
    body = b"".join(b"> " + line + b"\n" for line in lines)
    markup = escape(raw.decode("utf-8", "replace")).encode()
    for kind, quoted in (
        (b"plain", body),
        (b"plain", ATTRIBUTION + body),
        (b"plain", b"-- Reply above this line --\n" + raw),
        (b"html", b"<blockquote>" + markup + b"</blockquote>"),
    ):
        reply = read(HEAD + b"Content-Type: text/" + kind + b"; charset=utf-8\n\n" + quoted, anything=True)
        if reply is not None and reply.command is not None:
            raise AssertionError(f"quoted text ordered {reply.command}")
    edited = read(HEAD + b"\npublish\n" + body + b"\nmessage: late\n")
    if edited is not None and edited.command is Command.PUBLISH and b"message:" in edited.new_text.encode():
        raise AssertionError("the old words were published although new ones stand below")
    line = raw.decode("utf-8", "replace")
    if clean_line(clean_line(line)) != clean_line(line):
        raise AssertionError("cleaning a line twice differs from cleaning it once")


def main() -> None:
    """Fuzz until told to stop."""
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
