"""Verifies a mail's DKIM signatures (RFC 6376) here, where no mail server of ours did it for us.

Asks more of a signature than the RFC, since one that counts may publish. Never raises, whatever a stranger
wrote, but MachineExhausted where no key can be asked for; looks names up only through the port that it is given, and
only below the domain of the sender.
"""

import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import dns.exception
import dns.resolver

# dkimpy publishes no type information.
from dkim import DKIM, DKIMException, asn1, canonicalization, crypto, util

from service.errors import MachineExhausted, what_ran_out
from service.mail.authentication_results import Header
from service.mail.parsing import MOST_BYTES

Tags = Mapping[bytes, bytes]

LookUp = Callable[[bytes], bytes | None]
"""Gives the TXT record of a domain name, its strings joined, or None if there is none.

Raises OSError (TimeoutError is one) if the DNS gives no answer, and MachineExhausted if it could not be asked.
"""

FindLack = Callable[[frozenset[str]], str]
"""Says of a signature over these lower-case fields what it leaves open, to complete `DKIM signature of …`; or ""."""

MOST_SIGNATURES: Final = 5
"""Of one mail, from the top; the rest is not looked at."""
LEAST_KEY_BITS: Final = 1024
_MOST_SIGNATURE_BYTES: Final = 4 * 1024
_MOST_RECORD_BYTES: Final = 1024
"""Room for 4,096 bits of RSA; a longer key would be given an exponent that takes seconds."""
_MOST_SIGNED_FIELDS: Final = 100
_MOST_FIELDS: Final = 1000
_MUST_COVER: Final = frozenset({b"from", b"subject"})
_ONCE: Final = (
    "from",
    "subject",
    "date",
    "to",
    "cc",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
)
"""Fields of which a second one, added above the signed one, would change what is read."""
_ALGORITHMS: Final = {b"rsa-sha256": b"rsa", b"ed25519-sha256": b"ed25519"}
_LABEL: Final = rb"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})"
_DOMAIN_NAME: Final = re.compile(rb"(?=.{1,200}\Z)" + _LABEL + rb"(?:\." + _LABEL + rb")*")
_PLAIN: Final = re.compile(rb"[\t\r\n -~]*")
# dkimpy's own pattern takes minutes over a body of nothing but blanks.
_GAPS: Final = re.compile(rb"[\t ]+")
_WHITE_SPACE: Final = re.compile(rb"[\t\r\n ]+")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/=\s]+")
_SECONDS: Final = re.compile(rb"[0-9]{1,12}")
# What dkimpy was seen or read to raise on hostile signatures, keys and mails; some of its errors have no parent.
_DKIMPY_FAULTS: Final = (
    DKIMException,
    util.InvalidTagValueList,
    canonicalization.InvalidCanonicalizationPolicyError,
    crypto.DigestTooLargeError,
    crypto.UnparsableKeyError,
    asn1.ASN1FormatError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
)
# dkimpy reports each bad signature as an error of the program.
_UNHEARD: Final = logging.getLogger(f"{__name__}.unheard")
_UNHEARD.disabled = True


class Signed(NamedTuple):
    """Whether a signature of the sender's domain verifies, and one plain clause that says which or why not."""

    is_proven: bool
    evidence: str


class _Refused(Exception):
    """A signature that does not count; the text completes `DKIM signature of acme.example …`."""


class _NoAnswer(Exception):
    """The DNS did not answer: asking it again for the next signature would only take longer."""


def is_aligned(domain: str, sender_domain: str) -> bool:
    """Whether a domain may speak for the sender's: it is the same, or a parent of at least two labels.

    That is the part of DMARC's relaxed alignment (RFC 7489, section 3.1) which needs no list of public
    suffixes. The domain below the sender's does not count: who knows to whom it was given.
    """
    if not domain or not sender_domain:
        return False
    return domain == sender_domain or ("." in domain and sender_domain.endswith(f".{domain}"))


def signing_domains(header: Header) -> frozenset[str]:
    """Give the lower-case domains (`d=`) in whose name a mail claims to be signed; nothing is verified."""
    return frozenset(
        _read_tags(value).get(b"d", b"").decode("ascii", "replace").lower()
        for value in header.values("dkim-signature")
    )


def find_claimed_lack(header: Header, sender_domain: str, find_lack: FindLack) -> str:
    """Say what a signature that may speak for the sender's domain lacks, or ""; nothing is verified.

    Where another server verified one of them, it is not known which one, so that none may lack anything. One that
    cannot be read here covers nothing, since the server may have read it.
    """
    for value in header.values("dkim-signature"):
        tags = _read_tags(value)
        domain = tags.get(b"d", b"").decode("ascii", "replace").lower()
        if not domain or _may_be_aligned(domain, sender_domain):
            lack = find_lack(_covered(tags))
            if lack:
                return f"its DKIM signature {lack}"
    return ""


