"""Many threads that want the same answer at once get it from one of them."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Flight(Generic[Answer]):
    """One call of `work`, which has not begun yet; `done` is set once it has ended."""

    done: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    error: Exception | None = None


@dataclass(slots=True)
class _Lane(Generic[Answer]):
    """Of one key: the lock of the call that runs, and the call that waits for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    next: _Flight[Answer] | None = None
    users: int = 0


class SingleFlight(Generic[Answer]):
    """Runs one call per key at a time, and shares it among those who came before it began.

    Nobody is given the answer of a call that had begun when they came: it may have read what was
    true before they asked. So however many come at once, there are about two calls, and an answer
    is never older than its question.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._lanes: dict[Hashable, _Lane[Answer]] = {}

    def run(self, key: Hashable, work: Callable[[], Answer]) -> tuple[Answer, bool]:
        """The answer, and whether another thread made it. Raises what `work` raises."""
        with self._guard:
            lane = self._lanes.setdefault(key, _Lane())
            lane.users += 1
            flight, leads = lane.next, False
            if flight is None:
                flight, leads = _Flight(), True
                lane.next = flight
        try:
            if leads:
                self._fly(lane, flight, work)
            else:
                flight.done.wait()
        finally:
            with self._guard:
                lane.users -= 1
                if not lane.users:
                    del self._lanes[key]
        if flight.error is not None:
            raise flight.error
        return flight.answer, not leads  # type: ignore[return-value]

    def _fly(
        self, lane: _Lane[Answer], flight: _Flight[Answer], work: Callable[[], Answer]
    ) -> None:
        with lane.lock:
            with self._guard:
                lane.next = None
            try:
                flight.answer = work()
            except Exception as error:  # noqa: BLE001  # it is raised again, in every thread
                flight.error = error
            finally:
                flight.done.set()
