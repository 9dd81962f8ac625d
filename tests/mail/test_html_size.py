"""What Gmail does to HTML mails: it hides what comes after 102 KB, and some programs read no style sheet."""

import re
from typing import Any

import pytest

from service.model import MAIL_KINDS, DeliveryKind
from tests.mail.compose_samples import facts_of, mail, text_of

GMAIL_CLIPS_AT = 102 * 1024
LONGEST_TEXT = 20_000
"""Characters of an update, as forms and the API take them."""
LONGEST_LINE = 500
MOST = 200
"""Components and sentences."""
TEXTS = {"body", "message", "update_body"}
KEPT = {
    "status",
    "state",
    "reason",
    "subscriber_public_id",
    "in_reply_to",
    "public_path",
    "dashboard_path",
    "path",
}
"""Words that are chosen, and not written."""
PIECES = ("&", "<", "漢", "- a\n", "**b** ", "[a](https://x.example)\n", "|a|b|\n|-|-|\n|c|d|\n")


def longest(value: Any, piece: str, name: str = "") -> Any:  # noqa: ANN401  facts are JSON
    """Give facts of the same form in which each text is as long and each list as full as can be."""
    match value:
        case dict():
            return {key: longest(one, piece, key) for key, one in value.items()}
        case list() if value and name != "references":
            return [longest(value[0], piece, name) for _ in range(MOST)]
        case str() if name in TEXTS:
            return (piece * LONGEST_TEXT)[:LONGEST_TEXT]
        case str() if name not in KEPT and not name.endswith("_at"):
            return (piece.replace("\n", " ") * LONGEST_LINE)[:LONGEST_LINE]
        case _:
            return value


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_gmail_hides_nothing_of_the_longest_mail_of_each_kind(kind: DeliveryKind, piece: str) -> None:
    html = text_of(mail(kind, longest(facts_of(kind), piece)), "html")
    assert len(html.encode()) < GMAIL_CLIPS_AT
    assert html.rstrip().endswith("</html>")


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_every_style_stands_in_its_element_too(kind: DeliveryKind) -> None:
    html = text_of(mail(kind), "html")
    [body] = re.findall(r"<body.*</body>", html, re.DOTALL)
    bare = [tag for tag in re.findall(r"<(?:p|td|h1|h2)\b[^>]*>", body) if "style=" not in tag]
    assert not bare
    assert "color-scheme" in html
    assert not re.search(r"<img|url\(", html)
