"""A DKIM signature counts only with a fit key, which the DNS gives in time or not at all."""

import base64
import importlib.util
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from service.config.settings import Authenticity, Policy
from service.errors import MachineExhausted
from service.mail.authenticity import Verdict, judge
from service.mail.dkim_check import Signed, dns_look_up
from tests.descriptors import nothing_can_be_opened
from tests.mail.authenticity.signing import (
    MAIL,
    NOW,
    PRIVATE,
    PROVEN,
    RECORD,
    Ed25519Signer,
    check,
    make_key,
    served,
    sign,
)


@pytest.mark.parametrize(
    ("change", "evidence"),
    [
        (lambda record: b"t=y; " + record, "has a key that is only on trial (t=y)"),
        (lambda record: b"t=s : Y; " + record, "has a key that is only on trial (t=y)"),
        (lambda record: b"h=sha1; " + record, "has a key that is not for SHA-256"),
        (lambda record: b"s=tlsrpt; " + record, "has a key that is not for mail"),
        (lambda record: b"s=other; " + record, "has a key that is not for mail"),
        (lambda record: record.replace(b"k=rsa", b"k=ed25519"), "has a key of another kind"),
        (lambda record: record.replace(b"k=rsa", b"k=x"), "has a key of another kind"),
        (lambda record: record.replace(b"DKIM1", b"DKIM2"), "does not verify"),
        (lambda record: record[:-8], "does not verify"),
        (lambda record: record.partition(b"p=")[0] + b"p=AAAA", "does not verify"),
        (lambda record: record.partition(b"p=")[0] + b"p=\xff\xfe", "does not verify"),
        (lambda record: record.partition(b"p=")[0] + b"p=", "has a key that is revoked or malformed"),
        (lambda _record: b"nonsense", "has a key that is revoked or malformed"),
        (lambda record: record + b"A" * 2048, "has a key that is revoked or malformed"),
        (lambda _record: b"", "has no key in the DNS"),
        (lambda _record: None, "has no key in the DNS"),
    ],
)
def test_a_key_that_is_not_fit_proves_nothing(change: Callable[[bytes], bytes | None], evidence: str) -> None:
    found = check(sign(MAIL, PRIVATE), lambda _name: change(RECORD))
    assert found == Signed(is_proven=False, evidence=f"DKIM signature of corp.example {evidence}")


@pytest.mark.parametrize("prefix", [b"", b"h=sha1:sha256; ", b"s=*; ", b"s=email; ", b"t=s; ", b"n=a note; "])
def test_a_key_with_fit_tags_is_accepted(prefix: bytes) -> None:
    assert check(sign(MAIL, PRIVATE), served(prefix + RECORD)) == PROVEN


def test_a_key_may_forbid_signatures_for_the_domains_below_it() -> None:
    raw = sign(MAIL, PRIVATE, i=b"@mail.corp.example")
    assert "which its key forbids (t=s)" in check(raw, served(b"t=s; " + RECORD)).evidence


@pytest.mark.parametrize("bits", [512, 1008])
def test_a_key_of_less_than_1024_bits_is_refused(bits: int) -> None:
    private, record = make_key(bits)
    expected = f"DKIM signature of corp.example has a key of only {bits} bits"
    assert check(sign(MAIL, private), served(record)).evidence == expected


def test_a_key_of_1024_bits_is_accepted() -> None:
    private, record = make_key(1024)
    assert check(sign(MAIL, private), served(record)) == PROVEN


def test_an_ed25519_signature_counts_where_its_library_is_installed() -> None:
    private = Ed25519Signer()
    record = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(private.public)
    raw = sign(MAIL, private, a=b"ed25519-sha256", s=b"s2")
    is_installed = importlib.util.find_spec("nacl") is not None
    assert check(raw, served(record, b"s2._domainkey.corp.example.")).is_proven is is_installed
    records = {b"s1._domainkey.corp.example.": RECORD, b"s2._domainkey.corp.example.": record}
    assert check(sign(raw, PRIVATE), records.get) == PROVEN


