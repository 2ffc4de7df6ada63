"""Where jobs wait that no thread can help now: for a provider, for their owner, or for Redis.

A parked job keeps its place in the prefetch and no thread.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Parking(Generic[Item]):
    """Gives items back, through `give_back` on a thread of its own, when their time has come."""

    def __init__(self, give_back: Callable[[Item], None]) -> None:
        self._give_back = give_back
        self._waiting: list[tuple[float, int, Item]] = []
        self._order = itertools.count()
        self._change = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="parking", daemon=True)

    def start(self) -> None:
        """Begin to give back."""
        self._thread.start()

    def park(self, item: Item, seconds: float) -> None:
        """Keep `item` for so long."""
        with self._change:
            due = time.monotonic() + seconds
            heapq.heappush(self._waiting, (due, next(self._order), item))
            if self._waiting[0][0] == due:
                self._change.notify()

    def close(self) -> list[Item]:
        """Give nothing back any more: what was still waiting."""
        with self._change:
            self._closed = True
            self._change.notify()
            waiting = [item for _, _, item in self._waiting]
            self._waiting.clear()
        if self._thread.ident is not None:
            self._thread.join()
        return waiting

    @property
    def alive(self) -> bool:
        """False where the thread has died."""
        return self._thread.is_alive()

    def __len__(self) -> int:
        return len(self._waiting)

    def _run(self) -> None:
        while True:
            with self._change:
                if self._closed:
                    return
                now = time.monotonic()
                if not self._waiting or self._waiting[0][0] > now:
                    self._change.wait(self._waiting[0][0] - now if self._waiting else None)
                    continue
                item = heapq.heappop(self._waiting)[2]
            self._give_back(item)
