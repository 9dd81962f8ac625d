"""Whether a message of Amazon SNS is Amazon's: its signature, and the certificate that the signature is made with.

SNS Developer Guide, "Verifying the signatures of Amazon SNS messages". Fetches nothing: it says what may be fetched.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from service.errors import SecretWrong
from service.providers.sns import NOTIFICATION, SUBSCRIPTION, UNSUBSCRIPTION

_SIGNED: Final[Mapping[str, tuple[str, ...]]] = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    **dict.fromkeys(
        (SUBSCRIPTION, UNSUBSCRIPTION),
        ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
_MAY_BE_LEFT_OUT: Final = "Subject"
_HASHES: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {"1": hashes.SHA1, "2": hashes.SHA256}
_HOST: Final = re.compile(r"sns\.[a-z]{2}(?:-[a-z0-9]+){1,4}\.amazonaws\.com(?:\.cn)?", re.ASCII)
_CERTIFICATE_PATH: Final = re.compile(r"/SimpleNotificationService-[0-9a-f]{32}\.pem", re.ASCII)
_CERTIFICATE_NAME: Final = re.compile(r"sns(?:\.[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?", re.ASCII)
LARGEST_CERTIFICATE: Final = 64 * 1024
"""Bytes."""


def is_of_sns(url: str) -> bool:
    """Whether a URL leads to Amazon SNS of some region, over TLS and its usual port."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme == "https"
            and parts.username is None
            and parts.password is None
            and parts.port in {None, 443}
            and _HOST.fullmatch(parts.hostname or "") is not None
            and url.isascii()
            and url.isprintable()
            and not set(url) & set(" \\")
        )
    except ValueError:
        return False


def certificate_url(message: Mapping[str, object]) -> str:
    """Give where a message's certificate is to be fetched; raises SecretWrong where that is not Amazon."""
    url = message.get("SigningCertURL")
    if not isinstance(url, str) or not is_of_sns(url) or not _CERTIFICATE_PATH.fullmatch(urlsplit(url).path):
        raise SecretWrong("SigningCertURL is missing or does not lead to Amazon SNS")
    return f"https://{urlsplit(url).hostname}{urlsplit(url).path}"


def read_certificate(pem: bytes, now: datetime) -> x509.Certificate:
    """Read the certificate that SNS signs with: valid now, and made out to SNS; raises SecretWrong.

    Amazon publishes it without the chain above it. What vouches for it is the TLS connection by which it came, whose
    own chain is verified and whose host is Amazon's.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        names = _names(certificate)
    except ValueError as error:
        raise SecretWrong("what SigningCertURL gives is no certificate") from error
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SecretWrong("the certificate that the message is signed with is not valid now")
    if not any(_CERTIFICATE_NAME.fullmatch(name) for name in names):
        raise SecretWrong("the certificate that the message is signed with is not made out to Amazon SNS")
    return certificate


def _names(certificate: x509.Certificate) -> list[str]:
    common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    names = [str(one.value) for one in common]
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return names
    return [*names, *found.value.get_values_for_type(x509.DNSName)]


def check_message(message: Mapping[str, object], certificate: x509.Certificate) -> None:
    """Check a message's signature, of version 1 or 2, with a certificate; raises SecretWrong."""
    version, signature = message.get("SignatureVersion"), message.get("Signature")
    algorithm = _HASHES.get(version) if isinstance(version, str) else None
    key = certificate.public_key()
    if algorithm is None or not isinstance(signature, str) or not isinstance(key, rsa.RSAPublicKey):
        raise SecretWrong("the message has no signature of version 1 or 2")
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, signed_text(message), padding.PKCS1v15(), algorithm())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise SecretWrong("the signature of the message is wrong") from error


def signed_text(message: Mapping[str, object]) -> bytes:
    """Give what a message's signature is made over: names and values of some properties, a line each.

    Raises SecretWrong where one of them is missing.
    """
    kind = message.get("Type")
    names = _SIGNED.get(kind) if isinstance(kind, str) else None
    if names is None:
        raise SecretWrong("the message is of no kind that Amazon SNS signs")
    lines = []
    for name in names:
        value = message.get(name)
        if value is None and name == _MAY_BE_LEFT_OUT:
            continue
        if not isinstance(value, str):
            raise SecretWrong(f"the message cannot be verified: {name} is missing")
        lines += [name, value]
    try:
        return "".join(f"{line}\n" for line in lines).encode()
    except UnicodeEncodeError as error:
        raise SecretWrong("the message cannot be verified: it is not UTF-8") from error
