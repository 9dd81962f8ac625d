"""Finds among the parts of a mail the text that a person sees first, and decodes it.

Never opens an attachment and never enters an enclosed mail. What the text means is for others.
"""

import re
from collections.abc import Iterator, Sequence
from email.message import Message
from typing import Final, NamedTuple

from selectolax.lexbor import LexborHTMLParser

from service.mail.banners import banner_length
from service.mail.charsets import decode_bytes
from service.mail.html_text import MOST_MARKUP, html_to_lines
from service.mail.lines import clean_line
from service.mail.plain_text import cut_to_lines, unflow

_ENCODING: Final = "content-transfer-encoding"
_COMMENT: Final = re.compile(r"\([^()]*\)")
_PICTURE: Final = "img, svg, object, video, picture, canvas"


class Bodies(NamedTuple):
    """The two forms of one text; None where there is none."""

    text: str | None = None
    html: str | None = None


class _Found(NamedTuple):
    plain: Message | None = None
    html: Message | None = None


def read_bodies(message: Message) -> Bodies:
    """Read the text of a mail that is within the bounds of depth and number; HTML that shows nothing is none."""
    found = _find(message)
    if found == _Found():
        found = _Found(plain=_only_named_text(message))
    html = None if found.html is None else _decode(found.html)
    return Bodies(
        text=None if found.plain is None else _decode(found.plain),
        html=None if html is None or _shows_nothing(html) else html,
    )


def children(part: Message) -> list[Message]:
    """Give the parts of a part; none of a leaf."""
    # A leaf's get_payload() would decode its text and raise TypeError on `charset*=x'y'%ff`.
    payload = part.get_payload() if part.is_multipart() else []
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def own_parts(part: Message) -> Iterator[Message]:
    """Go through a part and those within it, but not through enclosed mails."""
    yield part
    if part.get_content_type().startswith("multipart/"):
        for child in children(part):
            yield from own_parts(child)


def parameter(part: Message, name: str) -> str:
    """Give a parameter of Content-Type in lower case, or ""."""
    value = part.get_param(name)
    return value.strip().lower() if isinstance(value, str) else ""


def _find(part: Message) -> _Found:
    """Find the text a person sees first.

    Only the two forms of one multipart/alternative are taken for the same text. Of a multipart/mixed the first part
    counts that says something: an iPhone puts an empty one above a picture, and a gateway its warning above all. Of any
    other multipart the first that holds text.
    """
    kind = part.get_content_type()
    if part.get_content_disposition() == "attachment" or part.get_filename():
        return _Found()
    if kind == "text/plain" and not part.is_multipart():
        return _Found(plain=part)
    if kind == "text/html" and not part.is_multipart():
        return _Found(html=part)
    if not kind.startswith("multipart/"):
        return _Found()
    # Compared and not tested for truth: a part without header fields is false.
    found = [one for child in children(part) if (one := _find(child)) != _Found()]
    if kind == "multipart/alternative":
        return _Found(
            plain=next((one.plain for one in found if one.plain is not None), None),
            html=next((one.html for one in found if one.html is not None), None),
        )
    first = found[0] if found else _Found()
    if kind != "multipart/mixed" or len(found) == 1:
        return first
    return next((one for one in found if _says_something(one)), first)


def _says_something(found: _Found) -> bool:
    forms: list[Sequence[str]] = []
    if found.plain is not None:
        forms.append(cut_to_lines(_decode(found.plain)))
    if found.html is not None:
        forms.append(html_to_lines(_decode(found.html)))
    return any(clean_line(line) for lines in forms for line in lines[banner_length(lines) :])


def _only_named_text(message: Message) -> Message | None:
    """Give the one text of a mail that is named as a file is and yet not attached, as telephones' gateways write it."""
    texts = [part for part in own_parts(message) if part.get_content_maintype() == "text"]
    if len(texts) != 1 or texts[0].get_content_type() != "text/plain" or texts[0].is_multipart():
        return None
    return texts[0] if texts[0].get_content_disposition() is None else None


def _shows_nothing(markup: str) -> bool:
    """Tell whether HTML holds neither text, be it quoted or hidden, nor a picture."""
    body = LexborHTMLParser(markup[:MOST_MARKUP]).body
    return body is None or not (clean_line(body.text()[:MOST_MARKUP]) or body.css_first(_PICTURE))


def _decode(part: Message) -> str:
    _tidy_encoding(part)
    payload = part.get_payload(decode=True)
    text = decode_bytes(payload if isinstance(payload, bytes) else b"", part.get_content_charset() or "")
    if part.get_content_type() == "text/plain" and parameter(part, "format") == "flowed":
        return unflow(text, delete_space=parameter(part, "delsp") == "yes")
    return text


def _tidy_encoding(part: Message) -> None:
    """Take away what may stand around the name of the transfer encoding: the standard library knows that alone."""
    written = str(part.get(_ENCODING, ""))
    bare = _COMMENT.sub("", written).strip()
    if bare != written:
        part.replace_header(_ENCODING, bare)
