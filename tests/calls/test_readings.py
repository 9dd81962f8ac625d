"""The Markdown of incidents as plain text: each address is there once."""

import pytest

from service.calls.readings import to_plain


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (
            "See [status](https://status.acme.example/x).",
            "See status (https://status.acme.example/x).",
        ),
        ("[acme](https://acme.example/docs)", "acme (https://acme.example/docs)"),
        (
            "[https://acme.example](https://acme.example.evil)",
            "https://acme.example (https://acme.example.evil)",
        ),
        ("[http://acme.example](https://acme.example)", "http://acme.example (https://acme.example)"),
        ("[write](mailto:help@acme.example)", "write (help@acme.example)"),
        ("[all](tel:123)", "all"),
    ],
)
def test_a_link_has_its_address_behind_it(body: str, shown: str) -> None:
    assert to_plain(body) == shown


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://acme.example/x", "https://acme.example/x"),
        ("https://acme.example", "https://acme.example/"),
        ("acme.example/x", "https://acme.example/x"),
        ("acme.example/", "http://acme.example"),
        ("help@acme.example", "mailto:help@acme.example"),
    ],
)
def test_an_address_that_the_text_says_is_not_said_again(text: str, address: str) -> None:
    assert to_plain(f"[{text}]({address})") == text
