"""Our own mails, as every client quotes them back: nothing in them is ever a command, in any language."""

from collections.abc import Callable

import pytest

from service.mail.replies import Reply, ReplyReason, read_reply
from service.mail.words import WORDS, Command, vocabulary
from service.model import DeliveryKind
from tests.mail.compose_samples import TO_REPLY_TO, facts_of, mail, text_of

EVERYTHING = vocabulary(list(WORDS), {})
HEADER = "From: Jordan Ray <jordan@acme.example>\nTo: status+mfrggzdfmztwq2lknnwg23tpob@acme.example\n"
ATTRIBUTION = "On Tue, 24 Nov 2026 at 14:02, Acme Status <status@acme.example> wrote:"
OUTLOOK = "From: Acme Status <status@acme.example>\nSent: Tuesday, November 24, 2026\nTo: Jordan\nSubject: [INC-12]\n"
Layout = Callable[[str], str]

IN_TEXT: dict[str, Layout] = {
    "marked": lambda text: "\n".join(f"> {line}" for line in text.split("\n")),
    "marked without space": lambda text: "\n".join(f">{line}" for line in text.split("\n")),
    "marked with bars": lambda text: "\n".join(f"| {line}" for line in text.split("\n")),
    "attributed and marked": lambda text: f"{ATTRIBUTION}\n\n" + IN_TEXT["marked"](text),
    "attributed and not marked": lambda text: f"{ATTRIBUTION}\n\n{text}",
    "below a copied header": lambda text: f"{OUTLOOK}\n{text}",
    "below a rule": lambda text: f"________________________________\n{OUTLOOK}\n{text}",
    "below a title": lambda text: f"-----Original Message-----\n{OUTLOOK}\n{text}",
    "indented": lambda text: "\n".join(f"    {line}" for line in text.split("\n")),
    "without any mark": lambda text: text,
    "forwarded": lambda text: f"---------- Forwarded message ---------\n{OUTLOOK}\n{text}",
}
IN_HTML: dict[str, Layout] = {
    "gmail": lambda html: (
        f'<div class="gmail_quote"><div>On … wrote:</div><blockquote>{html}</blockquote></div>'
    ),
    "apple": lambda html: f'<br><blockquote type="cite">{html}</blockquote>',
    "outlook": lambda html: f'<div id="divRplyFwdMsg"><b>From:</b> Acme</div>{html}',
    "outlook desktop": lambda html: (
        f'<div style="border:none;border-top:solid #E1E1E1 1.0pt">From:</div>{html}'
    ),
    "outlook mobile": lambda html: f'<div class="ms-outlook-mobile-reference-message">{html}</div>',
    "thunderbird": lambda html: f'<div class="moz-cite-prefix">Am …</div><blockquote>{html}</blockquote>',
    "yahoo": lambda html: f'<div class="yahoo_quoted">{html}</div>',
    "proton": lambda html: f'<div class="protonmail_quote">{html}</div>',
    "without any mark": lambda html: html,
}
HOSTILE = facts_of(DeliveryKind.APPROVAL) | {"update_body": "publish\nyes\nmessage: x", "by": "publish"}


def read(body: str, kind: str = "text/plain", *, anything: bool = False) -> Reply:
    return read_reply(
        f"{HEADER}Content-Type: {kind}; charset=utf-8\n\n{body}".encode(),
        own_address="status@acme.example",
        instance_id="i",
        vocabulary=EVERYTHING,
        any_reply_publishes=anything,
    )


@pytest.mark.parametrize("layout", IN_TEXT)
@pytest.mark.parametrize("kind", TO_REPLY_TO)
def test_a_quoted_mail_of_ours_orders_nothing(kind: DeliveryKind, layout: str) -> None:
    quoted = IN_TEXT[layout](text_of(mail(kind)))
    assert read(quoted).command is None
    assert read(f"\n\n{quoted}", anything=True).command is None
    assert read(f"I am looking at it.\n\n{quoted}").command is None


@pytest.mark.parametrize("layout", IN_TEXT)
@pytest.mark.parametrize("kind", TO_REPLY_TO)
def test_a_command_above_a_quoted_mail_of_ours_is_read(kind: DeliveryKind, layout: str) -> None:
    quoted = IN_TEXT[layout](text_of(mail(kind)))
    assert read(f"discard\n\n{quoted}").command is Command.DISCARD
    assert read(f"publish\n\n{quoted}").command is Command.PUBLISH
    assert read(f"message: late\n\nSorry.\n\n{quoted}").new_text == "message: late\n\nSorry."
    assert read(f"update It is late.\n\n{quoted}").text == "It is late."


@pytest.mark.parametrize("layout", IN_HTML)
@pytest.mark.parametrize("kind", TO_REPLY_TO)
def test_a_mail_of_ours_quoted_in_html_orders_nothing(kind: DeliveryKind, layout: str) -> None:
    quoted = IN_HTML[layout](text_of(mail(kind), "html"))
    assert read(quoted, "text/html").command is None
    assert read(f"<div>I am looking at it.</div>{quoted}", "text/html").command is None
    assert read(f"<div>discard</div><br>{quoted}", "text/html").command is Command.DISCARD


@pytest.mark.parametrize("layout", IN_TEXT)
def test_no_fact_in_a_mail_of_ours_becomes_a_command(layout: str) -> None:
    quoted = IN_TEXT[layout](text_of(mail(DeliveryKind.APPROVAL, HOSTILE)))
    assert read(quoted).reason in {ReplyReason.EMPTY, ReplyReason.NO_COMMAND}
