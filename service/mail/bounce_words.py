"""What a mail server's refusal means: the address is no good, or the next mail may arrive.

By the enhanced status code (RFC 3463), else by what servers say in words, else by the reply code (RFC 5321).
In doubt an address is not given up. Pure; reads short texts and nothing else.
"""

import re
from collections.abc import Sequence
from typing import Final

_STATUS: Final = re.compile(r"(?<![\d.])([245]\.[0-7]\.\d{1,3})(?!\.?\d)")
_REPLY_CODE: Final = re.compile(r"(?:^|[\s:;<(\[#'\"])(421|432|4[45][0-2]|4[45]7|455|5[05]\d|521)(?=[\s-]|$)")
_LONG_REPLY: Final = re.compile(r"\b([245]\d\d)-(?=\S)")
_ENHANCED: Final = r"(?:[245]\.\d{1,3}\.\d{1,3}\s+)?"
_MOST_LINES: Final = 120
_LONGEST_LINE: Final = 300
_LINES_OF_A_REASON: Final = 4

_SOME: Final = r"(?:[^.]|\.(?=\S)){0,60}"
"""The rest of a sentence, which an address may stand in."""
# A full mailbox and a refused sender say nothing against the address, whatever code stands beside them.
_FULL_OR_ABOUT_US: Final = re.compile(
    rf"(?:mail ?box|inbox|account|quota|storage|disk){_SOME}\b(?:full\b|exceed|over ?quota)"
    r"|full mailbox|over[- ]?quota|quota exceeded|out of storage|mailbox size limit"
    r"|(?:insufficient|not enough) (?:system |disk )?(?:storage|space)"
    rf"|postfach{_SOME}\bvoll\b|speicherplatz|bo[iî]te{_SOME}\b(?:pleine|satur)|buz[oó]n{_SOME}\blleno"
    rf"|casella{_SOME}\bpiena|caixa{_SOME}\bcheia"
    r"|sender (?:address )?(?:denied|rejected|refused|blocked)|sender verify"
)
_NO_SUCH_ADDRESS: Final = re.compile(
    r"(?:user|recipient|mailbox|account|address|alias) (?:is |was )?(?:unknown|not (?:found|known|exist))"
    r"|(?:unknown|no such|invalid|non-?existent|bad) (?:local )?"
    r"(?:user|recipient|mailbox|account|address|alias|destination)"
    rf"|(?:user|recipient|mailbox|account|address){_SOME}(?:does not|doesn['\u2019]t) exist"
    r"|recipientnotfound|recipnotfound|no mailbox here|unrouteable address|unroutable address"
    rf"|(?:user|recipient){_SOME}not listed in|(?:does not|doesn['\u2019]t) have an? {_SOME}account"
    r"|no longer (?:in use|active|valid|available)"
    rf"|(?:account|mailbox|user|address){_SOME}(?:disabled|inactive|deactivated|discontinued)"
    rf"|(?:adresse|empfänger|benutzer|postfach){_SOME}(?:nicht gefunden|unbekannt|existiert nicht)"
    r"|destinataire inconnu|adresse inconnue|(?:destinatario|usuario|utente) (?:desconocido|sconosciuto)"
)
_REFUSED_THIS_MAIL: Final = re.compile(
    r"\bspam|\bjunk|blocked|(?:black|block|deny|grey|gray) ?list|reputation|\bpolicy|dmarc|\bspf\b|\bdkim\b"
    r"|unsolicited|virus|malware|rate limit|too many|too (?:large|big)|message size|\bcontent (?:rej|ref)"
    r"|\bloop|hop count|expired|timed out|timeout|try again|temporar|access denied|not authori[sz]ed"
    r"|unauthenticated"
)
_NO_SUCH_PLACE: Final = re.compile(
    rf"(?:host|domain){_SOME}(?:not found|unknown|does not exist)|nxdomain|unknown (?:host|domain)"
    r"|no such (?:host|domain)|(?:couldn't|cannot) find any host|mailbox unavailable|does not exist|doesn't exist"
)
# 1.7, 1.8 and Microsoft 365's 1.90 are about us; its 4.1 (no such recipient) and 4.310, and 4.4, about a domain.
_NO_GOOD: Final = re.compile(r"5\.(?:1\.(?!7$|8$|90$)\d+|2\.1|4\.(?:1|4|310))")
_NO_MAILBOX: Final = re.compile(r"5\.(?:1\.(?:1|2|3|6|10)|2\.1)")
# RFC 3463: full or too large (2.2, 2.3, 3.x), routes (4.x), protocol (5.1 and on), contents (6.x), policy (7.x)
_NOT_ITS_FAULT: Final = re.compile(r"5\.(?:1\.(?:7|8|90)|2\.[23]|5\.[1-9]\d*|[3467]\.\d+)")


def find_status(text: str) -> str:
    """Find the first enhanced status code (RFC 3463), such as `5.1.1`, or ""; version and IP numbers are none."""
    return match[1] if (match := _STATUS.search(text)) else ""


def find_reason(lines: Sequence[str]) -> str:
    """Find, in what a mail server wrote, the lines that say why: with a code, else with known words, else ""."""
    folded = [line[:_LONGEST_LINE].casefold() for line in lines[:_MOST_LINES]]
    for patterns in (
        (_STATUS, _REPLY_CODE),
        (_FULL_OR_ABOUT_US, _NO_SUCH_ADDRESS),
        (_REFUSED_THIS_MAIL, _NO_SUCH_PLACE),
    ):
        for number, line in enumerate(folded):
            if any(pattern.search(line) for pattern in patterns):
                return _paragraph(lines, number)
    return ""


def joined_reply(text: str) -> str:
    """Take the code out that begins each further line of a long SMTP reply (RFC 5321 section 4.2.1)."""
    first = _LONG_REPLY.search(text)
    if first is None:
        return text
    further = re.sub(rf"\s+{first[1]}[- ]{_ENHANCED}", " ", text[first.end() :])
    return f"{text[: first.start()]}{first[1]} {further}"


def is_permanent(status: str, words: str) -> bool | None:
    """Judge a failed delivery: True, the address is no good; False, it may yet be; None, nothing tells.

    `status` is of RFC 3463 or ""; `words` what the server said, a short text.
    """
    folded = words.casefold()
    if status.startswith("4.") or _FULL_OR_ABOUT_US.search(folded):
        return False
    if _NO_GOOD.fullmatch(status) or _NO_SUCH_ADDRESS.search(folded):
        return True
    if _NOT_ITS_FAULT.fullmatch(status) or _REFUSED_THIS_MAIL.search(folded):
        return False
    if status.startswith("5.") or _NO_SUCH_PLACE.search(folded):
        return True
    code = _REPLY_CODE.search(folded)
    return None if code is None else code[1].startswith("5")


def is_no_address(answer: str) -> bool:
    """Whether a relay's own answer says that the recipient does not exist (RFC 3463 section 3.2, RFC 7505).

    It has to say so, and not of our own: a relay that is set up wrongly refuses everybody, and nobody is to be given
    up for that.
    """
    folded, status = answer.casefold(), find_status(answer)
    if not folded.startswith("5") or "sender" in folded or _FULL_OR_ABOUT_US.search(folded):
        return False
    return bool(_NO_MAILBOX.fullmatch(status) if status else _NO_SUCH_ADDRESS.search(folded))


def _paragraph(lines: Sequence[str], start: int) -> str:
    kept: list[str] = []
    for line in lines[start : start + _LINES_OF_A_REASON]:
        if not line.strip():
            break
        kept.append(line[:_LONGEST_LINE].strip())
    return " ".join(kept)
