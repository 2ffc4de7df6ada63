"""One readable stream out of the output of many processes."""

import datetime
import queue
import sys
import threading
from typing import TextIO

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from deploy.local.console import Console
from deploy.local.processes import PROCESSES

# Lines that wait for a terminal that is paused (Ctrl-S, a selection). Beyond them lines are
# dropped from the screen, never from the logs, rather than let the platform wait for a person.
WAITING_LINES = 10_000


class LogStream:
    """Prints lines under a coloured prefix (honcho's) once it is opened; drops them before."""

    def __init__(self, output: TextIO | None = None) -> None:
        output = output or sys.stdout
        width = max(map(len, PROCESSES))
        self._printer = Printer(output, width=width, colour=Console(output).coloured)
        self._colours: dict[str, str] = {}
        self._palette = get_colours()
        self._lines: queue.Queue[tuple[str, bytes] | None] = queue.Queue(WAITING_LINES)
        self._open = threading.Event()
        self._thread = threading.Thread(target=self._print_lines, daemon=True)
        self.dropped = 0

    def open(self) -> None:
        """Print what comes from now on."""
        self._open.set()
        self._thread.start()

    def line(self, name: str, line: bytes) -> None:
        """Take a line; never blocks."""
        if not self._open.is_set():
            return
        try:
            self._lines.put_nowait((name, line))
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Print what waits, for at most 2 s, and end."""
        if not self._open.is_set():
            return
        self._open.clear()
        try:
            self._lines.put(None, timeout=1)
        except queue.Full:
            return
        self._thread.join(timeout=2)

    def _print_lines(self) -> None:
        while item := self._lines.get():
            name, line = item
            colour = self._colours.get(name)
            if colour is None:
                colour = self._colours[name] = next(self._palette)
            now = datetime.datetime.now()  # noqa: DTZ005  a person's clock
            try:
                self._printer.write(Message("line", line, now, name, colour))
            except OSError:
                return  # the terminal or the pipe is gone; the logs go on
