"""A public page as a file for a static host: what it is called there, and where its links lead. Pure.

Nothing in it asks our house for anything by itself: no script, no form.
"""

import re
from collections.abc import Container
from typing import Final
from urllib.parse import urlsplit

from markupsafe import escape

_LINK: Final = re.compile(r'\b(href|src)="(/(?!/)[^"]*)"')
"""A link within the site, as templates and our Markdown write it; text never holds a quote that is not escaped."""
_SCRIPT: Final = re.compile(r"(?<![ \t])[ \t]*<script\b[^>]*></script>\n?")
_FORM: Final = re.compile(r"<form\b.*?</form>", re.DOTALL)
_MONTH: Final = re.compile(r"month=(20[0-9]{2}-[0-9]{2})(&page=([1-9][0-9]{0,8}))?")
_STATIC: Final = re.compile(r"/static/([a-z0-9-]+\.[a-z0-9]+)")
_WITH_PAGES: Final = re.compile(
    r"/(incidents|maintenance)/[1-9][0-9]*|/history(/20[0-9-]+(/[0-9]+)?)?|/static/[a-z0-9-]+\.[a-z0-9]+|/"
)


def file_of(path: str) -> str:
    """Tell in which file a path is found; what has no ending is the index of a folder."""
    name = path.strip("/")
    if "." in name.rpartition("/")[2]:
        return name
    return f"{name}/index.html" if name else "index.html"


def history_path(month: str, number: int = 1) -> str:
    """Tell where a static host has a month's history, which /history knows by a query."""
    return f"/history/{month}" if number == 1 else f"/history/{month}/{number}"


def static_html(html: str, path: str, exported: Container[str], site_url: str) -> str:
    """Let a page's links lead to the files beside it, and where there is none, to the page itself.

    They are relative, so that the folder may lie below any address.
    """
    upwards = "../" * file_of(path).count("/")

    def lead(link: re.Match[str]) -> str:
        target = urlsplit(link[2].replace("&amp;", "&"))
        there = target.path.rstrip("/") or "/"
        month = _MONTH.fullmatch(target.query)
        if there == "/history" and month:
            there = history_path(month[1], int(month[3] or 1))
        elif target.query or not (there in exported or _WITH_PAGES.fullmatch(there)):
            return f'{link[1]}="{escape(site_url)}{link[2]}"'
        file = file_of(there).removesuffix("index.html")
        fragment = f"#{escape(target.fragment)}" if target.fragment else ""
        return f'{link[1]}="{upwards + file or "./"}{fragment}"'

    subscribe = f'<p><a class="button button--primary" href="{escape(site_url)}/subscribe">Subscribe</a></p>'
    return _LINK.sub(lead, _FORM.sub(subscribe, without_scripts(html)))


def without_scripts(html: str) -> str:
    """Give a page of ours as it is where none of its scripts may run."""
    return _SCRIPT.sub("", html)


def static_files_of(html: str) -> set[str]:
    """Tell which of our static files a page needs, by name, once it has no script."""
    links = (_STATIC.fullmatch(link[2]) for link in _LINK.finditer(without_scripts(html)))
    return {link[1] for link in links if link}
