"""A real nginx before our instances, with the example of `deploy/` as its configuration but for ports and names."""

import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mailservers.processes import LOOPBACK, free_port, start, stop

EXAMPLE = Path(__file__).parents[2] / "deploy" / "nginx" / "replycast.conf"
_SERVER = re.compile(r"server 127\.0\.0\.1:(\d+) ")
_SELF_SIGNED = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=status.example.com "
    "-addext subjectAltName=IP:127.0.0.1"
)


def find_nginx() -> str | None:
    """Give the path of the program; None where it is not installed."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


def write_example(folder: Path) -> Path:
    """Write the example with a certificate of its own into what nginx takes as a whole; gives the file."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [*_SELF_SIGNED.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    text = EXAMPLE.read_text()
    text = re.sub(r"ssl_certificate_key .*;", f"ssl_certificate_key {key};", text)
    text = re.sub(r"ssl_certificate [^_].*;", f"ssl_certificate {certificate};", text)
    whole = folder / "nginx.conf"
    whole.write_text(f"pid {folder}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{text}\n}}\n")
    return whole


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx."""

    url: str
    trust: ssl.SSLContext
    """Trusts its certificate."""


@contextmanager
def running_nginx(folder: Path, ports: Sequence[int]) -> Iterator[Nginx]:
    """Run it on a loopback port before instances on these ports, as many as the example names."""
    whole, https, http = write_example(folder), free_port(), free_port()
    text = whole.read_text().replace("# server 127.0.0.1", "server 127.0.0.1")
    named = _SERVER.findall(text)
    assert len(named) == len(ports), "the example names as many instances as there are"
    for before, now in zip(named, ports, strict=True):
        text = text.replace(f"server {LOOPBACK}:{before} ", f"server {LOOPBACK}:{now} ")
    text = re.sub(r"listen \[::\].*;", "", text)
    text = text.replace("listen 443", f"listen {LOOPBACK}:{https}").replace(
        "listen 80", f"listen {LOOPBACK}:{http}"
    )
    whole.write_text(text)
    command = [
        find_nginx() or "nginx",
        "-c",
        str(whole),
        "-e",
        str(folder / "error.log"),
        "-g",
        "daemon off;",
    ]
    process = start(command, ports=[https], log=folder / "nginx.log")
    try:
        trust = ssl.create_default_context(cafile=str(folder / "cert.pem"))
        yield Nginx(f"https://{LOOPBACK}:{https}", trust)
    finally:
        stop(process)
