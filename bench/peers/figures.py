"""Figures of a run and of a process, and how two of them stand to each other."""

import os
from collections.abc import Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def percentile(figures: Sequence[float], percent: int) -> float:
    """Give the figure that so many of a hundred do not pass; of few figures the p99 is the worst."""
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def cpu_seconds(pid: int) -> float:
    """Read how much processor time a process has used, in user and system mode (proc_pid_stat(5), 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int) -> tuple[float, float]:
    """Read how much of a process is in memory, in MiB: all of it, and with its share of what others use too."""
    said = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) for line in said if line.endswith("kB")}
    return found["Rss"] / 1024, found["Pss"] / 1024