def _may_be_aligned(domain: str, sender_domain: str) -> bool:
    """Whether a server may find a domain aligned with the sender's (RFC 7489, section 3.1.1).

    Those of one organization are, sisters too. Which is one only a list of public suffixes tells; without one it is
    whatever shares its last two labels, which is more.
    """
    return domain.rstrip(".").split(".")[-2:] == sender_domain.split(".")[-2:]


def check_signatures(
    raw: bytes,
    header: Header,
    sender_domain: str,
    look_up: LookUp,
    *,
    now: datetime,
    find_lack: FindLack = lambda _: "",
) -> Signed:
    """Say whether one of the first five DKIM signatures proves that the sender's domain sent this mail.

    It must be aligned, cover From, Subject and the whole body (no `l=`), be unexpired (`x=`), made with SHA-256
    and a key of at least 1,024 bits that is not only on trial (`t=y`), and lack nothing that `find_lack` asks for.
    `header` is that of `raw`, `sender_domain` in lower-case ASCII.
    """
    if unfit := _find_unfitness(raw, header):
        return Signed(is_proven=False, evidence=unfit)
    first_refusal = ""
    try:
        verifier = DKIM(raw, logger=_UNHEARD, minkey=LEAST_KEY_BITS)
        body = verifier.body
        signatures = [field for field in verifier.headers if field[0].lower() == b"dkim-signature"]
    except _DKIMPY_FAULTS:
        return Signed(is_proven=False, evidence="the mail's header is malformed")
    for name, value in signatures[:MOST_SIGNATURES]:
        tags = _read_tags(value)
        domain = tags.get(b"d", b"").decode("ascii", "replace").lower()
        if not is_aligned(domain, sender_domain):
            continue
        verifier.body = body
        try:
            _verify(verifier, (name, value), tags, look_up, now)
            _check_lack(find_lack(_covered(tags)))
        except _Refused as refusal:
            first_refusal = first_refusal or f"DKIM signature of {domain} {refusal}"
        except _NoAnswer:
            return Signed(is_proven=False, evidence=f"the DNS did not give the DKIM key of {domain} in time")
        else:
            return Signed(is_proven=True, evidence=f"DKIM signature of {domain} verifies")
    return Signed(is_proven=False, evidence=first_refusal or f"no DKIM signature of {sender_domain}")


def dns_look_up(timeout: timedelta) -> LookUp:
    """Give the real port: the system's resolver, which answers within `timeout` or raises TimeoutError.

    It raises MachineExhausted where it could not ask.
    """

    def look_up(name: bytes) -> bytes | None:
        try:
            answer = dns.resolver.resolve(
                name.decode("ascii"),
                "TXT",
                lifetime=timeout.total_seconds(),
                raise_on_no_answer=False,
                search=False,
            )
        except (dns.resolver.NXDOMAIN, UnicodeDecodeError):
            return None
        except dns.exception.DNSException as fault:
            # of each server that was asked in vain it is told why
            reasons = (fault, *(error[3] for error in fault.kwargs.get("errors", ())))
            for reason in reasons:
                if isinstance(reason, Exception) and (said := what_ran_out(reason)):
                    raise MachineExhausted(said) from fault
            raise TimeoutError(f"the DNS gives no answer for {name!r} ({type(fault).__name__})") from fault
        records = [b"".join(record.strings) for record in answer.rrset or ()]
        return next((record for record in records if b"p=" in record), records[0] if records else None)

    return look_up


def _find_unfitness(raw: bytes, header: Header) -> str:
    """Say why no signature of this mail can be checked, or ""."""
    if len(raw) >= MOST_BYTES:
        return f"the mail is longer than {MOST_BYTES // 1024} KiB, so that no signature of it can be checked"
    if not header.is_whole or len(header.fields) > _MOST_FIELDS:
        return "the mail's header is too long to check a signature"
    names = [name for name, _ in header.fields]
    twice = next((name for name in _ONCE if names.count(name) > 1), "")
    return f"the mail has two fields {twice}, of which a signature may cover one" if twice else ""


def _read_tags(value: bytes) -> Tags:
    """Read a signature's tags; none of one that is malformed or too long, white space aside."""
    folded = _WHITE_SPACE.sub(b" ", value)
    if len(folded) > _MOST_SIGNATURE_BYTES or not _PLAIN.fullmatch(folded):
        return {}
    try:
        tags: Tags = util.parse_tag_value(folded)
    except util.InvalidTagValueList:
        return {}
    return tags


def _covered(tags: Tags) -> frozenset[str]:
    """Give the fields that a signature says it covers, lower-case."""
    return frozenset(name.decode("ascii", "replace") for name in _listed(tags.get(b"h")))


