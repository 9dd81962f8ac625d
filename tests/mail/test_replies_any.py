"""Where any reply publishes: thanks and remarks do; refusals, questions, doubts and silence never do."""

# ruff: noqa: RUF001 - letters and punctuation of other writings are what is tested
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.refusal_words import REFUSALS, THANKS
from service.mail.replies import Reply, ReplyReason, read_reply
from service.mail.words import WORDS, Command, vocabulary

EVERYTHING = vocabulary(list(WORDS), {})
TOKEN = "mfrggzdfmztwq2lknnwg23tpob"


def reply(
    body: str, language: str = "", *, anything: bool = True, token: str = TOKEN, field: str = "X: y"
) -> Reply:
    """Read a mail of an employee where any reply publishes, or not."""
    head = f"From: Jordan Ray <jordan@acme.example>\nTo: status+{token}@acme.example\nSubject: Re: x\n{field}\n\n"
    return read_reply(
        (head + body).encode(),
        own_address="status@acme.example",
        instance_id="i",
        vocabulary=vocabulary([language], {}) if language else EVERYTHING,
        any_reply_publishes=anything,
    )


@pytest.mark.parametrize(
    "body",
    [
        "Looks good to me",
        "Go ahead",
        "Go ahead.\nJordan",
        "thanks, all fine",
        "Thanks!",
        "We are on it. mx1 is down.",
        "please publish this",
        "yes please",
        "ok then",
        "👍",
        "Hi,",
        "Still down here\n\nOn Mon, 2 Nov 2026, Acme Status <status@acme.example> wrote:\n> publish?",
        "Passt so, danke",
        "Bitte veröffentlichen, Jordan",
        "C'est bon pour moi",
        "よろしくお願いします",
        "可以",
    ],
)
def test_any_reply_publishes_where_that_is_wanted(body: str) -> None:
    assert (reply(body).command, reply(body).reason) == (Command.PUBLISH, ReplyReason.ANY_REPLY)
    assert reply(body, anything=False).command is None


@pytest.mark.parametrize("language", THANKS)
def test_thanks_are_a_reply_like_any_other(language: str) -> None:
    said = [word for word in THANKS[language] if word != "no"]
    assert [word for word in said if reply(word, language).reason is not ReplyReason.ANY_REPLY] == []
    assert [word for word in said if reply(word, language, anything=False).command] == []


@pytest.mark.parametrize(
    "body",
    [
        "No way",
        "Nope.",
        "Not yet",
        "Please don't",
        "Please don\u2019t publish",
        "We shouldn't tell anybody",
        "Stop!",
        "STOP",
        "wait a moment",
        "Hold on",
        "hold 30 apples",
        "Holding this for now. Hold.",
        "False alarm I think",
        "publish tomorrow",
        "unpublish",
        "Published already, no.",
        "I would ignore this one",
        "Looks good.\nBut don't publish it yet.",
        "We are on it.\n\nPlease do not publish this.",
        "We are on it.\n\nBitte nicht veröffentlichen!",
        "close it",
        "update me when it is back",
        "status please",
        "help me",
        "Nein, noch nicht",
        "Nicht veröffentlichen",
        "Bitte warten",
        "attends un peu",
        "ne publiez pas",
        "mejor espera",
        "não publique",
        "aspetta un attimo",
        "wacht even",
        "proszę poczekaj",
        "vänta lite",
        "vent litt",
        "älä julkaise",
        "подожди",
        "пока не надо",
        "公開しないで",
        "ちょっと待って",
        "先不要发布",
        "等一下",
        "Jordan Ray reacted via Gmail",
    ],
)
def test_a_refusal_never_publishes(body: str) -> None:
    assert (reply(body).command, reply(body).reason) == (None, ReplyReason.NOT_EXACT)


@pytest.mark.parametrize(
    ("language", "word"), [(language, word) for language, words in REFUSALS.items() for word in words]
)
def test_no_word_of_refusal_publishes_in_its_language(language: str, word: str) -> None:
    for body in (word, f"{word}, Sam", f"Sam, {word}", f"{word.capitalize()} Sam.", f"Hm.\n{word}"):
        assert reply(body, language).command is not Command.PUBLISH, body


@pytest.mark.parametrize(
    "body",
    [
        "Really?",
        "Really ?!",
        "do not do that",
        "Published? No.",
        "Fine. But is it true?",
        "Fine.\nBut is it true?",
        "Fine.\n\nIs it true?",
        "publish?",
        "Should I publish this",
        "what does this mean",
        "Who is on call",
        "I see. Should we tell them",
        "Warum kommt das",
        "pourquoi",
        "¿seguro?",
        "公開しますか",
        "公開しますか。",
        "本当ですか？",
        "是真的吗",
        "это правда?",
    ],
)
def test_a_question_never_publishes(body: str) -> None:
    assert (reply(body).command, reply(body).reason) == (None, ReplyReason.QUESTION)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "> publish",
        "-- \nJordan",
        "Sent from my iPhone",
        "Jordan Ray\nAcme Ltd.",
        "Best regards,\nJordan",
        "> It is down\nyes\n> since 10:00",
        "update",
        "-----BEGIN PGP MESSAGE-----\n\nhQEMA",
    ],
)
def test_silence_and_doubt_never_publish(body: str) -> None:
    assert reply(body).command is None


@pytest.mark.parametrize(
    "field",
    [
        "Auto-Submitted: auto-replied",
        "Precedence: bulk",
        "X-Autoreply: yes",
        "Content-Type: multipart/report",
    ],
)
def test_a_machine_never_publishes(field: str) -> None:
    assert reply("I am on vacation", field=field).command is None


def test_a_mail_without_a_token_is_no_reply() -> None:
    assert (reply("Go ahead", token="x").command, reply("publish", token="x").command) == (
        None,
        Command.PUBLISH,
    )


@pytest.mark.parametrize(
    ("body", "command"), [("no", Command.DISCARD), ("hold 1h", Command.HOLD), ("close", Command.CLOSE)]
)
def test_a_command_stays_what_it_is(body: str, command: Command) -> None:
    assert (reply(body, "en").command, reply(body, "en").reason) == (command, ReplyReason.COMMAND_READ)


SMALL_TALK = st.sampled_from(
    ["ok", "fine", "mx1", "thanks", "publish", "veröffentlichen", "see", "you", "at", "10:00"]
)
REFUSING = st.sampled_from(["don't", "no", "stop", "wait", "not", "nicht", "false alarm", "нет", "ei"])


@given(
    st.lists(SMALL_TALK, max_size=5), REFUSING, st.lists(SMALL_TALK, max_size=5), st.sampled_from([" ", "\n"])
)
def test_one_refusal_in_the_first_paragraph_is_enough(
    before: list[str], refusing: str, behind: list[str], space: str
) -> None:
    spoken = reply(space.join([*before, refusing, *behind]))
    assert spoken.reason is not ReplyReason.ANY_REPLY
