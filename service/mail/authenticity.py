"""Decides whether a mail really comes from the address in its From: by our own mail server's word or by DKIM.

DMARC or an aligned DKIM signature vouch for the domain of the sender, never for the person before the @; SPF alone,
ARC and Microsoft's composite authentication never suffice. Neither says whom a mail was meant for, so that it must
be tied to the notification too. Mail within one Microsoft 365 company bears neither, and is believed by Exchange's
own stamp. Decides nothing else, reads no clock, never raises.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from service.config.settings import Authenticity, Policy, Profile
from service.mail.authentication_results import (
    MOST_FIELDS,
    Header,
    MethodResult,
    find_topmost,
    read_header,
    read_results,
)
from service.mail.dkim_check import (
    LookUp,
    check_signatures,
    find_claimed_lack,
    is_aligned,
    signing_domains,
)
from service.mail.parsing import MOST_BYTES
from service.mail.ties import UNASKED, Notification, read_tie

_MOST_SHOWN: Final = 80
_LONGEST_DOMAIN: Final = 253
_DEFAULT_IDS: Final = {Profile.GOOGLE: "mx.google.com", Profile.FASTMAIL: "messagingengine.com"}
"""What stands in for an empty authserv_id; for Fastmail any host below this domain."""

_ONLY_TOPMOST_VOUCHES: Final = {Profile.GENERIC, Profile.GOOGLE}
"""Of an unknown filter that may write SPF alone and remove nothing, and of Google, which writes one field: what follows
the topmost may be a stranger's."""

_STAMP: Final = "x-ms-exchange-organization-authas"
_MUST_AGREE: Final = {
    _STAMP: b"Internal",
    "x-ms-exchange-crosstenant-authas": b"Internal",
    "x-ms-exchange-organization-messagedirectionality": b"Originating",
}
_WITHIN_EXCHANGE: Final = re.compile(
    rb"from [a-z0-9.-]{1,80}\.prod\.outlook\.com (?:\([^()]*\) )?"
    rb"by [a-z0-9.-]{1,80}\.prod\.outlook\.com (?:\([^()]*\) )?"
    rb"with (?:https|mapi|microsoft smtp server)\b(?!.*\bvia frontend)",
    re.IGNORECASE,
)
"""A Received between two mailbox servers. All mail from outside also passes one of `mail.protection.outlook.com`,
and what a mail program sends by SMTP a frontend, which is named by its client."""


class Verdict(StrEnum):
    """Whether a mail comes from its sender."""

    YES = "yes"
    NO = "no"
    """Our own mail server says that it does not (`dmarc=fail`)."""
    UNKNOWN = "unknown"
    """Nothing proves it, which is no sign of a forgery: mailing lists and forwarders break signatures."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and the one plain clause that it rests on."""

    verdict: Verdict
    evidence: str


def judge(
    raw: bytes,
    sender: str,
    authenticity: Authenticity,
    look_up: LookUp,
    *,
    now: datetime,
    own_address: str = "",
    notification: Notification | None = None,
) -> Judgement:
    """Judge whether a mail comes from `sender`, the one address of its From.

    The Authentication-Results that our own mail server wrote (RFC 8601; see `find_topmost`) come first:
    `dmarc=fail` is NO under every policy, `dmarc=pass` for the sender's domain or else an aligned `dkim=pass`
    is YES (under the profiles `generic` and `google` only in the topmost field). What they leave open is for the
    mail's DKIM signatures, which are verified here with keys from `look_up`; it may block for as long as that does,
    at most five times. `token_only` asks for nothing more. Under the profile `microsoft365` mail that never left
    the company of `own_address` is YES too (see `_find_flaw_of_stamp`); without an own address none is.

    A mail that bears a token comes with its `notification`: what was signed once can be sent on to anybody, so that
    DMARC and DKIM make a YES only of what its author wrote as an answer to it (see `read_tie`).
    """
    header = read_header(raw[:MOST_BYTES])
    domain = ascii_domain(sender.rpartition("@")[2] if "@" in sender else "")
    by_server = _judge_by_server(header, domain, authenticity)
    if by_server.verdict is Verdict.NO:
        return by_server
    if authenticity.policy is Policy.TOKEN_ONLY:
        return Judgement(Verdict.YES, f"the token alone is asked for (policy {Policy.TOKEN_ONLY})")
    if doubt := _find_doubt(header, sender, domain):
        return Judgement(Verdict.UNKNOWN, doubt)
    tie = read_tie(header, notification) if notification else UNASKED
    if by_server.verdict is Verdict.YES:
        return _if_tied(by_server, tie.gap or find_claimed_lack(header, domain, tie.find_lack))
    evidence = by_server.evidence
    if authenticity.profile is Profile.MICROSOFT365 and own_address and header.values(_STAMP):
        flaw = _find_flaw_of_stamp(header, sender, own_address)
        if not flaw:
            return Judgement(Verdict.YES, "stamped Internal by Exchange Online")
        evidence = f"{evidence}, {flaw}"
    signed = check_signatures(raw, header, domain, look_up, now=now, find_lack=tie.find_lack)
    if signed.is_proven:
        return _if_tied(Judgement(Verdict.YES, signed.evidence), tie.gap)
    return Judgement(Verdict.UNKNOWN, f"{evidence}, and {signed.evidence}")