def _check_lack(lack: str) -> None:
    if lack:
        raise _Refused(lack)


def _verify(verifier: DKIM, field: tuple[bytes, bytes], tags: Tags, look_up: LookUp, now: datetime) -> None:
    """Return if the signature counts; raises _Refused or _NoAnswer.

    Calls dkimpy behind its own check of the tags, which reads the clock.
    """
    # dkimpy's pattern for the tag b= takes time that grows with the square of the folds behind it
    if len(field[1]) > _MOST_SIGNATURE_BYTES:
        raise _Refused(f"is longer than {_MOST_SIGNATURE_BYTES // 1024} KiB")
    _check_tags(tags, now)
    covered = [name.strip().lower() for name in tags[b"h"].split(b":")]
    if not _MUST_COVER.issubset(covered):
        raise _Refused("does not cover From and Subject")
    if len(covered) > _MOST_SIGNED_FIELDS:
        raise _Refused(f"covers over {_MOST_SIGNED_FIELDS} fields")
    if tags.get(b"c", b"").endswith(b"/relaxed"):
        verifier.body = _GAPS.sub(b" ", verifier.body)

    def fetch_key(name: bytes, timeout: float) -> bytes:  # noqa: ARG001 - the port has its own time limit
        try:
            record = look_up(name.lower())
        except OSError as fault:
            raise _NoAnswer from fault
        _check_key(record or b"", tags)
        return record or b""

    try:
        holds = verifier.verify_sig(dict(tags), covered, field, fetch_key)
    except _DKIMPY_FAULTS:
        holds = False
    if not holds and 0 < verifier.keysize < LEAST_KEY_BITS and tags[b"a"] == b"rsa-sha256":
        raise _Refused(f"has a key of only {verifier.keysize} bits")
    if not holds:
        raise _Refused("does not verify")


def _check_tags(tags: Tags, now: datetime) -> None:
    """Check what RFC 6376, section 3.5, demands of the tags, and what we demand beyond it."""
    if any(not tags.get(tag) for tag in (b"v", b"a", b"b", b"bh", b"d", b"h", b"s")) or tags[b"v"] != b"1":
        raise _Refused("lacks a tag that it must have")
    if tags[b"a"] not in _ALGORITHMS:
        raise _Refused("is not made with SHA-256")
    if b"l" in tags:
        raise _Refused("covers only a part of the body (l=)")
    if not all(_BASE64.fullmatch(tags[tag]) for tag in (b"b", b"bh")):
        raise _Refused("is not base64")
    if not all(_DOMAIN_NAME.fullmatch(tags[tag]) for tag in (b"d", b"s")):
        raise _Refused("names no place where a key could be")
    if tags.get(b"q", b"dns/txt") != b"dns/txt":
        raise _Refused("has its key elsewhere than in the DNS")
    identity = tags.get(b"i", b"@" + tags[b"d"]).lower().rpartition(b"@")[2]
    if identity != tags[b"d"].lower() and not identity.endswith(b"." + tags[b"d"].lower()):
        raise _Refused("is made in the name of another domain (i=)")
    expires = tags.get(b"x")
    if expires is not None and not (_SECONDS.fullmatch(expires) and int(expires) > now.timestamp()):
        raise _Refused("has expired (x=)")


def _check_key(record: bytes, tags: Tags) -> None:
    """Check those tags of a key record (RFC 6376, section 3.6.1) that dkimpy passes over."""
    if not record:
        raise _Refused("has no key in the DNS")
    try:
        key: Tags = util.parse_tag_value(record) if len(record) <= _MOST_RECORD_BYTES else {}
    except util.InvalidTagValueList:
        key = {}
    flags, hashes, services = (_listed(key.get(tag)) for tag in (b"t", b"h", b"s"))
    if not key.get(b"p"):
        raise _Refused("has a key that is revoked or malformed")
    if key.get(b"k", b"rsa") != _ALGORITHMS[tags[b"a"]]:
        raise _Refused("has a key of another kind")
    if b"y" in flags:
        raise _Refused("has a key that is only on trial (t=y)")
    if hashes and b"sha256" not in hashes:
        raise _Refused("has a key that is not for SHA-256")
    if services and not services & {b"*", b"email"}:
        raise _Refused("has a key that is not for mail")
    identity = tags.get(b"i", b"@" + tags[b"d"]).lower().rpartition(b"@")[2]
    if b"s" in flags and identity != tags[b"d"].lower():
        raise _Refused("is made for a domain below its own, which its key forbids (t=s)")


def _listed(value: bytes | None) -> frozenset[bytes]:
    return frozenset(piece.strip().lower() for piece in (value or b"").split(b":") if piece.strip())
