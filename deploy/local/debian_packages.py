"""Programs out of Debian's packages without installing them: downloaded and opened in a folder."""

import os
import shutil
import subprocess
from pathlib import Path

from deploy.local.errors import StackError

TIMEOUT = 300  # seconds for a download of some 20 MB


def unpack(package: str, folder: Path) -> None:
    """Download a package and open it below `folder`, which exists. Raises StackError."""
    try:
        _download(package, folder)
        (file,) = folder.glob(f"{package}_*.deb")
        _run(["dpkg", "-x", str(file), str(folder)], folder)
    except (subprocess.SubprocessError, ValueError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise StackError(
            f"{package} could not be fetched with apt-get:\n    {said.strip()}\n"
            f"  Try `apt-get update` as root first, or install the package {package}."
        ) from None


def can_unpack() -> bool:
    """Whether this system has Debian's tools."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg"))


def _download(package: str, folder: Path) -> None:
    command = ["apt-get", "download", "-qq", package]
    try:
        _run(command, folder)
    except subprocess.CalledProcessError:
        # A new machine has no lists of packages, and old lists name what is gone.
        if os.geteuid() != 0:
            raise
        _run(["apt-get", "update", "-qq", "-o", "DPkg::Lock::Timeout=120"], folder)
        _run(command, folder)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=True)
