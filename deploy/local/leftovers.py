"""Ends what a supervisor that was killed could not: only processes that are verifiably ours."""

import os
import signal
import time
from collections.abc import Iterable

from deploy.local.child import Layer
from deploy.local.identity import ProcessIdentity, marked
from deploy.local.paths import StackFolder
from deploy.local.state import load

POLL = 0.05  # seconds
GRACE = 15.0  # seconds for a layer; nobody waits for what these were doing


def end_leftovers(folder: StackFolder) -> list[str]:
    """End the recorded processes that still live, then any that carry our mark; their names.

    A process is ours if its number and its start time are those recorded, or if its environment
    names this folder. Call only while the folder's lock is ours.
    """
    ended: list[str] = []
    state = load(folder.state)
    recorded = state.children if state else []
    for layer in sorted(Layer, reverse=True):
        alive = [child for child in recorded if child.layer == layer and child.identity.alive]
        for child in alive:
            _signal(child.identity, signal.Signals(child.stop_signal))
        _wait_or_kill([child.identity for child in alive])
        ended += [child.name for child in alive]
    strays = marked(folder.path)
    for stray in strays:
        _signal(stray, signal.SIGTERM)
    _wait_or_kill(strays)
    ended += [f"process {stray.pid}" for stray in strays]
    folder.state.unlink(missing_ok=True)
    folder.env.unlink(missing_ok=True)
    return ended


def _wait_or_kill(processes: Iterable[ProcessIdentity]) -> None:
    deadline = time.monotonic() + GRACE
    for process in processes:
        while process.alive and time.monotonic() < deadline:
            time.sleep(POLL)
        if process.alive:
            _signal(process, signal.SIGKILL)


def _signal(process: ProcessIdentity, number: signal.Signals) -> None:
    if not process.alive:
        return
    try:
        os.kill(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return
