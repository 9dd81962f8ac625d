"""How long it takes to read and judge one reply, over all example mails, and over hostile ones.

`python -m bench.reply_parsing [--json]`; times in milliseconds, of one thread. The mails are read in turns, so that
none is remembered from the time before.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import click
import orjson

from service.config.settings import Authenticity, Policy
from service.errors import MailUnreadable
from service.mail.authenticity import judge
from service.mail.bounces import read_bounce
from service.mail.replies import read_reply

EXAMPLES = Path(__file__).parents[1] / "tests" / "mail" / "eml"
TIMES = 5
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
REQUIRE = Authenticity(Policy.REQUIRE, "mx.acme.example")
_HEAD = b"From: jordan@acme.example\nTo: status@acme.example\n"
HOSTILE_TEXT: Mapping[str, bytes] = {
    "64 KiB of spaces": _HEAD + b"\n" + b" " * 65_536,
    "90 KB of On lines": _HEAD + b"\n" + b"On Mon, 2 Nov 2026 at 10:00, x wrote\n" * 2_500,
    "20,000 encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 20_000 + b"\n" + _HEAD + b"\npublish",
    "50,000 addresses": b"To: " + b"a@b.example, " * 50_000 + b"\n" + _HEAD + b"\npublish",
}
HOSTILE_STRUCTURE: Mapping[str, bytes] = {
    "a multipart 1,000 deep": _HEAD
    + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1_000)),
    "1,000 nested comments": b"From: " + b"(" * 1_000 + b")" * 1_000 + b" a@b.example\n\npublish",
    "50,000 nested elements": _HEAD + b"Content-Type: text/html\n\n" + b"<div>" * 50_000,
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(*, as_json: bool) -> None:
    """Measure and print."""
    examples = [path.read_bytes() for path in sorted(EXAMPLES.glob("*.eml"))]
    for raw in examples:
        read(raw)
    times = sorted(_milliseconds(raw) for _ in range(TIMES) for raw in examples)
    figures = {
        "examples": len(examples),
        "median": median(times),
        "p99": times[int(len(times) * 0.99)],
        "worst text": max(map(_milliseconds, HOSTILE_TEXT.values())),
        "worst structure": max(map(_milliseconds, HOSTILE_STRUCTURE.values())),
    }
    if as_json:
        click.echo(orjson.dumps(figures))
    else:
        for name, figure in figures.items():
            click.echo(f"{name:16} {figure:10.3f}")


def read(raw: bytes) -> None:
    """Do what the service does with a mail before it decides."""
    try:
        if read_bounce(raw, key=b"k" * 32) is None:
            reply = read_reply(raw, own_address="status@acme.example", instance_id="bench")
            judge(raw, reply.sender or "", REQUIRE, lambda _: None, now=NOW)
    except MailUnreadable:
        return


def _milliseconds(raw: bytes) -> float:
    begun = time.perf_counter()
    read(raw)
    return (time.perf_counter() - begun) * 1_000


if __name__ == "__main__":
    main()
