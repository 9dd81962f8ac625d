"""What root makes for a service that runs as another user belongs to that one: to whom the folder belongs."""

import os
from pathlib import Path


def hand_over(new: Path | int, folder: Path) -> None:
    """Let what was just made in a folder, by its path or descriptor, belong to whom the folder belongs; only root can.

    Who runs a command as root runs the service as another, who is to read and write what it left. Raises OSError.
    """
    if os.geteuid() != 0:
        return
    owner = folder.stat()
    if isinstance(new, int):
        os.fchown(new, owner.st_uid, owner.st_gid)
    else:
        # the folder may be another's, who could put a link in its place
        os.chown(new, owner.st_uid, owner.st_gid, follow_symlinks=False)


def make_folder(folder: Path, *, mode: int = 0o777) -> None:
    """Make a folder that may be there already, and those above it; of the last one `mode` is as for mkdir(2).

    Raises OSError.
    """
    if folder.is_dir():
        return
    above = folder.absolute().parent
    make_folder(above)
    folder.mkdir(mode, exist_ok=True)
    hand_over(folder, above)
