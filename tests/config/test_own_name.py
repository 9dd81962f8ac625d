"""By which name relays are greeted: no setting, but what follows from where the page is and whom mails come from."""

import pytest

from tests.config.sample import changed, read


def name_at(url: str, sender: str = "status@acme.example") -> str:
    text = changed('"https://status.acme.example"', f'"{url}"')
    text = changed("Acme Status <status@acme.example>", sender, text)
    mail = read(text).mail
    assert mail is not None
    return mail.smtp.own_name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://status.acme.example", "status.acme.example"),
        ("https://Status.ACME.example.:8443/", "status.acme.example"),
        ("https://status.xn--mller-kva.example", "status.xn--mller-kva.example"),
    ],
)
def test_it_is_the_host_of_the_page(url: str, name: str) -> None:
    assert name_at(url) == name


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://localhost:8080",
        "http://status.localhost",
        "http://status:8080",
        "http://sta_tus.acme.example",
        "https://192.0.2.7",
        "https://[2001:db8::7]",
    ],
)
def test_where_that_is_no_qualified_name_it_is_the_domain_of_our_mails(url: str) -> None:
    assert name_at(url) == "acme.example"


def test_an_international_domain_is_told_in_ascii() -> None:
    assert name_at("http://127.0.0.1:8080", "status@müller.example") == "xn--mller-kva.example"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://192.0.2.7:8080", "[192.0.2.7]"),
        ("http://[2001:DB8::7]:8080", "[IPv6:2001:db8::7]"),
        ("http://127.0.0.1:8080", "localhost"),
        ("http://[::1]:8080", "localhost"),
        ("http://status:8080", "localhost"),
    ],
)
def test_without_any_domain_it_is_the_address_of_the_page_unless_that_is_this_machine_alone(
    url: str, name: str
) -> None:
    assert name_at(url, "status@test") == name