def _if_tied(proven: Judgement, gap: str) -> Judgement:
    return Judgement(Verdict.UNKNOWN, f"{proven.evidence}, but {gap}") if gap else proven


def ascii_domain(domain: str) -> str:
    """Give a domain as it is compared: lower-case ASCII (IDNA), no dot at its end; "" if it is none."""
    plain = domain.strip().rstrip(".").lower()
    if plain.isascii() or len(plain) > _LONGEST_DOMAIN:
        return plain if plain.isascii() else ""
    try:
        return plain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def trusts_a_server(authenticity: Authenticity) -> bool:
    """Tell whether it is known which mail server's Authentication-Results are ours."""
    return bool(authenticity.authserv_id) or (
        authenticity.profile in _DEFAULT_IDS or authenticity.profile is Profile.MICROSOFT365
    )


def _is_ours(authserv_id: str, authenticity: Authenticity) -> bool:
    if not authserv_id:
        return authenticity.profile is Profile.MICROSOFT365
    if authenticity.authserv_id:
        return authserv_id == authenticity.authserv_id.strip().lower().rstrip(".")
    default = _DEFAULT_IDS.get(authenticity.profile, "")
    if authenticity.profile is Profile.FASTMAIL:
        return authserv_id.endswith(f".{default}")
    return authserv_id == default


def _name_of_server(authenticity: Authenticity) -> str:
    if authenticity.authserv_id:
        return authenticity.authserv_id
    if authenticity.profile is Profile.MICROSOFT365:
        return "Microsoft 365"
    return _DEFAULT_IDS.get(authenticity.profile, "")


def _find_doubt(header: Header, sender: str, domain: str) -> str:
    """Say why From is not surely the sender for every reader, the mail server among them, or ""."""
    senders = header.values("from")
    if header.has_bare_cr:
        return "the header holds bare carriage returns, at which readers part it differently"
    if len(senders) != 1:
        return f"the mail has {len(senders)} From fields"
    if not domain or sender.lower().encode("utf-8", "replace") not in senders[0].lower():
        return "From is not the address of the sender"
    return ""


def _find_flaw_of_stamp(header: Header, sender: str, own_address: str) -> str:
    """Say why `X-MS-Exchange-Organization-AuthAs: Internal` does not prove that a mail is of our company, or "".

    Exchange stamps it on what somebody sent who had logged in to the tenant and may write as the sender; from mail
    of outsiders its header firewall removes every field of that name (Microsoft Learn: "Header firewall"). But a
    connector can be told to keep them, and other mail servers keep them always. So the way must speak for it too:
    on top stands a `Received`, as nothing does that came in by our own door; every hop lies between two mailbox
    servers of Exchange Online; and no border server wrote its findings. An outsider cannot do without these, since
    whoever takes his mail in writes them above all that he wrote.
    """
    own_domain = ascii_domain(own_address.rpartition("@")[2])
    hops = [b" ".join(value.split()) for value in header.values("received")]
    address = sender.lower().encode("utf-8", "replace")
    if len(header.values(_STAMP)) != 1:
        return "Exchange's stamp stands in it more than once"
    for name, value in header.fields:
        if value.strip() != _MUST_AGREE.get(name, value.strip()):
            return _shown(f"its {name} is {value.strip().decode('utf-8', 'replace')}")
    if not own_domain or ascii_domain(sender.rpartition("@")[2]) != own_domain:
        return "the sender is not of our own domain"
    if any(address not in value.lower() for value in header.values("sender")):
        return "somebody else sent it on behalf of the sender"
    if not header.is_whole or header.fields[0][0] != "received":
        return "its topmost field is not by Exchange Online"
    if not all(_WITHIN_EXCHANGE.match(hop) for hop in hops):
        return "it did not stay within Exchange Online"
    if find_topmost(header, lambda _: True, 1) or header.values("received-spf"):
        return "it came in from outside"
    findings = (read_results(value).results for value in header.values("authentication-results"))
    if any(_is_fail(result) for results in findings for result in results):
        return "a server found its sender forged"
    return ""


