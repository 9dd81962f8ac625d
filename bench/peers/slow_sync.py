"""A disk that takes longer for each sync: a library that stands before the system's own (LD_PRELOAD)."""

import shutil
import subprocess
from pathlib import Path

import click

_SOURCE = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static int late(const char *name, int file) {
    struct timespec added = {0, ADDED};
    int (*sync_file)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    nanosleep(&added, 0);
    return sync_file(file);
}

int fsync(int file) { return late("fsync", file); }
int fdatasync(int file) { return late("fdatasync", file); }
"""


def build_slow_sync(folder: Path, seconds: float) -> Path | None:
    """Compile the library in a folder; None where there is no compiler, which is said.

    It adds less than a second to each sync, in the thread that asked for it: others go on meanwhile.
    """
    compiler = shutil.which("gcc")
    if compiler is None:
        click.echo("the slow disk is left out: `make peers` installs Debian's gcc", err=True)
        return None
    source, library = folder / "slow_sync.c", folder / "slow_sync.so"
    source.write_text(_SOURCE)
    added = f"-DADDED={round(seconds * 1e9)}"
    command = [compiler, "-shared", "-fPIC", "-O2", added, "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)  # noqa: S603  gcc itself
    return library
