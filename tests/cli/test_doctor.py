"""`replycast doctor`: each thing that the service depends on, well and broken, in one line."""

import json
import os
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from anyio import to_thread
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from service.cli.doctor import Finding, State
from service.cli.doctoring import together
from service.cli.subscriber_choices import examine_choices
from service.cli.surroundings import (
    compare_clocks,
    examine_certificate,
    examine_dns,
    examine_files,
    examine_mailbox,
    examine_public,
    examine_relay,
)
from service.config import Config, Mail, load
from service.mail.sandbox import Sandbox
from service.store.database import open_store
from tests.cli.running import ON_THIS_MACHINE, run, start, write_config
from tests.rooms import OWN_ADDRESS, Clock
from tests.transport.scripted_relay import scripted_relay

CERTIFICATE_ENDS = datetime(2046, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SOMEBODY = 65534
"""Debian's user `nobody`."""


class _Front(BaseHTTPRequestHandler):
    """Answers as the service does, or as something else would."""

    body = b"ok\n"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Other(_Front):
    body = b"<h1>It works</h1>"


@contextmanager
def fronted(kind: type[_Front] = _Front, protected_by: ssl.SSLContext | None = None) -> Iterator[str]:
    """Give the address of a web server."""
    server = HTTPServer(("127.0.0.1", 0), kind)
    if protected_by is not None:
        server.socket = protected_by.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        scheme = "https" if protected_by else "http"
        yield f"{scheme}://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def config_at(folder: Path, url: str = "http://127.0.0.1:1", more: str = "") -> Config:
    return load(write_config(folder, ON_THIS_MACHINE.replace("http://127.0.0.1:8080", url) + more), {})


def states(found: Iterator[Finding]) -> dict[str, str]:
    return {one.name: one.state for one in found}


@pytest.mark.xdist_group("processes")
def test_a_running_service_is_well(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    with start("serve", "--config", config, "--port", 0, folder=tmp_path) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            config.write_text(config.read_text().replace("http://127.0.0.1:8080", url))
            result = run("doctor", "--json", "--config", config)
        finally:
            process.terminate()
            process.communicate(timeout=30)
    found = {one["name"]: one["state"] for one in json.loads(result.stdout)}
    assert result.exit_code == 0, result.output
    assert (found["files"], found["database"], found["public address"]) == ("ok", "ok", "ok")
    assert found["clock of the web server"] == "ok"


def test_what_is_broken_is_the_exit_code_and_no_colour_is_printed(tmp_path: Path) -> None:
    result = run("doctor", "--config", write_config(tmp_path))
    assert result.exit_code == 1
    assert "bad   public address           http://127.0.0.1:8080/healthz does not answer" in result.stdout
    assert "\x1b" not in result.stdout


def test_the_config_before_the_further_word_counts(tmp_path: Path) -> None:
    result = run("doctor", "--config", tmp_path / "none.yaml", "database")
    assert (result.exit_code, "none.yaml" in result.stderr) == (2, True)


def test_a_key_that_others_can_read_is_broken_and_other_files_are_warned_of(tmp_path: Path) -> None:
    (tmp_path / "hook.secret").write_text("hush")
    config = config_at(tmp_path, more="webhooks: {victorops: {secret_file: hook.secret}}\n")
    open_store(config.database).close()
    (tmp_path / "replycast.key").write_text("00" * 32)
    for name in ("hook.secret", "replycast.key", "config.yaml"):
        (tmp_path / name).chmod(0o644)
    found = {one.text.split()[0]: one.state for one in examine_files(config)}
    assert found == {
        str(tmp_path / "replycast.key"): State.BAD,
        str(tmp_path / "hook.secret"): State.WARN,
    }, "config.yaml itself holds no secret"
    for name in ("hook.secret", "replycast.key"):
        (tmp_path / name).chmod(0o600)
    assert states(examine_files(config)) == {"files": "ok"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may be somebody else for a while")
def test_a_folder_that_may_not_be_written_into_is_named() -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)  # to be looked into by everybody
        config = config_at(folder)
        config = replace(config, site=replace(config.site, export_to=folder / "page"))
        os.seteuid(SOMEBODY)
        try:
            said = [one.text for one in examine_files(config) if one.state is State.BAD]
        finally:
            os.seteuid(0)
    assert [text.split()[0] for text in said] == [place, f"{place}/page"]


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    config = replace(config_at(tmp_path), database=f"sqlite:///{tmp_path}/var/replycast.db")
    bad = [one.text.split()[0] for one in examine_files(config) if one.state is State.BAD]
    assert bad == [str(tmp_path / "var")]


def test_a_secret_in_config_yaml_makes_it_one_of_these_files(tmp_path: Path) -> None:
    config = config_at(tmp_path, more='webhooks: {victorops: {secret: "hush"}}\n')
    config.path.chmod(0o644)
    [found] = examine_files(config)
    assert (found.state, str(config.path) in found.text, "hush" in found.text) == (State.WARN, True, False)


def test_an_address_that_leads_elsewhere_is_broken(tmp_path: Path, clock: Clock) -> None:
    with fronted(_Other) as url:
        found = states(examine_public(config_at(tmp_path, url), clock))
    assert found["public address"] == "bad"


@pytest.mark.parametrize(
    ("apart", "state"),
    [(timedelta(seconds=2), "ok"), (timedelta(seconds=-40), "warn"), (timedelta(hours=1), "bad")],
)
def test_clocks_that_differ_are_named(apart: timedelta, state: str) -> None:
    assert compare_clocks("clock", NOW + apart, NOW).state == state


def trusted_certificate(folder: Path) -> ssl.SSLContext:
    """Make a certificate for localhost that ends in 2046, and give what a server shows it by."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(CERTIFICATE_ENDS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(private, hashes.SHA256())
    )
    (folder / "web.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "web.key").write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "web.crt", folder / "web.key")
    return context


def test_a_certificate_that_nobody_trusts_is_broken(tmp_path: Path, clock: Clock) -> None:
    with fronted(protected_by=trusted_certificate(tmp_path)) as url:
        [refused] = examine_certificate(config_at(tmp_path, url), clock)
    assert (refused.state, "browsers refuse that of localhost" in refused.text) == (State.BAD, True)
    assert list(examine_certificate(config_at(tmp_path), clock)) == [], "there is none over plain HTTP"


@pytest.mark.parametrize(("days", "state"), [(90, State.OK), (5, State.WARN)])
def test_a_certificate_near_its_end_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, state: State
) -> None:
    context = trusted_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "web.crt"))
    with fronted(protected_by=context) as url:
        now = CERTIFICATE_ENDS - timedelta(days=days)
        [found] = examine_certificate(config_at(tmp_path, url), lambda: now)
    assert (found.state, found.text) == (state, f"that of localhost is valid for {days} days more")


DNS: Mapping[str, tuple[str, ...]] = {
    "acme.example": ("some-verification=1", "v=spf1 mx -all"),
    "_dmarc.acme.example": ("v=DMARC1; p=none",),
    "_domainkey.acme.example": (),
}


def mail_of(sandbox: Sandbox) -> Mail:
    return Mail("Acme", OWN_ADDRESS, sandbox.smtp, sandbox.imap)


@pytest.mark.anyio
async def test_mail_servers_that_let_us_in_are_well(clock: Clock) -> None:
    sandbox = await Sandbox.start(own_address=OWN_ADDRESS)
    try:
        mail = mail_of(sandbox)
        found = await to_thread.run_sync(lambda: [*examine_relay(mail, clock), *examine_mailbox(mail, clock)])
        assert [one.state for one in found] == [State.OK, State.OK], found
        assert list(sandbox.mails) == []
        said = states(examine_dns(mail, DNS.get))
        assert said == {"SPF": "ok", "DMARC": "ok", "DKIM": "ok"}
        assert set(states(examine_dns(mail, lambda _: None)).values()) == {"warn"}
        assert set(states(examine_dns(mail, _silent)).values()) == {"warn"}
    finally:
        await sandbox.stop()
    broken = await to_thread.run_sync(lambda: [*examine_relay(mail, clock), *examine_mailbox(mail, clock)])
    assert [one.state for one in broken] == [State.BAD, State.BAD]


@pytest.mark.anyio
async def test_what_a_relay_says_to_our_greeting_is_told(clock: Clock) -> None:
    said = "421 4.7.0 Try again later, closing connection. (EHLO)"
    async with scripted_relay({"EHLO": said}) as relay:
        mail = Mail("Acme", OWN_ADDRESS, replace(relay.smtp, own_name="status.acme.example"), None)
        [found] = await to_thread.run_sync(lambda: [*examine_relay(mail, clock)])
    assert found.state is State.BAD
    assert f"`EHLO status.acme.example` with {said}" in found.text


def _silent(name: str) -> tuple[str, ...] | None:
    raise TimeoutError(f"the DNS gives no answer for {name}")


def test_an_examination_that_hangs_is_given_up_and_the_others_are_told() -> None:
    hanging = threading.Event()

    def hang() -> Iterator[Finding]:
        hanging.wait()
        yield Finding("late", State.OK, "")

    quick = Finding("quick", State.OK, "well")
    try:
        found = list(together([("slow", hang), ("quick", lambda: iter([quick]))], 0.05))
    finally:
        hanging.set()
    assert [(one.name, one.state) for one in found] == [("slow", State.BAD), ("quick", State.OK)]


def test_a_fault_of_an_examination_is_not_swallowed() -> None:
    def fail() -> Iterator[Finding]:
        yield Finding("first", State.OK, "")
        raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        list(together([("it", fail)], 1))


def test_subscribers_who_chose_what_is_not_there_are_told_of(tmp_path: Path) -> None:
    assert list(examine_choices(config_at(tmp_path))) == []
    path = write_config(tmp_path)
    run("subscribers", "add", "ana@reader.example", "--component", "Email", "--have-agreed", "--config", path)
    assert states(examine_choices(config_at(tmp_path))) == {"subscribers": "ok"}
    path.write_text(path.read_text().replace("name: Email,", "name: E-mail,").replace("{Email:", "{E-mail:"))
    [said] = examine_choices(load(path, {}))
    assert said.state is State.WARN
    assert said.text.startswith("1 subscriber chose `Email`, which is no component: ")
