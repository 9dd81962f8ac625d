"""A file of subscribers is read whole or not at all, and what is exported can be imported."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.actions.subscriber_file import Entry, SubscriberFileFaulty, channel_of, read_file, write_file
from service.model import Channel, Subscriber, SubscriberState

COMPONENTS = ("Email", "API", "Main Website")
AT = datetime(2026, 11, 24, tzinfo=UTC)
HEAD = "Email,Phone,Components,Groups,Webhook URL,Tags\n"


def read(text: str) -> tuple[Entry, ...]:
    return read_file(text.encode(), COMPONENTS)


def faults(text: str | bytes) -> tuple[str, ...]:
    """Give what is wrong with a file."""
    with pytest.raises(SubscriberFileFaulty) as faulty:
        read_file(text if isinstance(text, bytes) else text.encode(), COMPONENTS)
    return faulty.value.faults


def test_a_line_says_who_hears_of_what() -> None:
    [one] = read(HEAD + 'ana@reader.example,+49 30 1234,"API; email",Staff|Partners,,"vip; berlin"\n')
    assert one == Entry(
        line=2,
        channel=Channel.EMAIL,
        address="ana@reader.example",
        components=("API", "Email"),
        groups=("Staff", "Partners"),
        phone="+49 30 1234",
        tags=("vip", "berlin"),
    )


def test_without_components_it_is_all_of_them() -> None:
    assert read("email\nana@reader.example\n")[0].components is None


def test_a_line_with_both_gives_a_mail_and_a_webhook() -> None:
    both = read(HEAD + "ana@reader.example,,API,,https://hooks.slack.com/services/T/B/x,\n")
    assert [(one.channel, one.address) for one in both] == [
        (Channel.EMAIL, "ana@reader.example"),
        (Channel.SLACK, "https://hooks.slack.com/services/T/B/x"),
    ]


@pytest.mark.parametrize("between", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_of_all_spreadsheets_are_read(between: str, ending: str, mark: str) -> None:
    lines = [
        between.join(("Webhook url", "E-Mail", "TAGS")),
        between.join(("", "ana@reader.example", "a|b")),
        "",
    ]
    [one] = read(mark + ending.join(lines).replace("E-Mail", "Email"))
    assert (one.address, one.tags) == ("ana@reader.example", ("a", "b"))


def test_every_bad_line_is_named_at_once() -> None:
    assert faults(
        HEAD
        + "ana@reader.example,,,,,\n"
        + "not an address,,,,,\n"
        + ",,,,,\n"
        + ",,Email,,,\n"
        + "ben@reader.example,call me,Email;Fax,,ftp://x,\n"
        + "ANA@reader.example,,,,,\n"
        + "áná@reader.example,,,,http://10.0.0.7/x,\n"
    ) == (
        "line 3: Email `not an address`: this is not an e-mail address: an e-mail address must have an @-sign.",
        "line 5: neither an Email nor a Webhook URL is there",
        "line 6: Webhook URL `ftp://x` must begin with https:// and name a host",
        "line 6: Phone `call me` is no telephone number",
        "line 6: unknown component `Fax`",
        "line 7: `ANA@reader.example` stands in line 2 already",
        (
            "line 8: Email `áná@reader.example`: we cannot write to this address: before the @ only letters "
            "from a to z, digits and signs can stand; give another one, without accents."
        ),
        (
            "line 8: Webhook URL `http://10.0.0.7/x` is at an address of our own network, which is not called unless "
            "`subscribers.private_webhooks` is true in config.yaml"
        ),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line names the columns"),
        ("Name,Email\nAna,ana@reader.example\n", "unknown column `Name`"),
        ("Email,email\n", "stands there twice"),
        ("Tags\nx\n", "neither a column Email nor Webhook URL"),
        ("Email\n", "no subscriber in the file"),
        ("Email\n\n\n", "no subscriber in the file"),
        (b"Email\nana\xff@reader.example\n", "line 2: it is not in UTF-8"),
        ("Email\n\0\n", "zero bytes"),
        ('Email\n"ana@reader.example\n', "line 2: unexpected end of data"),
    ],
)
def test_what_is_no_such_file_is_refused_with_what_to_mend(text: str | bytes, said: str) -> None:
    [fault] = faults(text)
    assert said in fault


def test_a_file_of_another_kind_does_not_give_endless_faults() -> None:
    assert len(faults("Email\n" + "nonsense\n" * 5_000)) == 1_001


@pytest.mark.parametrize(
    ("url", "channel"),
    [
        ("https://hooks.slack.com/services/T/B/x", Channel.SLACK),
        ("https://acme.webhook.office.com/webhookb2/x", Channel.TEAMS),
        ("https://prod-1.westeurope.logic.azure.com:443/workflows/x", Channel.TEAMS),
        ("https://hooks.slack.com.evil.example/services", Channel.WEBHOOK),
        ("https://ops.acme.example/hook", Channel.WEBHOOK),
    ],
)
def test_a_webhook_is_told_in_the_way_of_its_host(url: str, channel: Channel) -> None:
    assert channel_of(url) is channel


_NAME = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters=";|'"), min_size=1, max_size=9
)
_SUBSCRIBER = st.builds(
    Subscriber,
    id=st.just(1),
    public_id=st.just("a"),
    address=st.integers(0, 99).map(lambda number: f"reader{number}@reader.example"),
    state=st.just(SubscriberState.CONFIRMED),
    created_at=st.just(AT),
    components=st.none() | st.lists(st.sampled_from(COMPONENTS), min_size=1, unique=True).map(tuple),
    groups=st.lists(_NAME, unique=True).map(tuple),
    tags=st.lists(_NAME, unique=True).map(tuple),
    phone=st.sampled_from(["", "+49 30 1234", "030/1234"]),
)


@given(st.lists(_SUBSCRIBER, min_size=1, unique_by=lambda one: one.address))
def test_what_is_exported_is_imported_as_it_was(listed: list[Subscriber]) -> None:
    read_again = read("".join(write_file(listed)))
    assert [(one.address, one.components, one.groups, one.tags, one.phone) for one in read_again] == [
        (one.address, one.components, one.groups, one.tags, one.phone) for one in listed
    ]


@pytest.mark.parametrize("name", ["=1+1", "@sum", "-2", "+x"])
def test_no_cell_of_an_export_is_a_formula(name: str) -> None:
    one = Subscriber(1, "a", "ana@reader.example", SubscriberState.CONFIRMED, AT)
    text = "".join(write_file([replace(one, groups=(name,), tags=(name,))]))
    assert f",{name}" not in text
    assert read(text)[0].groups == (name,)


@pytest.mark.parametrize("address", ["=cmd|'/c'!a0@reader.example", "+1@reader.example", "-x@reader.example"])
def test_no_address_of_an_export_is_a_formula(address: str) -> None:
    text = "".join(write_file([Subscriber(1, "a", address, SubscriberState.CONFIRMED, AT)]))
    assert text.splitlines()[1].startswith(f"'{address}")
    assert read(text)[0].address == address


def test_a_file_may_hold_a_hundred_thousand_besides_its_first_line() -> None:
    most = "Email\n" + "\n" * 99_999
    assert read(most + "ana@reader.example\n")[0].line == 100_001
    assert faults(most + "\nana@reader.example\n") == ("it has more than 100,000 lines: split it",)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_file_makes_the_reading_fail_otherwise(raw: bytes) -> None:
    with suppress(SubscriberFileFaulty):
        assert read_file(raw, COMPONENTS)
