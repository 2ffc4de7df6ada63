"""Watches the processes of a running stack and starts again what ended by itself.

honcho's own Manager ends everything when one process ends, and gives the others 5 seconds, where
our workers may take 30 to finish what they have in hand. So honcho prints the stream here, and
this file decides:

- A process that ends while the stack starts is a mistake in code or settings: the start fails,
  says which, and shows the end of its log (see `Platform`).
- One that ends later was killed, by the system for want of memory or by somebody who tries what
  happens then. It is started again and the stream says so: that nothing is lost by it is the
  platform's promise, and a newcomer may well want to see it kept.
- One that keeps ending (more than RESTARTS times in WINDOW seconds) has a real fault: everything
  is stopped, with its name and the end of its log, rather than hidden in a loop.
"""

import time
from collections import defaultdict

from deploy.local.child import Child
from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.platform import died
from deploy.local.roster import Roster

RESTARTS = 5
WINDOW = 60.0  # seconds
POLL = 0.2  # seconds
# A server that was killed may still be leaving: its port, its shared memory.
PAUSE = 1.0  # seconds


class Supervisor:
    """Restarts the children of a roster, within bounds."""

    def __init__(self, roster: Roster, console: Console) -> None:
        self._roster = roster
        self._console = console
        self._ends: dict[str, list[float]] = defaultdict(list)

    def watch(self) -> None:
        """Go on until the roster is closed; raises StackError when something keeps ending."""
        while not self._roster.closed:
            for child in self._roster.children():
                if child.ended_by_itself and not self._roster.closed:
                    self.replace(child)
            time.sleep(POLL)

    def replace(self, child: Child) -> None:
        """Start again what has ended; raises StackError if that happens too often."""
        now = time.monotonic()
        recent = [moment for moment in self._ends[child.name] if now - moment < WINDOW]
        self._ends[child.name] = [*recent, now]
        if len(recent) >= RESTARTS:
            raise StackError(
                f"{child.name} ended {len(recent) + 1} times within {WINDOW:.0f} s, so "
                f"everything is stopped. {died(child)}"
            )
        code = child.returncode or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._console.warn(f"{child.name} (pid {child.pid}) ended: {how}. It is started again.")
        time.sleep(PAUSE)
        again = self._roster.restart(child)
        if again:
            self._console.warn(f"{child.name} runs again (pid {again.pid})")
