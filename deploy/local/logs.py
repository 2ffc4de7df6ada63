"""`make logs`: the end of each process's log, and then what is added."""

import sys
import time
from pathlib import Path

from deploy.local.child import tail
from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.paths import LOCAL
from deploy.local.state import supervisor_of

LINES = 20
POLL = 0.2  # seconds


def main(arguments: list[str], console: Console) -> int:
    """Show the logs of all processes, or of those named; on a terminal, go on until Ctrl-C."""
    logs = {log.stem: log for log in sorted(LOCAL.logs.glob("*.log"))}
    unknown = set(arguments) - set(logs)
    if unknown or not logs:
        known = ", ".join(logs) or "none; `make run` makes them"
        raise StackError(
            f"No log of {', '.join(sorted(unknown)) or 'any process'}. There are: {known}."
        )
    chosen = {name: log for name, log in logs.items() if not arguments or name in arguments}
    offsets = {name: log.stat().st_size for name, log in chosen.items()}
    for log in chosen.values():
        end = tail(log, LINES)
        if end:
            console.heading(f"{log}")
            console.line(end)
    if sys.stdout.isatty() and supervisor_of(LOCAL):
        _follow(chosen, offsets, console)
    return 0


def _follow(logs: dict[str, Path], offsets: dict[str, int], console: Console) -> None:
    width = max(map(len, logs))
    while supervisor_of(LOCAL):
        for name, log in logs.items():
            for line in _added(log, offsets, name):
                console.line(f"{name:{width}} | {line}")
        time.sleep(POLL)
    console.line("The platform has stopped.")


def _added(log: Path, offsets: dict[str, int], name: str) -> list[str]:
    """The whole lines that were added since last time."""
    if not log.is_file():
        return []
    with log.open("rb") as file:
        # A log that is shorter than before was begun anew.
        file.seek(offsets[name] if offsets[name] <= log.stat().st_size else 0)
        start, text = file.tell(), file.read()
    whole = text[: text.rfind(b"\n") + 1]
    offsets[name] = start + len(whole)
    return whole.decode("utf-8", errors="replace").splitlines()
