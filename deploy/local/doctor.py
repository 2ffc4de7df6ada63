"""`make doctor`: the platform's own examination, with this checkout's settings."""

import subprocess
import sys

from deploy.local.console import Console
from deploy.local.paths import ROOT


def main(arguments: list[str], _console: Console) -> int:
    """The exit status of `python -m carillon.doctor`."""
    command = [sys.executable, "-m", "carillon.doctor", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode
