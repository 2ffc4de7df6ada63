"""The queues between RabbitMQ's lanes and the threads: who may take what.

Each lane has threads of its own (a reserved crew), so that neither a flood of bulk can keep an OTP
waiting nor a flood of OTPs starve bulk for ever. The rest of the threads (the shared crew) take
from any lane, the most urgent first, so that no thread idles while there is work.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from carillon.contracts.lanes import Lane

URGENCY = (Lane.HIGH, Lane.NORMAL, Lane.BULK)

Item = TypeVar("Item")


class Crew:
    """Threads that serve the same lanes, in this order; `idle` of them wait for work."""

    def __init__(self, name: str, lanes: tuple[Lane, ...], lock: threading.Lock) -> None:
        self.name = name
        self.lanes = lanes
        self.idle = 0
        self.work = threading.Condition(lock)


class LaneQueues(Generic[Item]):
    """Thread-safe queues of one channel; bounded by the prefetch of what fills them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: Mapping[Lane, deque[Item]] = {lane: deque() for lane in Lane}
        self.reserved = {lane: Crew(lane.value, (lane,), self._lock) for lane in Lane}
        self.shared = Crew("shared", URGENCY, self._lock)
        self._closed = False

    def putter(self, lane: Lane) -> Callable[[Item], None]:
        """A function that adds to `lane`'s queue and wakes one thread; it never blocks."""
        queue = self._queues[lane]
        crews = (self.reserved[lane], self.shared)

        def put(item: Item) -> None:
            with self._lock:
                queue.append(item)
                self._wake(crews)

        return put

    def put_back(self, lane: Lane, item: Item) -> None:
        """Add what was put aside to the front of its lane."""
        with self._lock:
            self._queues[lane].appendleft(item)
            self._wake((self.reserved[lane], self.shared))

    def take(self, crew: Crew, *, wait: bool) -> Item | None:
        """The oldest of the crew's most urgent lane.

        Without an item: None at once if not `wait`, else when the queues are closed.
        """
        with self._lock:
            while True:
                for lane in crew.lanes:
                    if self._queues[lane]:
                        return self._queues[lane].popleft()
                if self._closed or not wait:
                    return None
                # Whoever wakes a thread takes it off the count, so that two items in a row wake
                # two threads.
                crew.idle += 1
                crew.work.wait()

    def close(self) -> None:
        """No thread waits any more; what is queued can still be taken."""
        with self._lock:
            self._closed = True
            for crew in (*self.reserved.values(), self.shared):
                crew.idle = 0
                crew.work.notify_all()

    @property
    def closed(self) -> bool:
        """True once `close` was called."""
        return self._closed

    def drain(self) -> list[Item]:
        """Take everything that is queued."""
        with self._lock:
            items = [item for queue in self._queues.values() for item in queue]
            for queue in self._queues.values():
                queue.clear()
            return items

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    @staticmethod
    def _wake(crews: tuple[Crew, ...]) -> None:
        for crew in crews:
            if crew.idle:
                crew.idle -= 1
                crew.work.notify()
                return
