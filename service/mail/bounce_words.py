"""What a mail server's refusal means: is the address no good, or may the next mail arrive?

By the enhanced status code (RFC 3463), else by what servers say in words, else by the reply code (RFC 5321).
In doubt an address is not given up. Pure; reads one short text and nothing else.
"""

import re
from typing import Final

_STATUS: Final = re.compile(r"(?<![\d.])([245]\.[0-7]\.\d{1,3})(?!\.?\d)")
_REPLY_CODE: Final = re.compile(r"(?:^|[\s:;<(\[#'\"])([45])[0-5]\d(?=[\s-])")
_CONTINUED: Final = re.compile(r"\s+[245]\d\d[- ](?:[245]\.\d{1,3}\.\d{1,3}\s+)?")

# A full mailbox and a refused sender say nothing against the address, whatever code stands beside them.
_FULL_OR_ABOUT_US: Final = re.compile(
    r"(?:mailbox|mail ?box|inbox|account|quota|storage|postfach|disk)[^.]{0,60}\b(?:full|exceed|over ?quota|voll\b)"
    r"|full mailbox|over[- ]?quota|quota (?:is |was )?(?:exceeded|full)|exceed\w* [^.]{0,40}(?:quota|storage)"
    r"|overquota|out of storage|insufficient (?:system |disk )?(?:storage|space)|mailbox size limit"
    r"|not enough (?:storage|disk space|space)|speicherplatz|kontingent"
    r"|bo[iî]te[^.]{0,40}(?:pleine|satur)|buz[oó]n[^.]{0,40}lleno|casella[^.]{0,40}piena|caixa[^.]{0,40}cheia"
    r"|sender (?:address )?(?:was )?(?:denied|rejected|refused|blocked)|sender verify|unverified sender"
)
_NO_SUCH_ADDRESS: Final = re.compile(
    r"(?:user|recipient|mailbox|account|address|alias)(?: is| was)? (?:unknown|not (?:found|known|exist))"
    r"|(?:unknown|no such|invalid|non-?existent|bad)"
    r" (?:local )?(?:user|recipient|mailbox|account|address|alias|destination)"
    r"|(?:user|recipient|mailbox|account|address)[^.]{0,80}(?:does not|doesn't|doesn\u2019t) exist"
    r"|recipientnotfound|recipnotfound|recipient address rejected: access denied|no mailbox here"
    r"|(?:user|recipient)[^.]{0,60}not listed in|unrouteable address|unroutable address"
    r"|(?:doesn't|doesn\u2019t|does not) have an? [^.]{0,60}account|no longer (?:in use|active|valid|available)"
    r"|(?:account|mailbox|user|address)[^.]{0,60}(?:disabled|inactive|deactivated|discontinued|suspended|closed)"
    r"|(?:adresse|empfänger|benutzer|postfach)[^.]{0,60}(?:nicht gefunden|unbekannt|existiert nicht)"
    r"|destinataire inconnu|adresse inconnue|destinatario (?:desconocido|sconosciuto)|usuario desconocido"
)
_REFUSED_THIS_MAIL: Final = re.compile(
    r"\bspam|junk|blocked|black ?list|block ?list|denylist|reputation|\bpolicy|dmarc|\bspf\b|\bdkim\b|unsolicited"
    r"|virus|malware|grey ?list|rate limit|too many|too (?:large|big)|message size|content (?:rejected|refused)"
    r"|loop|hop count|expired|timed out|timeout|try again|temporar|access denied|not authori[sz]ed|unauthenticated"
)
_NO_SUCH_PLACE: Final = re.compile(
    r"(?:host|domain)[^.]{0,80}(?:not found|unknown|does not exist|no such)|nxdomain|no such domain"
    r"|unknown (?:host|domain)|couldn't find any host|mailbox unavailable|does not exist|doesn't exist"
)
_GOOD_FOR_NOTHING: Final = re.compile(r"5\.(?:1\.(?!7$|8$|90$)\d+|2\.1)")
# RFC 3463: full or too large (2.2, 2.3, 3.x), routes (4.x), protocol (5.x), media (6.x), policy (7.x), our own
# address (1.7, 1.8); Microsoft 365's 1.90 is our daily limit. Its 4.1 and 4.310, and 4.4, are of the address.
_NOT_ITS_FAULT: Final = re.compile(
    r"5\.(?:1\.(?:7|8|90)|2\.[23]|3\.\d+|4\.(?!1$|4$|310$)\d+|5\.[1-9]\d*|[67]\.\d+)"
)


def find_status(text: str) -> str:
    """Find the first enhanced status code (RFC 3463), such as `5.1.1`, or ""; version and IP numbers are none."""
    return match[1] if (match := _STATUS.search(text)) else ""


def is_telling(line: str) -> bool:
    """Tell whether a line says why a mail was refused, in a code or in known words."""
    folded = line.casefold()
    patterns = (_STATUS, _REPLY_CODE, _FULL_OR_ABOUT_US, _NO_SUCH_ADDRESS, _REFUSED_THIS_MAIL, _NO_SUCH_PLACE)
    return any(pattern.search(folded) for pattern in patterns)


def joined_reply(text: str) -> str:
    """Take the codes out that begin each further line of a long SMTP reply (RFC 5321 section 4.2.1)."""
    return _CONTINUED.sub(" ", text)


def is_permanent(status: str, words: str) -> bool | None:
    """Judge a failed delivery: True, the address is no good; False, it may yet be; None, nothing tells.

    `status` is of RFC 3463 or ""; `words` what the server said, a short text.
    """
    folded = words.casefold()
    if status.startswith("4.") or _FULL_OR_ABOUT_US.search(folded):
        return False
    if _GOOD_FOR_NOTHING.fullmatch(status) or _NO_SUCH_ADDRESS.search(folded):
        return True
    if _NOT_ITS_FAULT.fullmatch(status) or _REFUSED_THIS_MAIL.search(folded):
        return False
    if status.startswith("5.") or _NO_SUCH_PLACE.search(folded):
        return True
    return _by_reply_code(folded)


def _by_reply_code(words: str) -> bool | None:
    match = _REPLY_CODE.search(words)
    return None if match is None else match[1] == "5"
