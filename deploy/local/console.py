"""Progress for a person: what is being done now, and how long it took."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

HEARTBEAT = 10.0  # seconds before the first "still …" line; each pause is half as long again


@dataclass
class Console:
    """Prints whole lines only, so that concurrent steps stay readable, in a pipe as on a screen."""

    output: TextIO = field(default_factory=lambda: sys.stdout)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def coloured(self) -> bool:
        """True on a terminal, unless NO_COLOR (no-color.org) is set."""
        return self.output.isatty() and not os.environ.get("NO_COLOR")

    def line(self, text: str = "", *, colour: str = "") -> None:
        """Print one line; `colour` is an ANSI code ("32", "31;1") used on terminals alone."""
        if colour and self.coloured:
            text = f"\033[{colour}m{text}\033[0m"
        with self._lock:
            print(text, file=self.output, flush=True)

    def heading(self, text: str) -> None:
        """Print a line that opens a part."""
        self.line(text, colour="1")

    def warn(self, text: str) -> None:
        """Print a line that asks to be read."""
        self.line(f"  ! {text}", colour="33")

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say that `text` begins, now and then that it goes on, and when it is done."""
        begun = time.monotonic()
        finished = threading.Event()
        self.line(f"  > {text}")
        beat = threading.Thread(target=self._beat, args=(text, begun, finished), daemon=True)
        beat.start()
        try:
            yield
        except BaseException:
            finished.set()
            self.line(f"  x {text} ({time.monotonic() - begun:.1f} s)", colour="31")
            raise
        finished.set()
        self.line(f"  + {text} ({time.monotonic() - begun:.1f} s)", colour="32")

    def _beat(self, text: str, begun: float, finished: threading.Event) -> None:
        pause = HEARTBEAT
        while not finished.wait(pause):
            pause *= 1.5
            self.line(f"    still: {text} ({time.monotonic() - begun:.0f} s)")


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Lines of a plain table whose columns are as wide as their widest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(headings, *rows, strict=True)]

    def line(cells: tuple[str, ...]) -> str:
        joined = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return joined.rstrip()

    return [line(headings), line(tuple("-" * width for width in widths)), *map(line, rows)]
