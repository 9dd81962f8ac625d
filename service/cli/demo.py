"""The whole story, played against a real service over HTTP, SMTP and IMAP, as people would live it.

It starts `replycast serve` with short times in a folder of its own, posts as VictorOps does, signs up and
answers mails in the mail sandbox as a person would in a browser, and believes only what the pages show.
"""

import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import click
from selectolax.lexbor import LexborHTMLParser

from service.errors import PermanentFault

PATIENCE = 20.0
"""Seconds that a step may take; all together take less."""
_LOOK_AGAIN = 0.1

_CONFIG = """\
site: {{name: Acme Status, url: "http://127.0.0.1:{port}"}}
database: "sqlite:///{folder}/demo.db"
employees:
  - {{id: jordan, name: Jordan Ray, email: jordan@acme.example, role: admin}}
components:
  - {{name: Email, group: Office}}
monitors:
  - alert_name: Email Server
    authored_by: jordan
    type: service_unavailable
    affected_components: {{Email: major_outage}}
    subject: Email is unavailable
    message: We are looking into why mail does not arrive.
    notify_employees: [jordan]
    wait_time: 2s
    combine_alerts: true
    auto_publish: false
    auto_close: true
    closing_comment: Email works again.
"""
_FIRING = b"""{
monitorName: "Email Server",
state: "CRITICAL"
}"""
_RECOVERING = _FIRING.replace(b"CRITICAL", b"UP")
_READER = "ana@reader.example"
_QUIET = "All systems operational"
"""What the status page says while no incident is public."""


class StoryWentWrong(PermanentFault):
    """A step of the demo did not come out as it must; the text says which."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """The running service as a browser sees it."""

    url: str

    def get(self, path: str) -> str:
        """Open a page."""
        with urlopen(f"{self.url}{path}", timeout=PATIENCE) as answer:  # noqa: S310  our own address
            return str(answer.read().decode())

    def post(self, path: str, body: bytes) -> str:
        """Post a body, or a form that is filled in."""
        request = Request(f"{self.url}{path}", data=body)  # noqa: S310  our own address
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310  as above
            return str(answer.read().decode())

    def text(self, path: str) -> str:
        """Read a page as a person does."""
        body = LexborHTMLParser(self.get(path)).body
        return " ".join(body.text(separator=" ").split()) if body else ""

    def find_mail(self, to: str, saying: str) -> tuple[int, str] | None:
        """Look in the mail sandbox for a mail; gives its number and what it says."""
        numbers = {int(number) for number in re.findall(r'"/sandbox/(\d+)"', self.get("/sandbox"))}
        for number in sorted(numbers, reverse=True):
            text = self.text(f"/sandbox/{number}")
            if to in text and saying in text:
                return number, text
        return None


T = TypeVar("T")


def _wait_for(what: str, look: Callable[[], T | None]) -> T:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(_LOOK_AGAIN)
    raise StoryWentWrong(f"{what} did not happen within {PATIENCE:.0f} s")


@click.command()
def demo() -> None:
    """Play the whole story against a service of its own, narrating; exit 0 only if it came out right.

    \b
    Example:
      replycast demo
    """  # noqa: D301  click's mark for lines that it must not wrap
    sys.exit(play(click.echo))


def play(say: Callable[[str], None]) -> int:
    """Play the story and tell it; returns the exit code: 0 only if every step came out right."""
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="replycast-demo-") as folder, _service(Path(folder)) as stage:
            say(
                f"A fresh service runs at {stage.url}, with a mail server of its own: no mail leaves this machine."
            )
            _subscribe(stage, say)
            _alarm(stage, say)
            _publish(stage, say)
            _recover(stage, say)
    except (StoryWentWrong, HTTPError, OSError) as error:
        say(f"The story went wrong: {error}")
        return 1
    spent = time.monotonic() - began
    say(f"All of it came out right, in {spent:.0f} seconds. To try it by hand: make run, or replycast serve.")
    return 0


@contextmanager
def _service(folder: Path) -> Iterator[_Stage]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "config.yaml"
    config.write_text(_CONFIG.format(port=port, folder=folder))
    command = [sys.executable, "-m", "service", "serve", "--config", str(config), "--port", str(port)]
    log = (folder / "log").open("w+")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)  # noqa: S603  ourselves
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line.startswith("listening on "):
            log.seek(0)
            raise StoryWentWrong(f"the service did not start: {line}{log.read()}")
        yield _Stage(line.removeprefix("listening on ").strip())
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
        log.close()


def _subscribe(stage: _Stage, say: Callable[[str], None]) -> None:
    stage.post("/subscribe", urlencode({"email": _READER}).encode())
    _, text = _wait_for(
        "the mail that asks to confirm", lambda: stage.find_mail(_READER, "/subscribe/confirm/")
    )
    link = re.search(r"/subscribe/confirm/[a-z2-7]+", text)
    if link is None:
        raise StoryWentWrong("the mail that asks to confirm holds no link")
    stage.get(link[0])
    stage.post(link[0], b"")
    say(f"Ana, a reader ({_READER}), signed up on the status page and followed the link in the mail.")


def _alarm(stage: _Stage, say: Callable[[str], None]) -> None:
    say(f"VictorOps posts that something is down: {' '.join(_FIRING.decode().split())}")
    answer = stage.post("/webhook/victorops", _FIRING)
    say(
        f"It is on disk, so the answer was 202 {answer.strip()}. If it recovers within 2 seconds, nobody is told."
    )
    _check_that_nothing_is_public(stage)


def _check_that_nothing_is_public(stage: _Stage) -> None:
    text = stage.text("/")
    if "Email is unavailable" in text or _QUIET not in text:
        raise StoryWentWrong("the status page shows an incident that nobody published")


def _publish(stage: _Stage, say: Callable[[str], None]) -> None:
    number, _ = _wait_for(
        "the notification mail", lambda: stage.find_mail("jordan@acme.example", "Email is unavailable")
    )
    say("It did not recover, so Jordan, an employee, got a mail that shows what subscribers would read.")
    _check_that_nothing_is_public(stage)
    say(f"Nothing is public yet: the status page still says '{_QUIET}'.")
    say("Jordan answers the mail with one word: publish. The reply comes in by SMTP and is read by IMAP.")
    stage.post(f"/sandbox/{number}/reply", urlencode({"text": "publish"}).encode())
    _wait_for("the publication", lambda: "Email is unavailable" in stage.text("/"))
    say("The incident is on the status page.")
    _wait_for("the subscriber's mail", lambda: stage.find_mail(_READER, "Email is unavailable"))
    say("Ana got a mail about it.")
    _wait_for("the answer to Jordan", lambda: stage.find_mail("jordan@acme.example", "is published"))
    say("Jordan got an answer in the same thread: it is published.")


def _recover(stage: _Stage, say: Callable[[str], None]) -> None:
    stage.post("/webhook/victorops", _RECOVERING)
    say("VictorOps posts the recovery, with the state UP.")
    _wait_for("the close", lambda: "Email works again." in stage.text("/incidents/1"))
    say("The incident closed by itself, and the status page says: Email works again.")
    _wait_for("the closing mail", lambda: stage.find_mail(_READER, "Email works again."))
    say("Ana got a mail about that, too.")
