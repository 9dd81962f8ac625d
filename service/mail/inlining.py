"""Puts the style sheet of a mail's HTML into its elements, since some mail programs look at nothing else.

What an element looks like depends on the elements around it and on no text. So the sheet is put into the shape of a
mail, which is its HTML without texts and links, and that is kept for the next mail of this shape: to put the texts in
takes a third of the time.
"""

import re
from collections.abc import Sequence
from html import unescape
from itertools import chain, zip_longest
from typing import Final

import css_inline

MOST_SHAPES: Final = 64
"""Kept at once; a mail with another number of lines is of another shape."""
_GAP: Final = "\x02"
"""Stands where a text or link was taken out; no fact holds it."""
_TEXT: Final = re.compile(r">(\s*)([^<\s][^<]*)")
_LINK: Final = ' href="'
_ESCAPED: Final = {"<": "&lt;", ">": "&gt;", '"': "&quot;"}


class Inliner:
    """Gives, byte for byte, what `css_inline` gives; for any thread."""

    def __init__(self) -> None:
        self._inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
        self._shapes: dict[str, Sequence[str] | None] = {}
        """What comes between the texts; None where it depends on them."""

    @property
    def shapes(self) -> int:
        """How many shapes are kept."""
        return len(self._shapes)

    def inline(self, html: str) -> str:
        """Give the same HTML with its style sheet in its elements too."""
        shape, texts = _taken_apart(html)
        if shape not in self._shapes:
            return self._of_new_shape(shape, texts, html)
        between = self._shapes[shape]
        return self._inliner.inline(html) if between is None else _put_together(between, texts)

    def _of_new_shape(self, shape: str, texts: Sequence[str], html: str) -> str:
        whole = self._inliner.inline(html)
        between = self._inliner.inline(shape).split(_GAP)
        is_as_good = len(between) == len(texts) + 1 and _put_together(between, texts) == whole
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        self._shapes[shape] = between if is_as_good else None
        return whole


def _taken_apart(html: str) -> tuple[str, list[str]]:
    """Give the shape, and what was taken out of it as it is written in the end."""
    head, end_of_head, body = html.partition("</head>")
    before_title, begin, rest = head.partition("<title>")
    title, end, after_title = rest.partition("</title>")
    shape, texts = [before_title, begin, _GAP, end, after_title, end_of_head], [_written(title, "<>")]
    pieces = iter(_TEXT.split(body))
    for tags in pieces:
        begin_of_tags, *links = tags.split(_LINK)
        shape.append(begin_of_tags)
        for link in links:
            where, end, following = link.partition('"')
            texts.append(_written(where, '"'))
            shape += [_LINK, _GAP, end, following]
        spaces = next(pieces, None)
        if spaces is not None:
            texts.append(_written(next(pieces), "<>"))
            shape += [">", spaces, _GAP]
    return "".join(shape), texts


def _written(text: str, marks: str) -> str:
    """Write a text as HTML is serialized, which escapes nothing but `&`, the hard space, and these marks."""
    if "&" in text:
        text = unescape(text).replace("&", "&amp;")
        for mark in marks:
            text = text.replace(mark, _ESCAPED[mark])
    return text.replace("\xa0", "&nbsp;") if "\xa0" in text else text


def _put_together(between: Sequence[str], texts: Sequence[str]) -> str:
    return "".join(chain.from_iterable(zip_longest(between, texts, fillvalue="")))
