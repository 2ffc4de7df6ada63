"""What a process and all that it started have used, from Linux's /proc."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def family(pid: int) -> list[int]:
    """The process and all of its descendants."""
    children: dict[int, list[int]] = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            fields = _stat(int(folder.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(folder.name))
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children.get(one, [])
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of the family so far, of user and system, in seconds."""
    fields = [_stat(one) for one in family(pid)]
    return sum(int(each[11]) + int(each[12]) for each in fields if each) / TICKS


def memory(pid: int) -> dict[int, float]:
    """Private memory (USS) of each process of the family, in MB: what is shared counts nowhere."""
    return {one: size for one in family(pid) if (size := _private(one)) is not None}


def _private(pid: int) -> float | None:
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None  # it has ended meanwhile
    sizes = [line.split() for line in text.splitlines() if line.startswith("Private_")]
    return sum(int(size[1]) for size in sizes) / 1024


def _stat(pid: int) -> list[str]:
    """The fields of proc(5)'s stat after the name, from the state; empty where it has ended."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
