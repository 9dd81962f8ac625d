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
        assert [inliner.inline(html) for _ in range(3)] == [STANDARD.inline(html)] * 3


class Counted:
    """Counts how often the work is done."""

    def __init__(self) -> None:
        self.times = 0

    def inline(self, html: str) -> str:
        """Do it."""
        self.times += 1
        return STANDARD.inline(html)


def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[Inliner, Counted]:
    inliner, work = Inliner(), Counted()
    monkeypatch.setattr(inliner, "_inliner", work)
    return inliner, work


class Watched(Inliner):
    """Remembers what it was asked for last."""

    asked = ""

    def inline(self, html: str) -> str:
        """Remember it."""
        self.asked = html
        return super().inline(html)


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_the_third_mail_of_each_kind_takes_its_shape_from_those_before(
    kind: DeliveryKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched()
    monkeypatch.setattr(rendering, "_INLINER", watched)
    mail(kind, facts_of(kind))
    first = watched.asked
    inliner, work = counted(monkeypatch)
    for _ in range(2):
        inliner.inline(first)
    known = work.times
    other = first.replace("Acme Status", "A &amp; &lt;B&gt;").replace("status.acme.example", "b.example")
    assert inliner.inline(other) == STANDARD.inline(other) != STANDARD.inline(first)
    assert work.times == known


def test_what_is_in_a_link_stays_in_it() -> None:
    inliner = Inliner()
    for link in ("a", "b", "c"):
        inliner.inline(page("t", "n", "b", link))
    hostile = page("t", "n", "b", '" style="x')
    assert inliner.inline(hostile) == STANDARD.inline(hostile)
    assert 'href="https://a.example/&quot; style=&quot;x"' in inliner.inline(hostile)


ODD = {
    "a mark in an attribute": '<p title="a > b" class="red">{text}</p>',
    "a comment": "<!-- <p class='red'>{text}</p> --><p>{text}</p>",
    "a text in a comment": "<!-- a > {text} --><b>seen</b><!-- b -->",
    "a text in a table": "<table>{text}<tr><td>b</td></tr></table>",
    "two of them, which change places": "<table><tr><td>{text}</td>{other}</tr></table>",
    "links in a table": '<table><tr><td><a href="{text}">b</a></td><a href="{other}">b</a></tr></table>',
    "a link": '<a href="{text}">b</a>',
    "a link in other marks": "<a href='{text}'>b</a>",
    "an entity of old": '<a href="?a=1&copy={text}">&copy {text}</a>',
    "a gap": "<p class=red>{text}\x02</p>",
    "a gap in an attribute": "<p title='\x02'>{text}</p>",
    "a script": '<script type="application/ld+json">{{"name": "{text}"}}</script>',
    "no script": "<noscript>{text}</noscript>",
    "a sheet in the body": '<style>a {{ color: #0c0; }}</style><a href="{text}">b</a>',
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_html_is_what_it_would_be_alone(odd: str) -> None:
    inliner = Inliner()
    texts = [("one", "one"), ("one", "one"), ("two", "three"), ("&#34;,&#39;--&gt; &amp;lt;", "mailto:a")]
    for text, other in [*texts, ("mailto:b", "=2"), ("?a=1&copy=2", "&notit;"), ("\x02", "\xa0")]:
        html = PAGE.replace("{body}", ODD[odd]).format(title="t", name="n", link="l", text=text, other=other)
        assert [inliner.inline(html) for _ in range(2)] == [STANDARD.inline(html)] * 2


def test_a_sheet_may_ask_for_a_link() -> None:
    inliner = Inliner()
    of_mails = PAGE.replace("td p {{", 'a[href^="https://a.example/mail"] {{ color: #0c0; }} td p {{')
    for link in ("a", "a", "a", "mail", "b"):
        html = of_mails.format(title="t", name="n", body="b", link=f"https://a.example/{link}")
        assert inliner.inline(html) == STANDARD.inline(html)


def test_a_shape_that_depends_on_its_texts_is_examined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    inliner, work = counted(monkeypatch)
    html = PAGE.replace("{body}", ODD["a script"]).format(title="t", name="n", link="l", text="x")
    for _ in range(3):
        inliner.inline(html)
    known = work.times
    inliner.inline(html)
    assert work.times == known + 1


def test_html_without_a_head_is_what_it_would_be_alone() -> None:
    inliner = Inliner()
    for html in ("", "<p>a</p>", "<p>b</p>", "plain", "<p>c</p>", "simple"):
        assert [inliner.inline(html) for _ in range(2)] == [STANDARD.inline(html)] * 2


def test_no_more_shapes_are_kept_than_are_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlining, "MOST_CHARACTERS", 10_000)
    inliner = Inliner()
    kept = []
    for number in range(40):
        html = page("t", "n", "- a\n" * number, "l")
        for _ in range(3):
            assert inliner.inline(html) == STANDARD.inline(html)
        kept.append(inliner.characters)
    assert 5_000 < max(kept) <= 10_000
    monkeypatch.setattr(inlining, "LARGEST_SHAPE", 500)
    inliner.inline(page("t", "n", "- b\n" * 99, "l"))
    assert inliner.characters == kept[-1]
