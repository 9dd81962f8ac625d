"""What a relay's answers mean: a mail was taken, is refused for now or for good, or the relay or our login is to blame.

Of a code the first digit decides (RFC 5321 section 4.3.2). It never speaks to a relay.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiosmtplib

from service.config.settings import Security, Smtp
from service.errors import RecipientRefused, RecipientRefusedForNow, RelayUnavailable, ReplycastError

ANSWER_LIMIT: Final = 500
"""Characters of the relay's answer that are kept."""

_TAKEN: Final = range(200, 300)
_GO_ON: Final = range(300, 400)
_REFUSED: Final = range(400, 600)
_FOR_GOOD: Final = range(500, 600)
_GOING_AWAY: Final = 421
"""RFC 5321 section 3.8: the end of the connection."""
_LOGIN_ASKED: Final = frozenset({530, 534, 535, 538})
"""RFC 4954 section 6: the relay wants us to log in, or to protect the connection before; so no mail is to blame."""
FAULTS: Final = (aiosmtplib.SMTPException, OSError, ValueError)
"""What aiosmtplib raises (TLS and time-outs are OSErrors; a name that is none is a ValueError)."""


class RelayLoginRefused(RelayUnavailable):
    """The relay or the OAuth server refused our login: trying again quickly would lock the account."""


class RelayWantsLogin(RelayUnavailable):
    """The relay takes no mail as config.yaml has us come: without a login, or unprotected. No mail is to blame."""


def is_taken(code: int) -> bool:
    """Whether a command, or a mail, was taken: 250 as well as 251 (forwarded), 252 (not verified), 200."""
    return code in _TAKEN


def is_go_on(code: int) -> bool:
    """Whether the relay waits for more, as for the text after DATA."""
    return code in _GO_ON


def is_for_good(code: int) -> bool:
    """Whether a refusal is one that trying again does not change."""
    return code in _FOR_GOOD


def is_refusal(code: int) -> bool:
    """Whether this answer is about the mail and not about the relay or our login."""
    return code in _REFUSED and code != _GOING_AWAY and code not in _LOGIN_ASKED


def fault_of(smtp: Smtp, code: int, answer: str) -> ReplycastError:
    """Give what to raise for an answer, told whole, to a mail that was not taken."""
    if is_refusal(code):
        return (RecipientRefused if is_for_good(code) else RecipientRefusedForNow)(answer)
    if code not in _LOGIN_ASKED:
        return RelayUnavailable(f"the relay answered {answer}")
    given = {"security": smtp.security is not Security.NONE, "username": bool(smtp.username)}
    missing = " or ".join(f"`mail.smtp.{name}`" for name, is_given in given.items() if not is_given)
    what = f"takes no mail without {missing}" if missing else f"takes no mail from {smtp.username}"
    return RelayWantsLogin(f"the relay {smtp.host} {what}: {answer}")


@contextmanager
def relay_faults(smtp: Smtp, *secrets: str) -> Iterator[None]:
    """Turn whatever goes wrong with the connection into RelayUnavailable, without password and secrets."""
    hidden = (smtp.password.reveal(), *secrets)
    try:
        yield
    except aiosmtplib.SMTPAuthenticationError as fault:
        reason = plain(fault.message, *hidden)
        kind = RelayLoginRefused if is_for_good(fault.code) else RelayUnavailable
        raise kind(f"the relay refused the user name or password: {reason}") from None
    except aiosmtplib.SMTPResponseException as fault:
        raise RelayUnavailable(f"the relay answered {fault.code} {plain(fault.message, *hidden)}") from None
    except FAULTS as fault:
        reason = plain(str(fault), *hidden) or type(fault).__name__
        raise RelayUnavailable(f"the relay {smtp.host}:{smtp.port} cannot be used: {reason}") from None


def plain(text: str, *hidden: str) -> str:
    """Give an answer as one printable line without what is to be hidden."""
    readable = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    for secret in filter(None, hidden):
        readable = readable.replace(secret, "***")
    line = " ".join(readable.split())
    if line.isprintable():
        return line[:ANSWER_LIMIT]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)[
        :ANSWER_LIMIT
    ]
