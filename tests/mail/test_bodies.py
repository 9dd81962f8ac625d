"""Of a mail of several parts that one is read which its author wrote first, whatever stands above it or beside it."""

import base64
import email

import pytest

from service.mail import bodies
from service.mail.parsing import parse_mail
from service.mail.replies import Reply, ReplyReason, read_reply
from service.mail.words import Command

HEAD = (
    "From: jordan@acme.example\r\nTo: status+mfrggzdfmztwq2lknnwg23tpob@acme.example\r\nMIME-Version: 1.0\r\n"
)
TEXT = "Content-Type: text/plain"
HTML = "Content-Type: text/html"
PICTURE = "Content-Type: image/jpeg; name=IMG_1.jpg\nContent-Disposition: inline; filename=IMG_1.jpg\n\nAAAA"
EMPTY_HTML = (
    f"{HTML}\n\n<html><head><title>x</title></head><body dir=auto><div><br></div>&nbsp;</body></html>"
)
BANNER = "CAUTION: This email originated from outside of the organization. Do not click links."


def read(part: str) -> Reply:
    raw = HEAD + part.replace("\n", "\r\n")
    return read_reply(raw.encode(), own_address="status@acme.example", instance_id="acme-1")


def parts(kind: str, *each: str, boundary: str = "b") -> str:
    body = "".join(f"--{boundary}\n{one}\n" for one in each)
    return f"Content-Type: multipart/{kind}; boundary={boundary}\n\n{body}--{boundary}--\n"


def alternative(text: str, html: str) -> str:
    return parts("alternative", f"{TEXT}\n\n{text}", f"{HTML}\n\n{html}", boundary="alternative")


@pytest.mark.parametrize(
    "mail",
    [
        parts("mixed", f"{TEXT}\n\n\n", PICTURE, f"{TEXT}\n\npublish\n\nSent from my iPhone"),
        parts("mixed", PICTURE, f"{TEXT}\n\npublish"),
        parts("mixed", f"{TEXT}\n\n \u200b \n", f"{TEXT}\n\npublish"),
        parts("mixed", EMPTY_HTML, PICTURE, f"{HTML}\n\n<p>publish</p>"),
        parts("mixed", EMPTY_HTML, f"{TEXT}\n\npublish"),
        parts("mixed", f"{TEXT}\n\n{BANNER}", alternative("publish", "<p>publish</p>")),
        parts("mixed", alternative(BANNER, f"<p>{BANNER}</p>"), f"{TEXT}\n\npublish"),
        parts("mixed", f"{TEXT}\n\n", parts("mixed", f"{TEXT}\n\n", f"{TEXT}\n\npublish", boundary="c")),
        parts("alternative", f"{TEXT}\n\npublish", EMPTY_HTML),
        parts("alternative", f"{TEXT}\n\n", f"{HTML}\n\n<p>publish</p>"),
        parts(
            "alternative",
            f"{TEXT}\n\n\n\npublish",
            parts("mixed", EMPTY_HTML, PICTURE, f"{HTML}\n\n<p>publish</p>", boundary="c"),
        ),
        f"{HTML}\n\n<html><body>{' ' * 1200}<p>publish</p></body></html>",
        parts("mixed", f'{TEXT}; name="publish.txt"\n\npublish'),
        f'{TEXT}; name="publish.txt"\n\npublish',
        parts("mixed", f'{TEXT}; name="text_0.txt"\n\npublish', PICTURE),
        parts("mixed", f"{TEXT}\n\npublish", "Content-Type: application/ms-tnef; name=winmail.dat\n\nAAAA"),
    ],
)
def test_the_first_part_that_says_something_is_read(mail: str) -> None:
    reply = read(mail)
    assert (reply.command, reply.first_line) == (Command.PUBLISH, "publish")


