"""What mail systems do to an address on its way makes no other mailbox of it; everything else does."""

import pytest

from service.mail.mailboxes import is_same_mailbox


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("ana@corp.example", "Ana@CORP.example."),
        ("ana+status@corp.example", "ana@corp.example"),
        ("ana+status@corp.example", "ana+2Bstatus@corp.example"),
        ("ana@corp.example", "<ana@mail.corp.example>"),
        ("ana@corp.example", "ana"),
        ("ana@corp.example", '"ana"@corp.example'),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana.ray@googlemail.com", "anaray@gmail.com"),
    ],
)
def test_one_mailbox_may_be_written_in_several_ways(ours: str, theirs: str) -> None:
    assert is_same_mailbox(ours, theirs)
    assert is_same_mailbox(theirs, ours)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("ops-team@corp.example", "carol@corp.example"),
        ("ops-team@corp.example", "carol"),
        ("ana@corp.example", "ana@home.example"),
        ("ana@corp.example", "ana@othercorp.example"),
        ("ana.ray@corp.example", "anaray@corp.example"),
        ("ana@corp.example", ""),
    ],
)
def test_another_name_or_another_domain_is_another_mailbox(ours: str, theirs: str) -> None:
    assert not is_same_mailbox(ours, theirs)
    assert not is_same_mailbox(theirs, ours)


def test_a_domain_that_no_dns_could_hold_is_compared_as_it_is() -> None:
    assert is_same_mailbox(f"ana@{'x' * 70}.example", f"ana@{'X' * 70}.example")
