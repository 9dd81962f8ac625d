"""Whether two addresses are of one mailbox, as we and a mail system that reports on it may write them. Pure.

It knows what mail systems commonly do to an address on its way; what it does not know are two mailboxes.
"""

from typing import Final

_SAME_DOMAIN: Final = {"googlemail.com": "gmail.com"}
_WITHOUT_DOTS: Final = frozenset({"gmail.com"})
"""Where dots before the @ say nothing."""


def is_same_mailbox(one: str, other: str) -> bool:
    """Tell whether two addresses are of one mailbox; of a name without a domain only the name counts.

    Case, a tag behind a plus sign, the form of an international name, and the name of a host within the domain make
    no other mailbox.
    """
    (local, domain), (other_local, other_domain) = _canonical(one), _canonical(other)
    return local == other_local and (not domain or not other_domain or _is_within(domain, other_domain))


def _is_within(domain: str, other: str) -> bool:
    shorter, longer = sorted((domain, other), key=len)
    return f".{longer}".endswith(f".{shorter}")


def _canonical(address: str) -> tuple[str, str]:
    """Give what tells mailboxes apart: the local part, and the domain, "" where there is none."""
    before, at, after = address.strip(" <>").rpartition("@")
    local, domain = (before, _ascii(after.rstrip("."))) if at else (after, "")
    domain = _SAME_DOMAIN.get(domain, domain)
    local = local.strip('"').casefold().partition("+")[0]
    return local.replace(".", "") if domain in _WITHOUT_DOTS else local, domain


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii").casefold()
    except UnicodeError:
        return domain.casefold()
