"""Puts a server's data where the account that it runs under can get at it.

PostgreSQL refuses to run as root, so root starts it as another account; and that account cannot
enter a clone below /root, or a temporary folder of mode 700. There the data lives below
ELSEWHERE, and the folder that was asked for becomes a link to it.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from deploy.local.child import account

ELSEWHERE = Path("/var/lib/carillon-local")


def make_data_folder(wanted: Path, user: str | None) -> Path:
    """The folder, real or linked, that `user` owns and can enter, mode 700; `None`: ourselves."""
    if user is None:
        wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
        return wanted
    if wanted.is_symlink():
        place = wanted.resolve()
    elif _enters(user, wanted.parent):
        place = wanted
    else:
        place = ELSEWHERE / hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
        # Of a folder of this name that was deleted, and with it the password to what is here.
        shutil.rmtree(place, ignore_errors=True)
        wanted.symlink_to(place)
    _own(place, user)
    return place


def remove_data_folder(wanted: Path) -> None:
    """Delete the folder, and where it is a link of ours, what it leads to."""
    if not wanted.is_symlink():
        shutil.rmtree(wanted, ignore_errors=True)
        return
    place = wanted.resolve()
    if place.parent == ELSEWHERE:
        shutil.rmtree(place, ignore_errors=True)
    wanted.unlink()


def _enters(user: str, folder: Path) -> bool:
    """Asked of the kernel by a process of that account, since ACLs count as well as modes."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["test", "-x", str(folder)]
    return subprocess.run(command, check=False, cwd="/", **account(user)).returncode == 0


def _own(place: Path, user: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    place.mkdir(exist_ok=True, mode=0o700)
    record = pwd.getpwnam(user)
    if place.stat().st_uid != record.pw_uid:
        os.chown(place, record.pw_uid, record.pw_gid)
