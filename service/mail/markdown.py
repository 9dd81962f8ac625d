"""Turns the Markdown of incidents into HTML that may stand in a mail.

Whatever the text holds (HTML, scripts, images, wild links), nothing comes out but plain structure and links
to http, https and mailto. It never fetches anything.
"""

from functools import lru_cache
from typing import Final

import nh3
from markdown_it import MarkdownIt

_PARSER: Final = (
    MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True, "maxNesting": 10})
    .enable(["strikethrough", "table"])
    .disable("image")
)
_TAGS: Final = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
_CLEANER: Final = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer nofollow",
)


_LONGEST_KEPT: Final = 4_000
"""Characters of a text whose HTML is kept, so that a thousand of them are some megabytes."""


def to_html(source: str) -> str:
    """Give CommonMark (with tables, strikethrough, line breaks kept) as clean HTML, no images, no styles.

    What was given is kept, unless it is long: an update never changes and stands on many pages, and in the mails of a
    storm.
    """
    return _kept(source) if len(source) <= _LONGEST_KEPT else _rendered(source)


def _rendered(source: str) -> str:
    return _CLEANER.clean(_PARSER.render(source))


_kept: Final = lru_cache(maxsize=1_024)(_rendered)
