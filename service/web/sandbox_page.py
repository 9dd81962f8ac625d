"""The mails that the sandbox kept, as their recipients would see them, and answering them.

Only on this machine: whoever reads these mails can log in as anybody.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr, parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from service.errors import (
    AddressInvalid,
    MailUnreadable,
    NotFound,
    RecipientRefused,
    RecipientRefusedForNow,
    RelayUnavailable,
)
from service.mail.parsing import decode_words, parse_mail
from service.mail.sandbox_client import SandboxMail
from service.model import DeliveryKind
from service.store import deliveries
from service.web.from_here import is_from_here
from service.web.front import front_of, page
from service.web.login.mail_link import before_id, read_form, row_id

if TYPE_CHECKING:
    from service.mail.sandbox import Sandbox

MAILS_SHOWN: Final = 50
LONGEST_REPLY: Final = 20_000
"""Characters."""
MAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "sandbox allow-popups allow-top-navigation-by-user-activation; frame-ancestors 'self'"
)
"""A mail brings its styles along and may have its links followed; it runs nothing, loads nothing, sends nothing."""

_LOCAL_NAMES: Final = {"localhost", "127.0.0.1", "::1"}
_HEAD: Final = re.compile(r"<head(\s[^<>]*)?>", re.IGNORECASE)
_BASE: Final = '<base target="_top">'
_PRIVATE: Final = {"cache-control": "no-store"}
_OUR_ID: Final = re.compile(r"<(?:[a-z2-7]{26}\.)?(?P<public_id>[0-9a-f]{32})@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Offer:
    """A reply that makes sense as an answer to a mail, to be sent by one press of a button."""

    word: str
    takes_words: bool = False
    """Whether it says nothing without words of the employee behind it."""


_DECISIONS: Final = (Offer("publish"), Offer("discard"))
_ONCE_PUBLIC: Final = (Offer("update", takes_words=True), Offer("close"))
_OFFERS: Final[Mapping[DeliveryKind, tuple[Offer, ...]]] = {
    DeliveryKind.APPROVAL: _DECISIONS,
    DeliveryKind.PUBLISHED: _ONCE_PUBLIC,
    DeliveryKind.RECOVERED: _ONCE_PUBLIC,
    DeliveryKind.REMINDER: _ONCE_PUBLIC,
}
"""What to offer under which mail; whoever is asked to decide again gets another of the first kind."""


@dataclass(frozen=True, slots=True)
class ShownMail:
    """A mail as a person would see it."""

    number: int
    sender: str
    recipient: str
    subject: str
    sent_at: datetime | None = None
    can_be_answered: bool = False
    """Whether it asks to be replied to at an address of its own."""
    public_id: str = ""
    """Of the delivery that it is, by its Message-ID; empty for a mail that is none of ours."""
    text: str | None = None
    html: str | None = None
    fields: tuple[tuple[str, str], ...] = ()


def read_mail(mail: SandboxMail) -> ShownMail:
    """Read a kept mail; one that cannot be parsed is shown by its envelope."""
    try:
        parsed = parse_mail(mail.raw)
    except MailUnreadable as error:
        return ShownMail(mail.number, mail.sender, mail.recipient, subject=f"({error})")
    return ShownMail(
        number=mail.number,
        sender=_address(parsed.first("from")) or mail.sender,
        recipient=_address(parsed.first("to")) or mail.recipient,
        subject=decode_words(parsed.first("subject")) or "(no subject)",
        sent_at=_sent_at(parsed.first("date")),
        can_be_answered=bool(parsed.values("reply-to")),
        public_id=_public_id(parsed.first("message-id")),
        text=parsed.text,
        html=parsed.html,
        fields=parsed.fields,
    )


def _address(value: str) -> str:
    """Give an address field as mail programs show it, without the quotes around a name."""
    name, address = parseaddr(value)
    return f"{decode_words(name)} <{address}>" if name else address


def _public_id(message_id: str) -> str:
    found = _OUR_ID.match(message_id.strip())
    return found["public_id"].lower() if found else ""


def _sent_at(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return at if at.tzinfo else None


def framed(html: str) -> str:
    """Let a mail's links open in the whole window, not within the frame that shows it."""
    if (head := _HEAD.search(html)) is None:
        return f"<!doctype html>{_BASE}{html}"
    return f"{html[: head.end()]}{_BASE}{html[head.end() :]}"


