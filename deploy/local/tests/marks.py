"""Processes that carry a folder's mark, once there are as many as there should be."""

import time
from pathlib import Path

from deploy.local.identity import ProcessIdentity, marked

WAIT = 60.0  # seconds: a bound, no measure


def nothing_left(folder: Path) -> bool:
    """Whether all are gone: what is killed takes a moment to die where nobody waits for it."""
    return marked_once(folder, 0) == []


def marked_once(folder: Path, count: int) -> list[ProcessIdentity]:
    """Those there are when they are `count`, or after a minute.

    A process shows its environment a moment after it was started.
    """
    deadline = time.monotonic() + WAIT
    while len(found := marked(folder)) != count and time.monotonic() < deadline:
        time.sleep(0.01)
    return found