@pytest.mark.parametrize(
    ("mail", "reason"),
    [
        (parts("mixed", f"{TEXT}\n\nHm.", f"{TEXT}\n\npublish"), ReplyReason.NO_COMMAND),
        (parts("mixed", f"{TEXT}\n\n> quoted", f"{TEXT}\n\npublish"), ReplyReason.EMPTY),
        (parts("mixed", f"{TEXT}\n\n{BANNER}\n\nHm.", f"{TEXT}\n\npublish"), ReplyReason.NO_COMMAND),
        (parts("related", f"{TEXT}\n\n", f"{TEXT}\n\npublish"), ReplyReason.EMPTY),
        (parts("unknown", f"{TEXT}\n\n", f"{TEXT}\n\npublish"), ReplyReason.EMPTY),
        (
            parts("mixed", f"{TEXT}\n\n", f"{TEXT}\nContent-Disposition: attachment\n\npublish"),
            ReplyReason.EMPTY,
        ),
        (
            parts("mixed", f"{TEXT}\n\n", f"{TEXT}\nContent-Disposition: inline; filename=a.txt\n\npublish"),
            ReplyReason.EMPTY,
        ),
        (parts("mixed", f"{TEXT}\n\n", f"{TEXT}; name=a.txt\n\npublish"), ReplyReason.EMPTY),
        (
            parts("mixed", f"{TEXT}; name=a.txt\n\npublish", f"{TEXT}; name=b.txt\n\npublish"),
            ReplyReason.EMPTY,
        ),
        (parts("mixed", f"{HTML}; name=a.html\n\npublish"), ReplyReason.EMPTY),
        (
            parts("mixed", f"{TEXT}; name=a.txt\nContent-Disposition: inline\n\npublish"),
            ReplyReason.EMPTY,
        ),
        (
            parts("mixed", f"{TEXT}; name=a.txt\nContent-Disposition: attachment\n\npublish"),
            ReplyReason.EMPTY,
        ),
        (
            parts("mixed", f"{TEXT}\n\n", "Content-Type: message/rfc822\n\nTo: x\n\npublish"),
            ReplyReason.EMPTY,
        ),
        (
            parts("mixed", f"Content-Type: message/rfc822\n\n{TEXT}; name=a.txt\n\npublish"),
            ReplyReason.EMPTY,
        ),
        (alternative("publish", "<div id=appendonsend></div><p>Below</p>"), ReplyReason.AMBIGUOUS),
        (alternative("publish", "<blockquote>publish</blockquote>"), ReplyReason.AMBIGUOUS),
        (alternative("publish", "<p style='display:none'>discard</p>"), ReplyReason.AMBIGUOUS),
        (alternative("publish", "<img src=x>"), ReplyReason.AMBIGUOUS),
        (alternative("publish", f"<body>{' ' * 1200}<p>discard</p>"), ReplyReason.AMBIGUOUS),
        (parts("mixed", f"{TEXT}\n\n{' ' * 1200}Hm.", f"{TEXT}\n\npublish"), ReplyReason.NO_COMMAND),
    ],
)
def test_nothing_but_what_its_author_wrote_first_ever_acts(mail: str, reason: ReplyReason) -> None:
    reply = read(mail)
    assert (reply.command, reply.reason) == (None, reason)


@pytest.mark.parametrize("kind", ["application/ms-tnef; name=winmail.dat", "application/vnd.ms-tnef"])
@pytest.mark.parametrize("beside", [(), (f"{TEXT}\n\n \n",), (EMPTY_HTML,)])
def test_a_text_in_outlooks_own_format_alone_is_called_so(kind: str, beside: tuple[str, ...]) -> None:
    file = f"Content-Type: {kind}\nContent-Transfer-Encoding: base64\n\nAAAA"
    assert read(parts("mixed", *beside, file)).reason is ReplyReason.WINMAIL
    assert read(file).reason is ReplyReason.WINMAIL


@pytest.mark.parametrize(
    "encoding", ["base64", "BASE64 ", "base64\t", "base64 (encoded)", "(so it is) base64", "Base64 (a) (b)"]
)
def test_a_blank_or_a_comment_does_not_hide_a_transfer_encoding(encoding: str) -> None:
    text = base64.encodebytes("update: Störung.\n".encode()).decode()
    reply = read(f"{TEXT}; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{text}")
    assert (reply.command, reply.text) == (Command.UPDATE, "Störung.")


@pytest.mark.parametrize("encoding", ["8bit ", "x-nonsense (base64)", "(base64", "", "quoted-printable (x)"])
def test_other_transfer_encodings_are_read_as_before(encoding: str) -> None:
    reply = read(f"{TEXT}; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\npublish\n\nSchöne Grüße")
    assert (reply.command, reply.new_text) == (Command.PUBLISH, "publish\n\nSchöne Grüße")


def test_html_that_shows_nothing_is_no_html() -> None:
    raw = HEAD + parts("alternative", f"{TEXT}\n\npublish", EMPTY_HTML)
    assert parse_mail(raw.encode()).html is None


def test_each_part_is_read_once_however_deep_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    read_parts: list[str] = []

    def note(markup: str) -> tuple[str, ...]:
        read_parts.append(markup)
        return ()

    monkeypatch.setattr(bodies, "html_to_lines", note)
    mail = f"{HTML}\n\n<p hidden>x</p>"
    for level in range(8):
        mail = parts("mixed", mail, f"{TEXT}\n\n \n", boundary=f"b{level}")
    assert parse_mail((HEAD + mail).encode()).text is None
    assert len(read_parts) == 1


def test_reading_leaves_the_message_as_it_was() -> None:
    raw = (
        HEAD + f"{TEXT}\nContent-Transfer-Encoding: base64 (x)\n\n" + base64.encodebytes(b"publish").decode()
    )
    message = email.message_from_string(raw)
    before = message.items()
    bodies.read_bodies(message)
    assert message.items() == before


def test_html_longer_than_any_banner_says_something_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "html_to_lines", lambda _: pytest.fail("it was read"))
    deep = "<div>" * 10_000
    mail = parts("mixed", f"{HTML}\n\n{deep}<p hidden>x</p>", f"{TEXT}\n\npublish")
    assert parse_mail((HEAD + mail).encode()).text is None
