"""Composes a delivery's mail: header fields, threads and links around what mail_templates/ say.

Pure but for reading the templates once: the same delivery gives the same bytes, at the second attempt too.
It decides nothing about sending, and never sees whether a token was used.
"""

import hashlib
import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from service.config.settings import Site
from service.errors import TemplateFaulty
from service.mail.bounces import bounce_address
from service.mail.fact_forms import LinkFacts, MailSurroundings
from service.mail.headers import (
    address_header,
    checked_address,
    one_line,
    text_header,
    words_header,
)
from service.mail.rendering import render
from service.mail.tokens import (
    MOST_REFERENCES,
    derived_token,
    make_token,
    message_id,
    reply_address,
    split_references,
    unsubscribe_address,
)
from service.model import Delivery, DeliveryKind

_MESSAGE_ID: Final = re.compile(r"<(?!.*=\?)[!-;=?-~]{3,250}>")
_LOCAL_PART_LIMIT: Final = 64
"""Octets before the @ (RFC 5321 section 4.5.3.1.1)."""
_PLAIN_IN_MAILTO: Final = "@+!$'*-._~"
_READERS: Final = {
    DeliveryKind.SUBSCRIBER_UPDATE: "subscribers",
    DeliveryKind.SUBSCRIBER_POSTMORTEM: "subscribers",
    DeliveryKind.MAINTENANCE_UPDATE: "subscribers of maintenance",
}
"""Who reads a kind that no employee gets; each has threads of its own."""
_PURPOSES: Final = {DeliveryKind.SUBSCRIBER_CONFIRM: "confirm", DeliveryKind.LOGIN_LINK: "login"}


@dataclass(frozen=True, slots=True)
class PostOffice:
    """Who we are by mail; `key` derives all tokens, `instance_id` names this installation in loops."""

    site: Site
    sender_name: str
    sender_address: str
    instance_id: str
    key: bytes
    verp: bool = True
    """Whether bounces come back to an address of their own; a relay may refuse senders that it does not know."""
    takes_mail: bool = True
    """Whether mails to us are read at all: else no address to unsubscribe by mail is offered."""
    lets_choose: bool = True
    """Whether subscribers can choose components on the page of their link: there is more than one."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A finished mail: what goes into MAIL FROM, RCPT TO and DATA (lines ending in CRLF, 7 bits)."""

    sender: str
    recipient: str
    message: bytes
    is_dotless: bool = field(default=False, compare=False)
    """Whether it is known that no line of the message begins with a dot: to look for one takes a while."""


OUR_BRAND: Final = "#1558c0"
"""The colour of links and buttons where config.yaml gives none."""
OUR_BRAND_DARK: Final = "#7cb1ff"


def compose(delivery: Delivery, office: PostOffice) -> Envelope:
    """Compose a delivery's mail.

    Raises TemplateFaulty, with the file, where a template and the facts do not fit; AddressInvalid where the
    recipient or the sender cannot stand in a mail.
    """
    recipient = checked_address(delivery.recipient)
    sender = checked_address(office.sender_address)
    site = office.site
    surroundings: MailSurroundings = {
        "site": {
            "name": one_line(site.name, 200),
            "url": site.url,
            "brand": site.brand or OUR_BRAND,
            "brand_dark": site.brand_dark or OUR_BRAND_DARK,
            "lets_choose": office.lets_choose,
        },
        "links": _links(delivery, office),
    }
    texts = render(delivery.kind, delivery.facts, surroundings, site.timezone)
    # neither quoted-printable nor base64 can hold "=_" (RFC 2045 section 6.7), so no text ends its part early
    boundary = f"=_{delivery.public_id}"
    to_name = str(delivery.facts.get("employee_name") or "")
    fields = (
        address_header("From", office.sender_name, sender),
        address_header("To", to_name, recipient),
        text_header("Subject", texts.subject),
        words_header("Date", format_datetime(delivery.created_at).split()),
        *_threading(delivery, office, sender),
        *_list_headers(delivery, office),
        words_header("Auto-Submitted", [_auto_submitted(delivery.kind)]),
        words_header("X-Auto-Response-Suppress", ["All"]),
        text_header("X-Replycast-Instance", office.instance_id),
        words_header("MIME-Version", ["1.0"]),
        words_header("Content-Type", ["multipart/alternative;", f'boundary="{boundary}"']),
    )
    lines = (*fields, "", *_part(boundary, "plain", texts.text), *_part(boundary, "html", texts.html))
    message = "\r\n".join((*lines, f"--{boundary}--", ""))
    bounces_to = bounce_address(sender, delivery.public_id, office.key) if office.verp else sender
    return Envelope(sender=bounces_to, recipient=recipient, message=message.encode("ascii"))


def unsubscribe_token(key: bytes, subscriber_public_id: str) -> str:
    """Derive the token of a subscriber's unsubscribe links: the same in all mails to them."""
    return link_token(key, subscriber_public_id, "unsubscribe")


def link_token(key: bytes, public_id: str, purpose: str) -> str:
    """Derive the token of a link, as `make_token` does for replies; of another purpose it is another."""
    return derived_token(key, f"{purpose}:{public_id}")


