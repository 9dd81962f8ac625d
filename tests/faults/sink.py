"""Postfix's smtp-sink, which keeps what it takes in a file, and what stands in there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mailservers import processes


@dataclass(frozen=True, slots=True)
class Sink:
    """A running smtp-sink."""

    port: int
    file: Path

    def mails(self) -> list[tuple[str, str]]:
        """Give recipient and Message-ID of each mail that it took, in their order."""
        found, recipient = [], ""
        with self.file.open(errors="replace") as lines:
            for line in lines:
                if line.startswith("X-Rcpt-Args:"):
                    recipient = line.partition("<")[2].partition(">")[0]
                elif line.startswith("Message-ID:") and recipient:
                    found.append((recipient, line.partition(":")[2].strip()))
                    recipient = ""
        return found


@contextmanager
def running_sink(folder: Path) -> Iterator[Sink]:
    """Start one and end it afterwards; raises ServersMissing where it is not installed."""
    program, port = processes.find_program("smtp-sink", "postfix"), processes.free_port()
    file = folder / "mails"
    command = [program, "-u", "root", "-D", str(file), f"{processes.LOOPBACK}:{port}", "100"]
    process = processes.start(command, ports=[port], log=folder / "sink.log")
    try:
        yield Sink(port, file)
    finally:
        processes.stop(process)
