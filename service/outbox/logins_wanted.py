"""Whether a relay that takes no mail without a login means all mails or one recipient. It decides, and never sends.

Many take mails to their own domain as they come, and say `530` to any other recipient.
"""

from typing import Final

MOST_OF_THEIR_OWN: Final = 5
"""Recipients in a row that it may refuse after it took a mail: more of them, and it takes none any more."""


class LoginsWanted:
    """To whom the relay took nothing without a login since it said last what becomes of a mail; for any thread."""

    def __init__(self) -> None:
        self._has_taken = False
        self._recipients: frozenset[str] = frozenset()
        self._domains: frozenset[str] = frozenset()

    def taken(self) -> None:
        """Note that it said of a mail what becomes of it, and wanted no login."""
        self._has_taken = True
        if self._recipients:
            self._recipients = self._domains = frozenset()

    def is_for(self, recipient: str) -> bool:
        """Note that it wants a login for a mail; gives whether that is about this recipient alone."""
        self._recipients |= {recipient}
        self._domains |= {_domain_of(recipient)}
        return self._has_taken and len(self._recipients) <= MOST_OF_THEIR_OWN

    def likelihood(self, recipient: str) -> tuple[bool, bool]:
        """Give a key that sorts those to the end for whom it is likely to want one."""
        return _domain_of(recipient) in self._domains, recipient in self._recipients


def _domain_of(recipient: str) -> str:
    return recipient.rpartition("@")[2].lower()
