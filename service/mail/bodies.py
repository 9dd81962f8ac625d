"""Finds among the parts of a mail the text that a person sees first, and decodes it.

Never opens an attachment and never enters an enclosed mail. What the text means is for others.
"""

from collections.abc import Iterator, Sequence
from email.message import Message
from functools import cached_property
from typing import Final, NamedTuple

from selectolax.lexbor import LexborHTMLParser

from service.mail.banners import banner_length
from service.mail.charsets import decode_bytes
from service.mail.html_text import MOST_MARKUP, html_to_lines
from service.mail.plain_text import cut_to_lines, unflow, without_invisible

_LONGEST_BANNER: Final = 32 * 1024
"""Characters of HTML: to read several that are nested as deep as they are long takes seconds."""
_PICTURE: Final = "img, svg, object, video, picture, canvas"


class Bodies(NamedTuple):
    """The two forms of one text; None where there is none."""

    text: str | None = None
    html: str | None = None


class _Leaf:
    """A part that holds text; decoded and read once, however many multiparts it stands in."""

    def __init__(self, part: Message) -> None:
        self._part = part

    @cached_property
    def text(self) -> str:
        return _decode(self._part)

    @cached_property
    def says_something(self) -> bool:
        """Whether it shows more than a gateway's banner; HTML of that length always does."""
        is_html = self._part.get_content_type() == "text/html"
        if is_html and len(self.text) > _LONGEST_BANNER:
            return True
        lines: Sequence[str] = html_to_lines(self.text) if is_html else cut_to_lines(self.text)
        return any(map(_shows, lines[banner_length(lines) :]))


class _Found(NamedTuple):
    plain: _Leaf | None = None
    html: _Leaf | None = None

    @property
    def says_something(self) -> bool:
        return any(leaf is not None and leaf.says_something for leaf in (self.plain, self.html))


def read_bodies(message: Message) -> Bodies:
    """Read the text of a mail that is within the bounds of depth and number; HTML that shows nothing is none."""
    found = _find(message)
    if found == _Found():
        found = _Found(plain=_only_named_text(message))
    html = None if found.html is None else found.html.text
    return Bodies(
        text=None if found.plain is None else found.plain.text,
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
        return _Found(plain=_Leaf(part))
    if kind == "text/html" and not part.is_multipart():
        return _Found(html=_Leaf(part))
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
    return next((one for one in found if one.says_something), first)


def _only_named_text(message: Message) -> _Leaf | None:
    """Give the one text of a mail that is named as a file is and yet not attached, as telephones' gateways write it."""
    texts = [part for part in own_parts(message) if part.get_content_maintype() == "text"]
    if len(texts) != 1 or texts[0].get_content_type() != "text/plain" or texts[0].is_multipart():
        return None
    return _Leaf(texts[0]) if texts[0].get_content_disposition() is None else None


def _shows_nothing(markup: str) -> bool:
    """Tell whether HTML holds neither text, be it quoted or hidden, nor a picture."""
    body = LexborHTMLParser(markup[:MOST_MARKUP]).body
    return body is None or not (_shows(body.text()[:MOST_MARKUP]) or body.css_first(_PICTURE))


def _shows(text: str) -> bool:
    """Tell whether anything is to be seen of a text, however many blanks stand before it."""
    return bool(without_invisible(text).strip())


def _decode(part: Message) -> str:
    payload = part.get_payload(decode=True)
    text = decode_bytes(payload if isinstance(payload, bytes) else b"", part.get_content_charset() or "")
    if part.get_content_type() == "text/plain" and parameter(part, "format") == "flowed":
        return unflow(text, delete_space=parameter(part, "delsp") == "yes")
    return text
