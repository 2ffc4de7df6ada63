"""`make bench`: hands over to the benchmarks, which start and end a platform of their own."""

import os
import sys

from deploy.local.console import Console
from deploy.local.testing import suite_environment


def main(arguments: list[str], _console: Console) -> int:
    """Become them, so that Ctrl-C is theirs; they explain their arguments with --help."""
    command = [sys.executable, "-m", "benchmarks", *arguments]
    os.execve(sys.executable, command, suite_environment({"SETTINGS_FILES": ""}))  # noqa: S606
