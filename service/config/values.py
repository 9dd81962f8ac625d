"""Single values of config.yaml: text → what it means, or a ValueError that says what to write instead.

The text of each ValueError is a predicate ("is not …"); who reports it puts the value or its key before it.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from email_validator import EmailNotValidError, validate_email

from service.config.wording import suggest
from service.errors import what_ran_out

_LAST_PORT: Final = 65535
_MOST_PEOPLE: Final = 99
_LONGEST_NAME: Final = 253
_HOST_NAME: Final = re.compile(r"(?!-)[\w-]{1,63}(?<!-)(?:\.(?!-)[\w-]{1,63}(?<!-))*\.?")
_LONGEST_LOCAL_PART: Final = 64 - len("+") - 26
"""RFC 5321, 4.5.3.1.1 allows 64 octets; replies come back to `status+TOKEN@…`, the token being of 26."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom our mails come from; the name is empty where only an address was given."""

    name: str
    address: str


def parse_truth(value: object) -> bool:
    """Read true or false, also as the text that an expansion leaves; nothing else (no yes, no 1)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in {"true", "false"}:
        return value == "true"
    raise ValueError("is neither true nor false: write one of these")


def parse_port(value: object) -> int:
    """Read a TCP port, also as the text that an expansion leaves."""
    number = value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(_LAST_PORT)):
        number = int(value)
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= _LAST_PORT:
        return number
    raise ValueError(f"is not a port: write a number from 1 to {_LAST_PORT}")


def parse_people(value: object) -> int:
    """Read a number of people, also as the text that an expansion leaves."""
    number = value
    if (
        isinstance(value, str)
        and value.isascii()
        and value.isdigit()
        and len(value) <= len(str(_MOST_PEOPLE))
    ):
        number = int(value)
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= _MOST_PEOPLE:
        return number
    raise ValueError(f"is not a number of people: write one from 1 to {_MOST_PEOPLE}")


def parse_host(text: str) -> str:
    """Check the name (RFC 1123, 2.1; `_` too, which networks of containers have) or IP address of a server.

    Brackets around an IPv6 address (RFC 3986, 3.2.2) are left out.
    """
    if (host := _host(text)) is not None:
        return host
    name, _, port = text.rpartition(":")
    if port.isdecimal() and (host := _host(name)) is not None:
        raise ValueError(f"has a port in it: write {host} alone, and `port: {port}` beside it")
    raise ValueError("is not a server's name or IP address: write it alone, such as mail.example.com")


def _host(text: str) -> str | None:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ip_address(bare))
    except ValueError:
        return text if _HOST_NAME.fullmatch(text) and len(text) <= _LONGEST_NAME else None


def parse_email(text: str) -> str:
    """Check an e-mail address by its form alone (RFC 5321; no look-up) and give it with an ASCII domain."""
    try:
        checked = validate_email(
            text, check_deliverability=False, test_environment=True, allow_smtputf8=False
        )
    except EmailNotValidError as error:
        raise ValueError(f"is not an e-mail address: {why_no_email(error)}") from error
    return checked.ascii_email or checked.normalized


def why_no_email(error: EmailNotValidError) -> str:
    """Give the library's reason so that it goes on within a sentence, and in our spelling."""
    reason = str(error).split("\n", 1)[0].rstrip(".").replace("email address", "e-mail address")
    return f"{reason[:1].lower()}{reason[1:]}"


def parse_sender(text: str) -> Sender:
    """Read `Name <address>` or a bare address; the address must leave room for a reply token."""
    written = text.strip()
    name, bracket, rest = written.rpartition("<") if written.endswith(">") else ("", "", written)
    address = parse_email(rest.removesuffix(">") if bracket else rest)
    if len(address.rpartition("@")[0]) > _LONGEST_LOCAL_PART:
        raise ValueError(
            f"is too long before the @: {_LONGEST_LOCAL_PART} characters are the most (replies add a token)"
        )
    return Sender(name.strip().removeprefix('"').removesuffix('"').strip(), address)


def parse_site_url(text: str) -> str:
    """Check the public address of the status page and give it without slashes at its end."""
    wrong = "must be an address such as https://status.example.com"
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isascii() or any(one.isspace() for one in text):
        raise ValueError(wrong)
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise ValueError(f"{wrong}, without a user name, `?` or `#`")
    if path := parts.path.rstrip("/"):
        raise ValueError(
            f"must lead to the root of a host name, where readers reach the page: leave `{path}` out"
        )
    return text.rstrip("/")


def parse_token_url(text: str) -> str:
    """Check an OAuth 2 token endpoint (RFC 6749, 3.2): over TLS, save on this machine, for it gets secrets."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isascii() or any(one.isspace() for one in text):
        raise ValueError("must be an address such as https://login.example.com/oauth2/token")
    if "@" in parts.netloc or "#" in text:
        raise ValueError("must be an address without a user name or `#`")
    if parts.scheme == "http" and not is_loopback_host(parts.hostname or ""):
        raise ValueError("would send secrets in the clear: write https://")
    return text


def parse_tenant(text: str) -> str:
    """Check the name of a Microsoft Entra tenant by its form: a directory id or a domain."""
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", text):
        raise ValueError("is not a tenant: write the directory id, or a domain such as acme.onmicrosoft.com")
    return text


def parse_authserv_id(text: str) -> str:
    """Check the name by which a mail server signs its Authentication-Results (RFC 8601, 2.5)."""
    if not re.fullmatch(r"[\w.:-]+", text) or len(text) > _LONGEST_NAME:
        raise ValueError(
            "is not a server's name: take what stands before the first `;` of its Authentication-Results"
        )
    return text


def is_loopback_host(host: str) -> bool:
    """Whether a name (RFC 6761 for `localhost`) or IP address, be it in brackets or mapped, is this machine alone."""
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        name = host.lower().removesuffix(".")
        return name == "localhost" or name.endswith(".localhost")
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def parse_timezone(text: str) -> ZoneInfo:
    """Find a time zone by its IANA name (https://www.iana.org/time-zones)."""
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        if what_ran_out(error):
            raise
        close = suggest(text, sorted(available_timezones()))
        hint = close if close.startswith(",") else ": write one such as Europe/Berlin or UTC"
        raise ValueError(f"is not a time zone{hint}") from error
