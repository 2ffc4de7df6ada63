"""Programs out of Debian's packages without installing them: downloaded and opened in a folder."""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from deploy.local.downloads import persist
from deploy.local.errors import StackError

TIMEOUT = 300  # seconds for a download of some 20 MB


def unpack(package: str, folder: Path, *, depends: bool = False) -> None:
    """Download a package and open it below `folder`, which exists. Raises StackError.

    With `depends`, whatever it needs that this machine has not installed is opened beside it.
    """
    try:
        _apt_get(["download", package, *(_needed(package, folder) if depends else ())], folder)
        for file in folder.glob("*.deb"):
            _run(["dpkg", "-x", str(file), str(folder)], folder)
            file.unlink()
    except subprocess.SubprocessError as error:
        said = getattr(error, "stderr", "") or str(error)
        raise StackError(
            f"{package} could not be fetched with apt-get:\n    {said.strip()}\n"
            f"  Try `apt-get update` as root first, or install the package {package}."
        ) from None


def can_unpack() -> bool:
    """Whether this system has Debian's tools."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg"))


def library_path(folder: Path) -> str:
    """LD_LIBRARY_PATH for the programs that were opened below `folder`; may be empty."""
    found = {file.parent for part in ("lib", "usr/lib") for file in folder.glob(f"{part}/**/*.so*")}
    return os.pathsep.join(sorted(map(str, found)))


def _needed(package: str, folder: Path) -> list[str]:
    """The packages that installing it here would install beside it."""
    planned = _apt_get(["install", "--simulate", "--no-install-recommends", package], folder)
    installed = [line.split()[1] for line in planned.splitlines() if line.startswith("Inst ")]
    return [name for name in installed if name != package]


def _apt_get(arguments: list[str], folder: Path) -> str:
    command = ["apt-get", "-qq", *arguments]
    try:
        return _run(command, folder)
    except subprocess.CalledProcessError:
        # A new machine has no lists of packages, and old lists name what is gone.
        if os.geteuid() != 0:
            raise

    def renewed() -> str:
        # Who else fetches them now, our own installation of servers say, has apt's lock of the
        # lists, for which apt does not wait.
        with suppress(subprocess.CalledProcessError):
            _run(["apt-get", "update", "-qq"], folder)
        return _run(command, folder)

    return persist(renewed, subprocess.CalledProcessError)


def _run(command: list[str], folder: Path) -> str:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=True
    ).stdout
