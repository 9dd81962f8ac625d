"""What one line, and a body's lines, are taken for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.commands import Spoken, mentions_command, read_command
from service.mail.lines import is_question
from service.mail.quotes import find_new_text
from service.mail.words import ENGLISH, Command

FULL_WIDTH = "\uff30\uff35\uff22\uff2c\uff29\uff33\uff28"
CYRILLIC_P = "\u0440ublish"
CYRILLIC_I = "publ\u0456sh"
GREEK_NU = "p\u03c5blish"
ATTRIBUTION = "On Mon, 2 Nov 2026 at 10:00, Acme Status <status@acme.example> wrote:"


@pytest.mark.parametrize(
    ("line", "command"),
    [
        *ENGLISH.words.items(),
        ("PUBLISH.", Command.PUBLISH),
        ("Publish!", Command.PUBLISH),
        ("*publish*", Command.PUBLISH),
        ("**Publish**.", Command.PUBLISH),
        ("_publish_", Command.PUBLISH),
        ("`publish`", Command.PUBLISH),
        ("\u201cpublish\u201d", Command.PUBLISH),
        ("\u201epublish\u201c", Command.PUBLISH),
        ("'publish.'", Command.PUBLISH),
        ("«publish»", Command.PUBLISH),
        ("  publish\t", Command.PUBLISH),
        ("\u200bpub\u00adlish\ufeff", Command.PUBLISH),
        ("\u202epublish\u202c", Command.PUBLISH),
        (FULL_WIDTH, Command.PUBLISH),
        ("False  alarm!", Command.DISCARD),
        ("OK", Command.PUBLISH),
    ],
)
def test_a_line_that_is_exactly_a_command_is_read(line: str, command: Command) -> None:
    assert read_command(line) == Spoken(command)


@pytest.mark.parametrize("line", ["Publish INC-12", "publish inc-12.", "*Publish [INC-12]*"])
def test_the_incident_may_be_named_with_the_command(line: str) -> None:
    spoken = read_command(line)
    assert spoken is not None
    assert (spoken.command, spoken.incident_number) == (Command.PUBLISH, 12)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "publish?",
        "publish??",
        "\u201cpublish\u201d?",
        "publish?!",
        "please don't publish",
        "don't publish",
        "please publish",
        "unpublish",
        "publishing",
        "publish tomorrow",
        "publish INC-12 tomorrow",
        "publish INC-",
        "publish INC-\u0661\u0662",
        "publish...",
        "publish\u2026",
        "publish,",
        "publish:",
        "publish / discard",
        "publish\x0btomorrow",
        "> publish",
        "\uff1e publish",
        "- publish",
        "* publish",
        "\u2022 publish",
        "1. publish",
        "*publish",
        '"publish',
        "p u b l i s h",
        "publish\u0338",
        CYRILLIC_P,
        CYRILLIC_I,
        GREEK_NU,
        "yes please",
        "ok?",
        "no idea",
        "hold 30m",
    ],
)
def test_anything_else_is_no_command(line: str) -> None:
    assert read_command(line) is None


WORD = st.from_regex(r"[a-z]{1,8}", fullmatch=True)


@given(WORD, st.sampled_from(sorted(ENGLISH.words)), WORD)
def test_a_further_word_leaves_no_command(before: str, word: str, after: str) -> None:
    assert read_command(f"{word} {after}") is None
    assert read_command(f"{before} {word}") is None


@given(st.text())
def test_reading_any_line_never_fails(line: str) -> None:
    spoken = read_command(line)
    assert spoken is None or not is_question(line)


def test_other_words_may_be_given() -> None:
    assert read_command("Veröffentlichen", {"veröffentlichen": Command.PUBLISH}) == Spoken(Command.PUBLISH)


@pytest.mark.parametrize("line", ["publish?", "ok ?", "should I publish?", "\u201cpublish?\u201d", "*why?*"])
def test_a_question_is_told(line: str) -> None:
    assert is_question(line)


@pytest.mark.parametrize(
    ("line", "is_near"),
    [("unpublish", True), ("ok then", True), ("we should not publish", True), ("I know nothing", False)],
)
def test_a_near_miss_is_told(line: str, *, is_near: bool) -> None:
    assert mentions_command(line) is is_near


@pytest.mark.parametrize(
    "above",
    [
        [],
        [""],
        ["\u200b", "\ufeff"],
        ["Hi,"],
        ["Hello team,"],
        ["Hi Sam,"],
        ["Good morning Jordan O'Brien,"],
        ["[EXTERNAL]"],
        ["[External Email]"],
        ["*** EXTERNAL EMAIL ***"],
        ["EXTERNAL SENDER"],
        ["CAUTION: External email"],
        ["CAUTION: This email originated from outside of the organization."],
        [
            "CAUTION: This email originated from outside of the organization.",
            "Do not click links or open attachments unless you know the sender.",
        ],
        [
            "CAUTION: This email originated from outside of the organization. Do not",
            "click links or open attachments unless you recognize the sender and know",
            "the content is safe.",
        ],
        ["-----", "WARNING: This message came from outside the company.", "-----"],
        ["You don't often get email from sam@acme.example. Learn why this is important"],
        ["You don\u2019t often get email from sam@acme.example.", "Learn why this is important"],
        ["[EXTERNAL]", "", "Hi Sam,"],
        [
            "ZjQcmQRYFpfptBannerStart",
            "This Message Is From an External Sender",
            "This message came from outside your organization.",
            "",
            "ZjQcmQRYFpfptBannerEnd",
        ],
        ["> Email is unavailable", ""],
        [ATTRIBUTION, "> Email is unavailable", "> publish", ""],
        ["On Mon, 2 Nov 2026 at 10:00, Acme Status", "<status@acme.example> wrote:", "", "> It is down", ""],
        ["Acme Status <status@acme.example> schrieb am 02.11.2026:", "> It is down", ""],
        ["> It is down", "", "Hi,"],
    ],
)
def test_the_first_line_is_found_below(above: list[str]) -> None:
    found = find_new_text([*above, "discard", "", "Jordan"])
    assert (found.first_line, found.is_among_quotes) == ("discard", False)


@pytest.mark.parametrize(
    "above",
    [
        ["[EXTERNAL]", "[EXTERNAL]"],
        ["Hi,", "Hello,"],
        ["Hi Sam, please don't,"],
        ["Hey no,"],
        ["Hi do not,"],
        ["Our external email server is down."],
        ["Is this from an external sender?"],
        ["The monitor is wrong."],
        ["--", "Jordan"],
        ["Sent from my iPhone", ""],
        ["-- Reply above this line --"],
        ["---------- Forwarded message ---------"],
        ["-----Original Message-----"],
        ["________________________________"],
        ["From: Acme Status", "Sent: Monday", ""],
        ["Gesendet: Montag, 2. November 2026", 'Von: "Acme Status"', "An: Jordan", ""],
        ["*Von:* Acme Status", "*Gesendet:* Montag", ""],
        [ATTRIBUTION, ""],
    ],
)
def test_nothing_else_is_passed_over(above: list[str]) -> None:
    assert find_new_text([*above, "publish"]).first_line != "publish"


@pytest.mark.parametrize(
    "lines",
    [
        ["> It is down", "", "publish", "", "> since 10:00"],
        [ATTRIBUTION, "> It is down", "publish", "> since 10:00", "> today"],
        ["Sent from my iPhone", "> It is down", "", "publish"],
        ["Hi,", "> It is down", "", "publish"],
        ["publish", "> It is down", "", "no, wait", "", "> since 10:00"],
        ["> To put this on the status page, answer with the word", "publish"],
    ],
)
def test_new_text_among_quotes_is_doubtful(lines: list[str]) -> None:
    assert find_new_text(lines).is_among_quotes


@pytest.mark.parametrize(
    "below",
    [
        [ATTRIBUTION, "> It is down", "", "This mail is confidential."],
        ["", "> To put this on the status page, answer this mail with", "the word", "> publish"],
        ["--", "Jordan", "> It is down", "> publish"],
        ["Sent from my iPhone", "", "> It is down", "-- ", "Jordan", "> publish"],
    ],
)
def test_what_clients_put_below_a_command_casts_no_doubt(below: list[str]) -> None:
    found = find_new_text(["publish", *below])
    assert (found.first_line, found.is_among_quotes) == ("publish", False)


def test_new_text_below_a_quote_can_be_refused() -> None:
    assert find_new_text(["> It is down", "", "publish"], may_stand_below=False).first_line == ""


def test_the_new_text_is_without_quotes_and_signature() -> None:
    lines = ["Hi,", "publish", "", "I checked it.", "-- ", "Jordan", ATTRIBUTION, "> It is down"]
    assert find_new_text(lines).text == "Hi,\npublish\n\nI checked it."
