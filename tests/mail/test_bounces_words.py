"""Which refusals speak against an address, and which do not."""

import pytest

from service.mail.bounce_words import find_reason, find_status, is_no_address, is_permanent, joined_reply


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("5.1.1", ""),
        ("5.1.2", "bad destination system"),
        ("5.1.10", "RecipientNotFound"),
        ("5.2.1", "mailbox disabled"),
        ("5.4.1", "Recipient address rejected: Access denied"),
        ("5.4.4", "Host not found"),
        ("5.4.310", "DNS domain does not exist"),
        ("5.0.0", ""),
        ("5.7.1", "user unknown"),
        ("5.5.0", "Requested action not taken: mailbox unavailable"),
        ("", "550 refused"),
        ("", "User unknown"),
        ("", "no such user here"),
        ("", "The email account that you tried to reach does not exist"),
        ("", "user jordan@corp.example does not exist"),
        ("", "This user doesn\u2019t have a yahoo.com account"),
        ("", "User jordan not listed in Domino Directory"),
        ("", "Sorry, I couldn't find any host named corp.example"),
        ("", "Die Adresse jordan@corp.example wurde nicht gefunden"),
    ],
)
def test_an_address_that_is_no_good(status: str, words: str) -> None:
    assert is_permanent(status, words) is True


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("4.1.1", "user unknown"),
        ("4.4.7", ""),
        ("5.1.1", "mailbox over quota"),
        ("5.1.7", ""),
        ("5.1.8", "Access denied, bad outbound sender"),
        ("5.2.2", ""),
        ("5.2.3", ""),
        ("5.3.4", "message too big"),
        ("5.4.6", "loop"),
        ("5.4.300", "Message expired"),
        ("5.5.2", "syntax error"),
        ("5.6.1", ""),
        ("5.7.1", "rejected as spam"),
        ("5.7.1", "SPF check failed: domain does not exist"),
        ("5.7.1", "<jordan@corp.example>: Recipient address rejected: Access denied"),
        ("5.0.0", "blocked, see https://blocklist.example"),
        ("5.1.0", "Sender denied"),
        ("", "552 mailbox full"),
        ("", "The recipient's inbox is out of storage space"),
        ("", "Das Postfach ist voll"),
        ("", "La boîte aux lettres du destinataire est pleine"),
        ("", "450 not now"),
        ("", "Connection timed out"),
        ("", "Greylisted, try again later"),
    ],
)
def test_an_address_that_may_be_good_yet(status: str, words: str) -> None:
    assert is_permanent(status, words) is False


@pytest.mark.parametrize(("status", "words"), [("", ""), ("", "Alas"), ("2.0.0", "port 443 is open")])
def test_words_that_tell_nothing(status: str, words: str) -> None:
    assert is_permanent(status, words) is None


def test_a_sentence_ends_where_the_next_begins() -> None:
    assert is_permanent("", "550 Mailbox not found. Full details below") is True


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550 5.1.1 no", "5.1.1"),
        ("(#5.2.2)", "5.2.2"),
        ("5.1.10", "5.1.10"),
        ("Exim 4.94.2", ""),
        ("[5.1.2.3]", ""),
        ("10.5.1.1", ""),
        ("5.1", ""),
        ("3.1.1", ""),
        ("4.16.55.1 but 4.7.0", "4.7.0"),
    ],
)
def test_a_status_code_is_told_from_other_numbers(text: str, status: str) -> None:
    assert find_status(text) == status


def test_a_line_with_a_code_is_a_better_reason_than_words() -> None:
    lines = [
        "Your mail was blocked or the user is unknown.",
        "",
        "host said: 550 5.1.1",
        " no such user",
        "",
        "x",
    ]
    assert find_reason(lines) == "host said: 550 5.1.1 no such user"


def test_without_code_or_word_there_is_no_reason() -> None:
    assert find_reason(["Dear sender,", "the parcel came back."]) == ""


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("550-5.1.1 No such 550-5.1.1 user 550 5.1.1 here", "550 5.1.1 No such user here"),
        ("said: 550 no 450 things", "said: 550 no 450 things"),
        ("452-a 550 b", "452 a 550 b"),
    ],
)
def test_a_reply_of_many_lines_is_joined(text: str, joined: str) -> None:
    assert joined_reply(text) == joined


@pytest.mark.parametrize(
    ("answer", "is_none"),
    [
        ("550 5.1.1 <ana@reader.example>: Recipient address rejected: User unknown", True),
        ("550 5.1.2 no such domain", True),
        ("556 5.1.10 the domain takes no mail", True),
        ("550 no such user here", True),
        ("550 relaying denied", False),
        ("550 5.7.1 relay access denied", False),
        ("550 5.4.1 access denied", False),
        ("553 5.1.8 sender address rejected: domain not found", False),
        ("550 sender's mailbox: user unknown", False),
        ("552 5.2.2 mailbox full", False),
        ("450 4.1.1 user unknown", False),
        ("not an e-mail address that can be sent to: 'unknown user'", False),
    ],
)
def test_a_relay_has_to_say_that_there_is_no_such_address(answer: str, *, is_none: bool) -> None:
    assert is_no_address(answer) is is_none