@pytest.mark.parametrize("fault", [TimeoutError, OSError, ConnectionRefusedError])
def test_a_dns_that_does_not_answer_is_asked_only_once(fault: type[OSError]) -> None:
    asked: list[bytes] = []

    def look_up(name: bytes) -> bytes | None:
        asked.append(name)
        raise fault

    raw = sign(sign(MAIL, PRIVATE), PRIVATE, s=b"s2")
    assert check(raw, look_up).evidence == "the DNS did not give the DKIM key of corp.example in time"
    assert len(asked) == 1
    judgement = judge(raw, "alice@corp.example", Authenticity(Policy.REQUIRE), look_up, now=NOW)
    assert judgement.verdict is Verdict.UNKNOWN


class Nameserver:
    """A DNS server on the loopback: answers TXT questions from a table, and nothing at all for what is not in it."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[dns.rcode.Rcode, tuple[str, ...]]] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while wire := (received := self._socket.recvfrom(4096))[0]:
            query = dns.message.from_wire(wire)
            name = query.question[0].name
            if found := self.answers.get(name.to_text()):
                reply = dns.message.make_response(query)
                reply.set_rcode(found[0])
                if found[1]:
                    reply.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *found[1]))
                self._socket.sendto(reply.to_wire(), received[1])

    def stop(self) -> None:
        """Wake the thread with an empty datagram, which ends it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as knock:
            knock.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


@pytest.fixture
def nameserver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nameserver]:
    server = Nameserver()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = server.port
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    yield server
    server.stop()


NAME = "s1._domainkey.corp.example."


@pytest.mark.parametrize(
    ("rcode", "records", "expected"),
    [
        (dns.rcode.NOERROR, ('"v=DKIM1; p=" "AA" "BB"',), b"v=DKIM1; p=AABB"),
        (dns.rcode.NOERROR, ('"unrelated"', '"p=AA"'), b"p=AA"),
        (dns.rcode.NOERROR, ('"unrelated"',), b"unrelated"),
        (dns.rcode.NOERROR, (), None),
        (dns.rcode.NXDOMAIN, (), None),
    ],
)
def test_the_dns_is_asked_for_text_records(
    nameserver: Nameserver, rcode: dns.rcode.Rcode, records: tuple[str, ...], expected: bytes | None
) -> None:
    nameserver.answers[NAME] = (rcode, records)
    assert dns_look_up(timedelta(seconds=3))(NAME.encode()) == expected


@pytest.mark.parametrize("name", [NAME.encode(), b"a" * 64 + b".example.", b"a.." + b"example.", b"x." * 200])
def test_no_answer_of_the_dns_in_time_is_a_timeout(nameserver: Nameserver, name: bytes) -> None:
    with pytest.raises(TimeoutError, match="the DNS gives no answer"):
        dns_look_up(timedelta(milliseconds=50))(name)


@pytest.mark.parametrize("is_known", [True, False])
def test_that_there_is_nothing_left_to_ask_the_dns_with_is_no_answer_of_it(
    nameserver: Nameserver, monkeypatch: pytest.MonkeyPatch, *, is_known: bool
) -> None:
    if not is_known:
        monkeypatch.setattr(dns.resolver, "default_resolver", None)
    raw, look_up = sign(MAIL, PRIVATE), dns_look_up(timedelta(seconds=3))
    with nothing_can_be_opened(), pytest.raises(MachineExhausted, match="no file descriptor left"):
        check(raw, look_up)


def test_a_name_that_no_dns_can_hold_is_not_asked_for(nameserver: Nameserver) -> None:
    assert dns_look_up(timedelta(seconds=3))(b"\xff.example.") is None


def test_a_failing_server_of_the_dns_is_no_answer(nameserver: Nameserver) -> None:
    nameserver.answers[NAME] = (dns.rcode.SERVFAIL, ())
    with pytest.raises(TimeoutError):
        dns_look_up(timedelta(milliseconds=200))(NAME.encode())
