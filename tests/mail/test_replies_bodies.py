"""HTML, charsets and flowed text become the lines a person saw."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.charsets import decode_bytes
from service.mail.html_text import html_to_lines
from service.mail.plain_text import cut_to_lines, unflow


def visible(markup: str) -> list[str]:
    return [line for line in html_to_lines(markup) if line]


@pytest.mark.parametrize(
    "markup",
    [
        "publish",
        "<p>publish</p>",
        "<div>pub<b>lish</b></div>",
        "<html><head><title>discard</title><style>discard</style></head><body>publish</body></html>",
        "<script>discard</script><p>publish</p>",
        "<!-- discard --><p>publish",
        "<!--[if mso]><p>discard</p><![endif]--><p>publish</p>",
        "<p hidden>discard</p><p>publish</p>",
        "<p style='DISPLAY : NONE'>discard</p><p>publish</p>",
        "<p style='color:red;font-size:0'>discard</p><p>publish</p>",
        "<p style='font-size:0px;line-height:0'>discard</p><p>publish</p>",
        "<p style='visibility: hidden !important'>discard</p><p>publish</p>",
        "<p style='mso-hide:all'>discard</p><p>publish</p>",
        "<div style='max-height:0px;overflow:hidden'>discard</div><p>publish</p>",
        "<div style='display:none'><div><p>discard</p></div></div>publish",
        "<s>discard</s><p>publish</p>",
        "<span style='text-decoration: line-through'>discard</span> publish",
        "<p style='font-size:0.9em'>publish</p>",
        "<table><tr><td>publish</td></tr></table>",
        "<p>publish</p><div id='appendonsend'></div><p>discard</p>",
        "<p>publish</p><hr><div id='divRplyFwdMsg'>From: x</div><p>discard</p>",
        "<p>publish</p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt'>From:</div></div>discard",
        "<p>pub&shy;lish</p>".replace("&shy;", ""),
        # nothing but room above
        "<p></p>publish",
        "<ul></ul>publish",
        "<table></table>publish",
        "<hr>publish",
        "<p><br></p><p>&nbsp;</p><div>publish</div>",
        "<div><p></p><p>publish</p></div>",
        '<p><img src="cid:logo"></p><div>publish</div>',
    ],
)
def test_only_what_is_seen_and_new_is_read(markup: str) -> None:
    assert visible(markup) == ["publish"]


@pytest.mark.parametrize(
    "markup",
    [
        "one<br>two",
        "<p>one</p><p>two</p>",
        "<div>one</div>two",
        "one<div>two</div>",
        "<div><div>one</div></div><div>two</div>",
        "<table><tr><td>one</td></tr><tr><td>two</td></tr></table>",
        "<pre>one\ntwo</pre>",
        "<h1>one</h1>two",
    ],
)
def test_blocks_become_lines(markup: str) -> None:
    assert visible(markup) == ["one", "two"]


@pytest.mark.parametrize(
    "markup",
    [
        "<p>one</p><p>two</p>",
        "<p class=MsoNormal>one</p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>two</p>",
        "<div>one</div><div><br></div><div>two</div>",
        "<p>one</p><ul><li>two</li></ul>",
        "<ul><li>one</li></ul>two",
        "<h1>one</h1>two",
        "<div>one</div><hr><div>two</div>",
        "<div>one</div><dl><dt>two</dt></dl>",
        "<div>one</div><pre>two</pre>",
        "<p style='margin-top:0;margin-bottom:1rem'>one</p>two",
        "<p style='margin-top:0'>one</p>two",
        "<p style='margin:0px auto 16px'>one</p>two",
        "<p style='margin: 0 0 10px 0'>one</p>two",
        "<p style='margin:0;margin-bottom:.5em'>one</p>two",
    ],
)
def test_what_has_room_between_is_two_paragraphs(markup: str) -> None:
    assert [line.removeprefix("- ") for line in html_to_lines(markup)] == ["one", "", "two"]


@pytest.mark.parametrize(
    "markup",
    [
        "<p class=MsoNormal>one</p><p class='x_MsoNormal'>two</p>",
        "<p style='margin: 0in 0in 0.0001pt'>one</p><p style='margin:0'>two</p>",
        "<p style='margin-top:0px;margin-bottom:0px'>one</p>\n <p style='margin-bottom: 0'>two</p>",
        "<p style='margin:0in;margin-bottom:.0001pt'>one</p><p style='margin:1em 0 0'>two</p>",
        "<div>one</div>\n\n<div>two</div>",
    ],
)
def test_what_has_no_room_between_is_one_paragraph(markup: str) -> None:
    assert html_to_lines(markup) == ("one", "two")


def test_a_list_belongs_to_the_line_above_it() -> None:
    markup = "<div>one</div><ul><li>two<ol><li>three</li></ol></li><li>four</li></ul><div>five</div>"
    assert html_to_lines(markup) == ("one", "- two", "- three", "- four", "", "five")


@pytest.mark.parametrize(
    "signature",
    [
        "<div id=Signature>Jordan</div>",
        "<div id='ms-outlook-mobile-signature'>Jordan</div>",
        "<div class='gmail_signature' dir=ltr>Jordan</div>",
        "<pre class='moz-signature' cols=72>Jordan</pre>",
    ],
)
def test_a_signature_is_marked_as_in_plain_text_unless_somebody_may_have_typed_in_its_place(
    signature: str,
) -> None:
    above = "<div>Hi,</div><div>publish</div>"
    assert [line for line in html_to_lines(above + signature) if line] == ["Hi,", "publish", "--", "Jordan"]
    assert html_to_lines(f"<div>Hi,</div>{signature}") == ("Hi,", "", "Jordan")
    assert html_to_lines(signature) == ("Jordan",)


def test_a_border_above_all_is_that_of_a_banner() -> None:
    markup = "<div style='border-top:solid 1pt'>CAUTION</div><div>publish</div>"
    assert visible(markup) == ["CAUTION", "publish"]


def test_white_space_is_folded_and_cells_are_apart() -> None:
    assert visible("<p>one\n  &nbsp; two</p><table><tr><td>a</td><td>b</td></tr></table>") == [
        "one two",
        "a b",
    ]


def test_a_list_item_keeps_its_mark() -> None:
    assert visible("<ul><li>publish</li><li>discard</li></ul>") == ["- publish", "- discard"]


@pytest.mark.parametrize(
    "quote",
    [
        "<blockquote>publish</blockquote>",
        "<blockquote type=cite><div><p>publish</p></div></blockquote>",
        "<div class=gmail_quote>publish</div>",
        "<div class='gmail_quote gmail_quote_container'>publish<blockquote></blockquote></div>",
        "<div class=moz-cite-prefix>publish</div>",
        "<div id=yiv class='yahoo_quoted'>publish</div>",
        "<div class=protonmail_quote>publish</div>",
    ],
)
def test_a_quote_is_marked(quote: str) -> None:
    assert visible(f"<p>Hm.</p>{quote}<p>Bye</p>") == ["Hm.", "> publish", "Bye"]


def test_what_gmail_keeps_below_its_quote_is_new() -> None:
    markup = "<div class=gmail_quote>On … wrote:<blockquote>It is down</blockquote><div>publish</div></div>"
    assert visible(markup) == ["> On … wrote:", "> It is down", "publish"]


def test_new_text_below_a_quote_stands_apart() -> None:
    assert html_to_lines("<blockquote>It is down</blockquote>publish") == ("> It is down", "", "publish")


def test_html_is_bounded() -> None:
    assert len(html_to_lines("<p>line</p>" * 5000)) == 400


def test_text_is_bounded() -> None:
    assert len(cut_to_lines("line\n" * 5000)) == 400
    assert sum(map(len, cut_to_lines("x" * 100_000))) == 64 * 1024


@pytest.mark.parametrize(
    ("payload", "charset", "text"),
    [
        (b"gr\xc3\xbc\xc3\x9fe", "utf-8", "grüße"),
        (b"gr\xc3\xbc\xc3\x9fe", "", "grüße"),
        (b"gr\xfc\xdfe", "", "grüße"),
        (b"gr\xfc\xdfe", "us-ascii", "grüße"),
        (b"gr\xfc\xdfe", "x-unknown", "grüße"),
        (b"gr\xfc\xdfe", "iso-8859-1", "grüße"),
        (b"gr\xfc\xdfe", "a\x00b", "grüße"),
        (b"\x93yes\x94", "", "\u201cyes\u201d"),
        (b"\x81", "", "\ufffd"),
        (b"cut gr\xc3", "utf-8", "cut gr"),
        (rb"\u0070ublish", "unicode_escape", r"\u0070ublish"),
        (b"+AHA-ublish", "utf-7", "+AHA-ublish"),
        (b"xn--a", "punycode", "xn--a"),
        (b"publish", "rot13", "publish"),
        (b"publish", "zlib", "publish"),
        ("publish".encode("utf-16"), "utf-16", "publish"),
        ("はい".encode("iso-2022-jp"), "iso-2022-jp", "はい"),
        # the name is that of a smaller set than what programs write by it
        (b"don\x92t", "iso-8859-1", "don\u2019t"),
        ("復旧①".encode("cp932"), "Windows-31J", "復旧①"),
        ("復旧①".encode("cp932"), "x-sjis", "復旧①"),
        ("发布镕".encode("gbk"), "GB2312", "发布镕"),
        ("업데이트뷁".encode("cp949"), "ks_c_5601-1987", "업데이트뷁"),
        ("Сервис".encode("cp1251"), "cp-1251", "Сервис"),
        # a few bytes that do not fit, among many that do
        (b"gr\xc3\xbc\xc3\x9fe \xe4x", "utf-8", "grüße \ufffdx"),
        # another writing is not read as if it were Western
        ("Сервис".encode("cp1251"), "x-unknown", "\ufffd" * 6),
        ("Сервис ok".encode("koi8-r"), "", "\ufffd" * 6 + " ok"),
    ],
)
def test_bytes_are_decoded_as_well_as_can_be(payload: bytes, charset: str, text: str) -> None:
    assert decode_bytes(payload, charset) == text


@pytest.mark.parametrize(
    ("flowed", "text"),
    [
        ("publish \ntomorrow", "publish tomorrow"),
        ("publish\ntomorrow", "publish\ntomorrow"),
        ("publish \n\ntomorrow", "publish \ntomorrow"),
        ("publish \n-- \nJordan", "publish \n-- \nJordan"),
        ("> It is \n> down\npublish", "> It is down\npublish"),
        ("> It is \npublish", "> It is \npublish"),
        (">> deep \n> less", ">> deep \n> less"),
        (" > stuffed", "> stuffed"),
        (" From here", "From here"),
        ("one \r\ntwo", "one two"),
    ],
)
def test_flowed_text_is_joined(flowed: str, text: str) -> None:
    assert unflow(flowed, delete_space=False) == text


def test_delsp_deletes_the_space() -> None:
    assert unflow("pub \nlish", delete_space=True) == "publish"


BLOCKS = [
    *(
        "b",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "h1",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "span",
    ),
    *("table", "tbody", "td", "tr", "ul"),
]
STYLES = ("", " style='margin:0'", " style='margin:0 auto 1em'", " class='MsoNormal'", " id='Signature'")
WORDS = st.integers(10, 99).map("w{}".format)
MARKUP = st.recursive(
    WORDS | st.sampled_from(["", " ", "&nbsp;", "\n", "<img src=x>"]),
    lambda inner: st.builds(
        lambda tag, style, parts: f"<{tag}{style}>{' '.join(parts)}</{tag}>",
        st.sampled_from(BLOCKS),
        st.sampled_from(STYLES),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


@given(st.lists(MARKUP, max_size=4).map("".join))
def test_whatever_stands_in_whatever_all_that_is_seen_is_read(markup: str) -> None:
    lines = html_to_lines(markup)
    # browsers too put what stands in a table and in no cell above it
    assert sorted(re.findall(r"w\d\d", " ".join(lines))) == sorted(re.findall(r"w\d\d", markup))
    assert lines[:1] != ("",)


@given(
    st.lists(
        st.sampled_from(["<", ">", "/", "p", "ul", "li", "table", "hr", " ", "x", "id=Signature", "&nbsp;"])
    )
)
def test_html_of_any_form_is_read(pieces: list[str]) -> None:
    assert all(line == line.strip() for line in html_to_lines("".join(pieces)))