def _links(delivery: Delivery, office: PostOffice) -> LinkFacts:
    """Give the links that this mail may hold; all begin with the site's URL."""
    facts, url = delivery.facts, office.site.url.rstrip("/")
    incident: Mapping[str, Any] = facts.get("incident") or {}
    links: LinkFacts = {"dashboard": _joined(url, "/dashboard")}
    if incident:
        links["dashboard"] = _joined(url, _required(incident, "dashboard_path"))
        links["page"] = _joined(url, _required(incident, "public_path"))
    if maintenance := facts.get("maintenance"):
        links["page"] = _joined(url, _required(maintenance, "public_path"))
    if _is_for_subscriber(delivery):
        token = unsubscribe_token(office.key, _required(facts, "subscriber_public_id"))
        links["unsubscribe"] = _joined(url, f"/unsubscribe/{token}")
    elif _can_be_answered(delivery):
        links["act"] = _joined(url, f"/act/{make_token(office.key, delivery.public_id)}")
    if purpose := _PURPOSES.get(delivery.kind):
        token = link_token(office.key, delivery.public_id, purpose)
        links["act"] = _joined(url, f"{str(facts.get('path', '/login')).rstrip('/')}/{token}")
    return links


def _can_be_answered(delivery: Delivery) -> bool:
    """Tell whether a mail has a token: each about an incident to an employee, save an alarm, which asks nothing."""
    about_incident = bool(delivery.facts.get("incident"))
    return about_incident and not _is_for_subscriber(delivery) and delivery.kind is not DeliveryKind.ALARM


def _is_for_subscriber(delivery: Delivery) -> bool:
    return delivery.kind in _READERS


def _required(facts: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 # facts are JSON
    if name not in facts:
        raise TemplateFaulty(f"the facts of this mail lack {name}")
    return facts[name]


def _joined(url: str, path: str) -> str:
    return f"{url}/{path.lstrip('/')}"


def _threading(delivery: Delivery, office: PostOffice, sender: str) -> Iterator[str]:
    """Give Message-ID, the fields that thread (RFC 5322 section 3.6.4) and, for employees, the way back."""
    facts, domain = delivery.facts, sender.rpartition("@")[2]
    about: Mapping[str, Any] = facts.get("incident") or facts.get("maintenance") or {}
    readers = _READERS.get(delivery.kind, "employees")
    token = make_token(office.key, delivery.public_id) if _can_be_answered(delivery) else ""
    yield words_header("Message-ID", [message_id(delivery.public_id, domain, token)])
    if token:
        yield words_header("Reply-To", [reply_address(sender, token)])
    own: list[str] = []
    if about:
        thread_id = _thread_id(office, readers, _required(about, "id"))
        root = message_id(thread_id, domain)
        own = [message_id(thread_id, domain, token), root] if token else [root]
    answered = _message_ids([facts.get("in_reply_to") or ""])
    theirs = [one for one in (*_message_ids(facts.get("references") or ()), *answered) if one not in own]
    references = [*own, *list(dict.fromkeys(theirs))[-(MOST_REFERENCES - len(own)) :]]
    if answer_to := answered or own[-1:]:
        yield words_header("In-Reply-To", answer_to)
    if references:
        yield words_header("References", references)


def _thread_id(office: PostOffice, readers: str, number: int) -> str:
    """Name a thread in 32 hex digits: an incident's is another for employees than for subscribers."""
    name = f"{office.instance_id}:{readers}:{number}"
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _message_ids(values: Sequence[str]) -> list[str]:
    """Take what is a Message-ID from a stranger's header, and leave the rest."""
    return [one for value in values for one in split_references(value) if _MESSAGE_ID.fullmatch(one)]


def _list_headers(delivery: Delivery, office: PostOffice) -> Iterator[str]:
    """Let mail clients show their own unsubscribe button (RFC 2369, RFC 8058) and filter (RFC 2919)."""
    if not _is_for_subscriber(delivery):
        return
    host = urlsplit(office.site.url).hostname or "localhost"
    yield address_header("List-Id", office.site.name, f"updates.{host}")
    yield words_header("List-Unsubscribe", _ways_to_leave(delivery, office))
    yield words_header("List-Unsubscribe-Post", ["List-Unsubscribe=One-Click"])


def _ways_to_leave(delivery: Delivery, office: PostOffice) -> Iterator[str]:
    """Give the page, which RFC 8058 posts to, then an address for clients that only send mails (RFC 6068)."""
    page = f"<{_links(delivery, office)['unsubscribe']}>"
    token = unsubscribe_token(office.key, _required(delivery.facts, "subscriber_public_id"))
    address = unsubscribe_address(checked_address(office.sender_address), token)
    if not office.takes_mail or len(address.rpartition("@")[0]) > _LOCAL_PART_LIMIT:
        yield page
        return
    yield f"{page},"
    yield f"<mailto:{quote(address, safe=_PLAIN_IN_MAILTO)}?subject=unsubscribe>"


def _auto_submitted(kind: DeliveryKind) -> str:
    """RFC 3834 section 5: what answers a mail says so."""
    return "auto-replied" if kind is DeliveryKind.ANSWER else "auto-generated"


def _part(boundary: str, subtype: str, text: str) -> Iterator[str]:
    """Give a part of a multipart mail, in quoted-printable or base64, whichever is shorter."""
    content = text.replace("\n", "\r\n").encode()
    outside = len(content) - len(content.decode().encode("ascii", "ignore"))
    is_base64_shorter = outside * 6 > len(content)
    yield f"--{boundary}"
    yield words_header("Content-Type", [f"text/{subtype};", "charset=utf-8"])
    yield f"Content-Transfer-Encoding: {'base64' if is_base64_shorter else 'quoted-printable'}"
    yield ""
    if is_base64_shorter:
        yield encodebytes(content).decode("ascii").replace("\n", "\r\n")
    else:
        yield b2a_qp(content, istext=True).decode("ascii")
