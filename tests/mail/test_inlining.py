"""A style sheet that is put in by shape gives what `css_inline` gives, whatever the texts are."""

import css_inline
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from service.mail import inlining, rendering
from service.mail.inlining import Inliner
from service.mail.markdown import to_html
from service.model import MAIL_KINDS, DeliveryKind
from tests.mail.compose_samples import facts_of, mail

STANDARD = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>.red {{ color: #c00; }} td p {{ margin: 0; }} @media print {{ p > a {{ color: #000; }} }}</style></head>
<body><table><tr><td class="red">&nbsp;<p>Hello {name}, &rarr; {body}</p></td></tr></table>
<p>Or <a class="red" href="{link}">{name}</a>.</p></body></html>
"""
TEXTS = st.text(
    st.one_of(st.sampled_from("&<>\"'; \xa0\x02#ampltqu"), st.characters(exclude_categories=("Cc", "Cs")))
)


def page(title: str, name: str, body: str, link: str) -> str:
    return PAGE.format(
        title=escape(title), name=escape(name), body=to_html(body), link=escape(f"https://a.example/{link}")
    )


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), min_size=2, max_size=4))
def test_mails_of_one_shape_are_what_each_would_be_alone(all_texts: list[tuple[str, str, str, str]]) -> None:
    inliner = Inliner()
    for texts in all_texts:
        html = page(*texts)
        assert inliner.inline(html) == inliner.inline(html) == STANDARD.inline(html)


class Watched(Inliner):
    """Remembers what it was asked for last."""

    asked = ""

    def inline(self, html: str) -> str:
        """Remember it."""
        self.asked = html
        return super().inline(html)


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_the_second_mail_of_each_kind_takes_its_shape_from_the_first(
    kind: DeliveryKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    inliner = Watched()
    monkeypatch.setattr(rendering, "_INLINER", inliner)
    mail(kind, facts_of(kind))
    first = inliner.asked
    monkeypatch.setattr(inliner, "_inliner", None)  # whoever still asks it fails
    other = first.replace("Acme Status", "A &amp; &lt;B&gt;")
    assert inliner.inline(other) == STANDARD.inline(other) != STANDARD.inline(first)


@pytest.mark.parametrize(
    "odd",
    [
        '<p title="a > b" class="red">{text}</p>',
        "<!-- <p class='red'>{text}</p> --><p>{text}</p>",
        "<table>{text}<tr><td>b</td></tr></table>",
        "<a href='{text}'>b</a>",
        '<a href="?a=1&copy={text}">&copy {text}</a>',
        "<p class=red>{text}\x02</p>",
        "<p title='\x02'>{text}</p>",
    ],
)
def test_odd_html_is_what_it_would_be_alone(odd: str) -> None:
    inliner = Inliner()
    for text in ("one", "two &lt; three", "\x02"):
        html = PAGE.replace("{body}", odd).format(title="t", name="n", link="l", text=text)
        assert [inliner.inline(html) for _ in range(2)] == [STANDARD.inline(html)] * 2


def test_html_without_a_head_is_what_it_would_be_alone() -> None:
    inliner = Inliner()
    for html in ("", "<p>a</p>", "<p>b</p>", "plain"):
        assert [inliner.inline(html) for _ in range(2)] == [STANDARD.inline(html)] * 2


def test_no_more_shapes_are_kept_than_are_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlining, "MOST_SHAPES", 3)
    inliner = Inliner()
    for number in range(10):
        html = page("t", "n", "- a\n" * number, "l")
        assert inliner.inline(html) == STANDARD.inline(html)
        assert inliner.shapes <= 3