def _is_fail(result: MethodResult) -> bool:
    return result.method in {"dmarc", "compauth"} and result.result == "fail"


def _judge_by_server(header: Header, domain: str, authenticity: Authenticity) -> Judgement:
    if not trusts_a_server(authenticity):
        return Judgement(Verdict.UNKNOWN, "no authserv_id is configured")
    server = _name_of_server(authenticity)
    # Microsoft 365 writes one field, and without an authserv-id nothing ties a second one to it.
    most = 1 if authenticity.profile is Profile.MICROSOFT365 else MOST_FIELDS
    fields = find_topmost(header, lambda found: _is_ours(found, authenticity), most)
    if not fields:
        return Judgement(Verdict.UNKNOWN, f"no Authentication-Results of {server}")
    results = [result for field in fields for result in field.results]
    if any((result.method, result.result) == ("dmarc", "fail") for result in results):
        return Judgement(Verdict.NO, f"dmarc=fail by {server}")
    if not all(field.is_sound for field in fields):
        return Judgement(Verdict.UNKNOWN, f"the Authentication-Results of {server} are malformed")
    if any(result.method == "compauth" and result.result == "fail" for result in results):
        return Judgement(Verdict.UNKNOWN, f"compauth=fail by {server}")
    if authenticity.profile in _ONLY_TOPMOST_VOUCHES:
        results = list(fields[0].results)
    dmarc = [result for result in results if result.method == "dmarc"]
    said = {result.result for result in dmarc}.union(*(field.dmarc_words for field in fields))
    if "pass" in said and said != {"pass"}:
        return Judgement(Verdict.UNKNOWN, f"contradictory results of DMARC by {server}")
    if dmarc and said == {"pass"}:
        return _judge_pass(dmarc, domain, server)
    otherwise = _shown(f"dmarc={dmarc[0].result}" if dmarc else "no DMARC")
    passed = _find_passed_signature(results, domain)
    if passed and passed in signing_domains(header):
        return Judgement(Verdict.YES, f"dkim=pass of {passed} by {server}")
    return Judgement(Verdict.UNKNOWN, f"{otherwise} by {server}")


def _judge_pass(dmarc: Sequence[MethodResult], domain: str, server: str) -> Judgement:
    """Compare each `header.from` with the sender's domain: the server may have read another From than we."""
    named = [ascii_domain(value) for result in dmarc for value in result.values("header.from")]
    is_named_by_each = all(result.values("header.from") for result in dmarc)
    if is_named_by_each and all(is_aligned(name, domain) for name in named):
        return Judgement(Verdict.YES, f"dmarc=pass by {server}")
    other = next((name for name in named if not is_aligned(name, domain)), "") or "no domain"
    return Judgement(Verdict.UNKNOWN, _shown(f"dmarc=pass by {server} is for {other} and not for {domain}"))


def _find_passed_signature(results: Sequence[MethodResult], domain: str) -> str:
    """Give the domain of an aligned `dkim=pass`, or ""; one that fails beside it, or a nameless one, undoes it.

    The caller looks for such a signature in the mail, in case the server repeats unquoted what a stranger wrote.
    """
    dkim = [(result.result, _signing_domain(result)) for result in results if result.method == "dkim"]
    if any(word == "fail" and (not signer or is_aligned(signer, domain)) for word, signer in dkim):
        return ""
    return next((signer for word, signer in dkim if word == "pass" and is_aligned(signer, domain)), "")


def _signing_domain(result: MethodResult) -> str:
    """Give the domain of a signature: `header.d`, or else that of `header.i`; "" unless all that are named agree."""
    named = result.values("header.d") or tuple(
        value.rpartition("@")[2] for value in result.values("header.i")
    )
    domains = {ascii_domain(value) for value in named}
    return domains.pop() if len(domains) == 1 else ""


def _shown(text: str) -> str:
    """Cut what a stranger may have written, and keep to one line."""
    return "".join(char for char in text if char.isprintable())[:_MOST_SHOWN]
