"""Many provider calls at once, or one alone: how a job that kills its worker is told apart.

A job that stops its process is one of those that were in a call when the process died, and its
neighbours look just as guilty. A job that was there at every death but the last allowed is
therefore called alone: if the process dies again, its neighbours were not there.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Isolation:
    """A lock that calls share, and that one call can have for itself."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._together = 0
        self._alone = False

    @contextmanager
    def together(self, before_waiting: Callable[[], None]) -> Iterator[None]:
        """Beside others. Where one is alone, `before_waiting` is called, then its end awaited."""
        if self._alone:
            before_waiting()
        with self._change:
            self._change.wait_for(lambda: not self._alone)
            self._together += 1
        try:
            yield
        finally:
            with self._change:
                self._together -= 1
                if self._alone and not self._together:
                    self._change.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """When all others have ended; nobody begins before this ends."""
        with self._change:
            self._change.wait_for(lambda: not self._alone)
            self._alone = True
            self._change.wait_for(lambda: not self._together)
        try:
            yield
        finally:
            with self._change:
                self._alone = False
                self._change.notify_all()
