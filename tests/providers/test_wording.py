"""What a stranger wrote, as a sentence quotes it."""

from service.providers.wording import LONGEST_SHOWN, shown


def test_what_is_quoted_is_one_visible_line() -> None:
    assert shown(" HIGH\x1b[2J\r\n\tnow\u202e ") == "HIGH [2J now"


def test_what_is_quoted_is_cut_where_it_is_too_long() -> None:
    longest = "x" * LONGEST_SHOWN
    assert shown(longest) == longest
    assert shown(f"{longest}x") == f"{longest[:-1]}…"
