"""Signs mails as strangers and mail servers would, with keys made for the tests."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

# dkimpy publishes no type information.
from dkim import DKIM, canonicalization, crypto

from service.mail.authentication_results import read_header
from service.mail.dkim_check import Signed, check_signatures

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
CORP = "corp.example"
MAIL = (
    b"From: Alice <alice@corp.example>\r\nTo: status@acme.example\r\nSubject: Re: [INC-12] Email\r\n"
    b"Content-Type: text/plain\r\n\r\npublish\r\n\r\nThank  you \r\n"
)
SIGNED_FIELDS = b"from:to:subject:from"


class Ed25519Signer:
    """What dkimpy asks of a PyNaCl key, so that signing needs no PyNaCl."""

    def __init__(self) -> None:
        self._key = ed25519.Ed25519PrivateKey.generate()
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.signature = b""

    def sign(self, digest: bytes) -> "Ed25519Signer":
        """Keep the signature where dkimpy looks for it."""
        self.signature = self._key.sign(digest)
        return self


def is_probably_prime(number: int) -> bool:
    return all(pow(witness, number - 1, number) == 1 for witness in (2, 3, 5, 7, 11))


def der(tag: int, content: bytes) -> bytes:
    length = [len(content)] if len(content) < 128 else [0x81, len(content)]
    return bytes([tag, *length]) + content


def make_key(bits: int) -> tuple[dict[str, int], bytes]:
    """Make an RSA key shorter than `cryptography` makes them, and its record (RFC 8017, RSAPublicKey)."""
    primes: list[int] = []
    while len(primes) < 2:
        number = secrets.randbits(bits // 2) | (3 << (bits // 2 - 2)) | 1
        if number % 65_537 != 1 and is_probably_prime(number):
            primes.append(number)
    p, q = primes
    exponent = pow(65_537, -1, (p - 1) * (q - 1))
    key = {"modulus": p * q, "prime1": p, "prime2": q, "coefficient": pow(q, -1, p)}
    key |= {"exponent1": exponent % (p - 1), "exponent2": exponent % (q - 1)}
    integers = (number.to_bytes(number.bit_length() // 8 + 1, "big") for number in (p * q, 65_537))
    return key, b"p=" + base64.b64encode(der(0x30, b"".join(der(0x02, one) for one in integers)))


def _make_ordinary_key() -> tuple[object, bytes]:
    made = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return crypto.parse_pem_private_key(pem), b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


PRIVATE, RECORD = _make_ordinary_key()
"""What dkimpy signs with, and the record in the DNS."""


def sign(mail: bytes, private: object, **changed: bytes | None) -> bytes:
    """Put a signature above a mail; a tag that is changed to None is left out of it."""
    tags: dict[str, bytes | None] = {
        "v": b"1",
        "a": b"rsa-sha256",
        "c": b"relaxed/relaxed",
        "d": b"corp.example",
    }
    tags |= {"s": b"s1", "h": SIGNED_FIELDS} | changed
    algorithm = tags["a"] or b""
    signer = DKIM(mail, signature_algorithm=algorithm)
    signer.hasher = hashlib.sha1 if algorithm.endswith(b"sha1") else hashlib.sha256
    policy = canonicalization.CanonicalizationPolicy.from_c_value(tags["c"])
    body = policy.canonicalize_body(signer.body)
    if tags.get("l"):
        body = body[: int(tags["l"] or b"")]
    tags.setdefault("bh", base64.b64encode(signer.hasher(body).digest()))
    fields = [(name.encode(), value) for name, value in tags.items() if value is not None]
    covered = [name.strip().lower() for name in (tags["h"] or b"").split(b":")]
    value = signer.gen_header([*fields, (b"b", b"0" * 60)], covered, policy, b"DKIM-Signature", private)
    return b"DKIM-Signature: " + bytes(value) + mail


def check(
    raw: bytes, look_up: Callable[[bytes], bytes | None], domain: str = CORP, now: datetime = NOW
) -> Signed:
    return check_signatures(raw, read_header(raw), domain, look_up, now=now)


def served(record: bytes, name: bytes = b"s1._domainkey.corp.example.") -> Callable[[bytes], bytes | None]:
    return {name: record}.get


PROVEN = Signed(is_proven=True, evidence="DKIM signature of corp.example verifies")
