"""promtool, which says whether Prometheus will accept our rules and metrics.

Debian ships it inside the package of the server. The package is downloaded and opened below
.local/, not installed: nobody who lints asked for a Prometheus that starts with the machine.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.local.debian_packages import can_unpack, unpack
from deploy.local.errors import StackError
from deploy.local.paths import ROOT

PACKAGE = "prometheus"
KEPT = ROOT / ".local" / "tools" / "promtool"
FOLDER = ROOT / "deploy" / "prometheus"
TIMEOUT = 300  # seconds for one run of promtool


def promtool() -> Path:
    """The program: this machine's own, else one fetched once. Raises StackError if neither."""
    own = shutil.which("promtool")
    if own:
        return Path(own)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    with (KEPT.parent / "promtool.lock").open("w") as lock:
        # Two lints at once fetch it once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not KEPT.exists():
            _fetch()
    return KEPT


def main() -> int:
    """Check the configuration, the rules and their unit tests; the first exit code that is not 0.

    Prints promtool's own output.
    """
    try:
        program = promtool()
    except StackError as error:
        print(error)
        return 1
    tests = sorted(str(path) for path in (FOLDER / "tests").glob("*.yml"))
    config = ["check", "config", str(FOLDER / "prometheus.yml")]
    for arguments in (config, ["test", "rules", *tests]):
        code = subprocess.run([str(program), *arguments], timeout=TIMEOUT, check=False).returncode
        if code != 0:
            return code
    return 0


def _fetch() -> None:
    if not can_unpack():
        raise StackError(
            "promtool is not on PATH, and there is no apt-get to fetch it with. It comes with "
            "Prometheus: install that with this system's own packages, or unpack its release."
        )
    with tempfile.TemporaryDirectory(dir=KEPT.parent) as temporary:
        folder = Path(temporary)
        unpack(PACKAGE, folder)
        os.replace(folder / "usr/bin/promtool", KEPT)


if __name__ == "__main__":
    sys.exit(main())
