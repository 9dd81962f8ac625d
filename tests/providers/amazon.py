"""Amazon SNS for tests: a certificate of its own and messages signed with it."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from service.providers.sns_signature import signed_text

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CERTIFICATE_URL = (
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
PAYLOADS = Path(__file__).parent / "sns"


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, and the certificate that is made out for it."""

    key: rsa.RSAPrivateKey
    pem: bytes

    def sign(self, message: Mapping[str, object], *, version: str = "1") -> dict[str, object]:
        """Give a message with its signature."""
        signed = {**message, "SignatureVersion": version, "SigningCertURL": CERTIFICATE_URL}
        digest = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303  as Amazon does by default
        raw = self.key.sign(signed_text(signed), padding.PKCS1v15(), digest)
        return {**signed, "Signature": base64.b64encode(raw).decode()}


@cache
def signer(
    name: str = "sns.amazonaws.com", *, alternative: str = "", from_: int = -30, until: int = 30
) -> Signer:
    """Make a signer whose certificate has a name and is valid from and until so many days from now."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW + timedelta(days=from_))
        .not_valid_after(NOW + timedelta(days=until))
    )
    if alternative:
        names = x509.SubjectAlternativeName([x509.DNSName(alternative)])
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    return Signer(key, certificate.public_bytes(serialization.Encoding.PEM))


def message_of(file: str) -> dict[str, object]:
    """Give a message of the payloads, unsigned."""
    message: dict[str, object] = json.loads((PAYLOADS / f"{file}.json").read_bytes())
    return message
