"""Tells one process from another that was given the same number later.

A pid alone is reused. A pid with the time at which the kernel started the process is not, so a
recorded process may be ended long afterwards without the risk of ending a stranger.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# Every child carries this in its environment: the folder of the stack that it belongs to.
MARK = "CARILLON_STACK"


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, for ever: `started` is the kernel's start time within one boot."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """False once it has ended, even if a parent has not collected it yet."""
        return identify(self.pid) == self


def identify(pid: int) -> ProcessIdentity | None:
    """The process that has `pid` now; None where there is none or only its corpse."""
    started = _started_linux(pid) if sys.platform == "linux" else _started_ps(pid)
    return ProcessIdentity(pid, started) if started else None


def marked(folder: Path) -> list[ProcessIdentity]:
    """The processes whose environment says that they belong to the stack in `folder`.

    Linux only (elsewhere empty): a second net under the recorded processes, for those that were
    started in the instant before their supervisor was killed.
    """
    wanted = f"{MARK}={folder}".encode()
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            ours = wanted in environment.read_bytes().split(b"\0")
        except OSError:  # ended meanwhile, or another user's
            continue
        pid = int(environment.parent.name)
        if ours and pid != os.getpid() and (identity := identify(pid)):
            found.append(identity)
    return found


def _started_linux(pid: int) -> str:
    """Field 22 of proc(5)'s stat, in clock ticks since boot, with the boot's id."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    # The second field is the program's name in parentheses and may itself hold blanks and ")".
    fields = stat.rpartition(")")[2].split()
    state, ticks = fields[0], fields[19]
    return "" if state in "ZX" else f"{boot}:{ticks}"


def _started_ps(pid: int) -> str:
    """The start time that ps knows (macOS and the BSDs), to the second."""
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    state, _, started = result.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()