async def show_mails(request: Request) -> Response:
    """Show the kept mails, newest first, page by page."""
    before = before_id(request)
    kept = [mail for mail in reversed(_sandbox(request).mails) if before is None or mail.number < before]
    return page(
        request,
        "sandbox/mails.html",
        headers=_PRIVATE,
        mails=[read_mail(mail) for mail in kept[:MAILS_SHOWN]],
        has_older=len(kept) > MAILS_SHOWN,
        before=before,
        was_sent=request.query_params.get("sent") == "1",
    )


async def show_mail(request: Request) -> Response:
    """Show one mail, the replies that make sense to it, and a box to write another."""
    return await _mail_page(request, _mail(request))


async def _mail_page(request: Request, mail: SandboxMail, *, problem: str = "", typed: str = "") -> Response:
    shown = read_mail(mail)
    return page(
        request,
        "sandbox/mail.html",
        status_code=422 if problem else 200,
        headers=_PRIVATE,
        mail=shown,
        offers=await run_sync(_offers, request, shown) if shown.can_be_answered else (),
        problem=problem,
        typed=typed,
    )


def _offers(request: Request, mail: ShownMail) -> tuple[Offer, ...]:
    with front_of(request).house.store.reading() as connection:
        delivery = deliveries.get_by_public_id(connection, mail.public_id)
    return _OFFERS.get(delivery.kind, ()) if delivery else ()


async def show_html(request: Request) -> Response:
    """Give a mail's HTML part for the frame that shows it, under a policy of its own."""
    html = read_mail(_mail(request)).html
    if html is None:
        raise NotFound("This mail has no HTML part.")
    return HTMLResponse(framed(html), headers={**_PRIVATE, "content-security-policy": MAIL_POLICY})


async def send_reply(request: Request) -> Response:
    """Answer a mail as its recipient, by the same way as from a real mail program."""
    mail, sandbox = _mail(request), _sandbox(request)
    form = await read_form(request)
    text = " ".join(filter(None, (form.get("text", "").strip("\n"), form.get("words", "").strip())))
    if not text.strip() or len(text) > LONGEST_REPLY:
        problem = f"Write something to send, of at most {LONGEST_REPLY:,} characters."
        return await _mail_page(request, mail, problem=problem, typed=text)
    try:
        await sandbox.send_reply(mail, text, now=front_of(request).clock())
    except (AddressInvalid, RecipientRefused, RecipientRefusedForNow, RelayUnavailable) as error:
        return await _mail_page(request, mail, problem=f"The reply was not sent: {error}.", typed=text)
    return RedirectResponse("/sandbox?sent=1", 303, _PRIVATE)


def _mail(request: Request) -> SandboxMail:
    number = row_id(request, "number")
    found = next((mail for mail in _sandbox(request).mails if mail.number == number), None)
    if found is None:
        raise NotFound(f"The sandbox has no mail {number}; it keeps the last 2,000 since it was started.")
    return found


def _sandbox(request: Request) -> "Sandbox":
    front = front_of(request)
    if front.sandbox is None:
        raise NotFound("There is no mail sandbox: config.yaml names a mail server.")
    own_name = urlsplit(front.house.config.site.url).hostname
    # the name as well: a stranger's site can point its own name at this machine and have a browser here read it;
    # our own is one of this machine's, or the service would not have started with a sandbox
    if not is_from_here(request) or request.url.hostname not in {own_name, *_LOCAL_NAMES}:
        raise NotFound("The mail sandbox is shown on the machine that it runs on, and nowhere else.")
    return front.sandbox


routes = [
    Route("/sandbox", show_mails),
    Route("/sandbox/{number}", show_mail),
    Route("/sandbox/{number}/html", show_html),
    Route("/sandbox/{number}/reply", send_reply, methods=["POST"]),
]
