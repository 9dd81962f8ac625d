"""Puts the style sheet of a mail's HTML into its elements, since some mail programs look at nothing else.

What an element looks like depends on the elements around it and on no text. So the sheet is put into the shape of a
mail, which is its HTML without texts and links, and that is kept for the next mail of this shape: to put the texts in
takes a third of the time.
"""

import re
from collections.abc import Sequence
from enum import Enum
from html import unescape
from itertools import chain, zip_longest
from typing import Final

import css_inline

MOST_CHARACTERS: Final = 1_000_000
"""Of all shapes that are kept: some sixty of usual mails."""
LARGEST_SHAPE: Final = 64_000
"""Characters; a mail of a larger one is hardly followed by another."""
_GAP: Final = "\x02"
"""Stands where a text or link was taken out."""
_TEXT: Final = re.compile(r">(\s*)([^<\s][^<]*)")
_LINK: Final = ' href="'
_ODD_ENTITY: Final = re.compile("&(?!(?:amp|lt|gt|quot|#34|#39);)")
"""What a link says by it depends on what follows."""
_ESCAPED: Final = {"<": "&lt;", ">": "&gt;", '"': "&quot;"}


class _Known(Enum):
    """What is known of a shape of which nothing is kept."""

    ONCE = "a mail had it, and perhaps no other one will"
    DEPENDS = "what comes out of it depends on the texts"


class Inliner:
    """Gives, byte for byte, what `css_inline` gives; for any thread."""

    def __init__(self) -> None:
        self._inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
        self._shapes: dict[str, tuple[str, ...] | _Known] = {}
        """What comes between the texts."""
        self.characters = 0
        """How many are kept, about."""

    def inline(self, html: str) -> str:
        """Give the same HTML with its style sheet in its elements too."""
        shape, texts = _taken_apart(html)
        known = self._shapes.get(shape)
        if isinstance(known, tuple):
            return _put_together(known, texts)
        whole = self._inliner.inline(html)
        if known is None:
            self._keep(shape, _Known.ONCE)
        elif known is _Known.ONCE:
            between = tuple(self._inliner.inline(shape).split(_GAP))
            is_as_good = self._is_of_any_text(shape, between) and _put_together(between, texts) == whole
            self._keep(shape, between if is_as_good else _Known.DEPENDS)
        return whole

    def _is_of_any_text(self, shape: str, between: tuple[str, ...]) -> bool:
        """Tell whether other texts in each place come out as they would in a mail of their own."""
        if "[href" in shape:
            return False  # what an element looks like may depend on its link
        places = shape.split(_GAP)
        others = [f"{number}&amp;&lt;&gt;&#34;&#39;\xa0" for number in range(len(places) - 1)]
        html = _put_together(places, others)
        again, texts = _taken_apart(html)
        is_same = again == shape and len(between) == len(texts) + 1
        return is_same and _put_together(between, texts) == self._inliner.inline(html)

    def _keep(self, shape: str, known: tuple[str, ...] | _Known) -> None:
        if len(shape) > LARGEST_SHAPE:
            return
        added = len(shape) + (sum(map(len, known)) if isinstance(known, tuple) else 0)
        if self.characters + added > MOST_CHARACTERS:
            self._shapes.clear()
            self.characters = 0
        self._shapes[shape] = known
        self.characters += added


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
            if _ODD_ENTITY.search(where):
                shape += [_LINK, link]
                continue
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
