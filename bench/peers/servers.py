"""Servers on 127.0.0.1 that are measured: ours as `replycast serve`, and others with a configuration of their own.

Each is a process of its own, runs for a block of code, and is ended by its id.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from service.config.settings import Security, Smtp
from tests.mailservers import processes
from tests.mailservers.processes import LOOPBACK, free_port
from tests.rooms import CONFIG, OWN_ADDRESS


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs."""

    pid: int
    url: str
    """Without a slash at its end."""


def find(name: str, package: str) -> str | None:
    """Give the path of a program; None where it is not installed, which is said."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postfix/sbin")
    if found is None:
        click.echo(f"{name} is left out: `make peers` installs Debian's {package}", err=True)
    return found


@contextmanager
def running(command: Sequence[object], port: int, folder: Path) -> Iterator[Server]:
    """Run a server until the block ends, which begins once it listens; raises RuntimeError where it does not."""
    process = processes.start([str(one) for one in command], ports=[port], log=folder / f"log-{port}")
    try:
        yield Server(process.pid, f"http://{LOOPBACK}:{port}")
    finally:
        processes.stop(process)


@contextmanager
def replycast(
    folder: Path, database: str, *, config: str = CONFIG, smtp_port: int = 9, preload: Path | None = None
) -> Iterator[Server]:
    """Run `replycast serve`; its mails go to a port, where by default nobody takes them.

    `preload` is a library that stands before those of the system.
    """
    port = free_port()
    file = folder / f"config-{port}.yaml"
    mail = f'{{from: "Acme Status <{OWN_ADDRESS}>", smtp: {{host: {LOOPBACK}, port: {smtp_port}, security: none}}, '
    mail += f"receive: {{protocol: lmtp, host: {LOOPBACK}, port: {free_port()}}}}}"
    here = config.replace("status.acme.example", f"{LOOPBACK}:{port}")
    file.write_text(f'database: "{database}"\nmail: {mail}\n{here}')
    before = ["env", f"LD_PRELOAD={preload}"] if preload else []
    command = [*before, sys.executable, "-m", "service", "serve", "--config", file, "--port", port]
    with running(command, port, folder) as server:
        yield server


@contextmanager
def alertmanager(folder: Path, program: str, config: str) -> Iterator[Server]:
    """Run Debian's prometheus-alertmanager, alone and with an empty storage."""
    port = free_port()
    file = folder / f"alertmanager-{port}.yml"
    file.write_text(config)
    command = [
        program,
        f"--config.file={file}",
        f"--storage.path={folder}/alertmanager-{port}",
        f"--web.listen-address={LOOPBACK}:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]
    with running(command, port, folder) as server:
        yield server


_NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  open_file_cache max=10;
  keepalive_requests 100000000;
  default_type text/html;
  client_body_temp_path {folder}/body;
  server {{ listen {host}:{port}; root {folder}; }}
}}
"""


@contextmanager
def nginx(folder: Path, program: str) -> Iterator[Server]:
    """Run nginx as one process, as ours is, with the files of a folder."""
    port = free_port()
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, host=LOOPBACK, port=port))
    with running([program, "-p", folder, "-c", folder / "nginx.conf"], port, folder) as server:
        yield server


@contextmanager
def smtp_sink(folder: Path) -> Iterator[Smtp]:
    """Run Postfix's smtp-sink, which takes mails and throws them away."""
    program, port = processes.find_program("smtp-sink", "postfix"), free_port()
    command = [program, "-u", "nobody", f"{LOOPBACK}:{port}", "1000"]
    with running(command, port, folder):
        yield Smtp(LOOPBACK, port, Security.NONE)
