"""The queues between RabbitMQ's lanes and the threads: who may take what, and how much.

Each lane has threads of its own (a reserved crew), so that neither a flood of bulk can keep an OTP
waiting nor a flood of OTPs starve bulk for ever. The rest of the threads (the shared crew) take
from any lane, the most urgent first, so that no thread idles while there is work.

Where the provider is quick, a thread takes several jobs in one turn, and others stay idle: what
costs time then is to hand work from thread to thread, and to take jobs singly. There are still
never more jobs taken than there are threads: every job beyond a reserved thread's first has a
place of the shared crew.

With such a provider nothing bounds a flood but the processors, and it takes them from whoever has
the urgent in hand: relay, RabbitMQ, Redis, our own threads. So it gives way while urgent jobs come
in: the other lanes have their reserved threads alone, and those rest between their turns.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec

from carillon.contracts.lanes import Lane

URGENCY = (Lane.HIGH, Lane.NORMAL, Lane.BULK)

# A turn of several jobs that takes longer keeps no other thread from the lane.
QUICK_TURN_SECONDS = 0.02

# After an urgent job, how long the next one is expected for.
URGENT_SECONDS = 0.5
# What a thread that gives way rests for, as a share of its turn, and the longest that it does.
REST_SHARE = 0.4
LONGEST_REST_SECONDS = 0.05

Item = TypeVar("Item")


class Crew:
    """Threads that serve the same lanes, in this order; `idle` of them wait for work.

    `own` is how many jobs each of them may have without a place of the shared crew: 0 or 1.
    """

    def __init__(self, name: str, lanes: tuple[Lane, ...], own: int, lock: threading.Lock) -> None:
        self.name = name
        self.lanes = lanes
        self.own = own
        self.idle = 0
        self.work = threading.Condition(lock)
        self.called: deque[Lane] = deque()
        """For which lane each thread that was woken and has not come yet was woken."""


class Load(msgspec.Struct, Generic[Item], frozen=True):
    """What a thread took: items of one lane, and how many places they have."""

    items: list[Item]
    places: int


class LaneQueues(Generic[Item]):
    """Thread-safe queues of one channel; bounded by the prefetch of what fills them.

    `places` is the size of the shared crew. `most` items are taken in one turn: whoever knows how
    quick the provider is may change it at any time.
    """

    def __init__(self, places: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = 1
        self._places = places
        self._clock = clock
        self._lock = threading.Lock()
        self._queues: Mapping[Lane, deque[Item]] = {lane: deque() for lane in Lane}
        self._coming = dict.fromkeys(Lane, 0)
        self.reserved = {lane: Crew(lane.value, (lane,), 1, self._lock) for lane in Lane}
        self.shared = Crew("shared", URGENCY, 0, self._lock)
        self._closed = False
        self._tended: dict[Lane, tuple[int, float]] = {}
        self._urgent_until = 0.0

    def putter(self, lane: Lane) -> Callable[[Item], None]:
        """A function that adds to `lane`'s queue and wakes a thread; it never blocks."""
        queue = self._queues[lane]

        def put(item: Item) -> None:
            with self._lock:
                if lane is Lane.HIGH:
                    self._urgent_until = self._clock() + URGENT_SECONDS
                queue.append(item)
                self._wake(lane)

        return put

    def put_back(self, lane: Lane, item: Item) -> None:
        """Add what was put aside to the front of its lane."""
        with self._lock:
            self._queues[lane].appendleft(item)
            self._wake(lane)

    def take(self, crew: Crew, *, wait: bool, held: int = 0) -> Load[Item] | None:
        """The oldest of the crew's most urgent lane.

        `held` places are the thread's already, and count for what it takes. Without an item: None
        at once if not `wait`, else when the queues are closed.
        """
        with self._lock:
            while True:
                self._turn_is_over()
                load = self._load(crew, held)
                if load is not None:
                    return load
                if (self._closed and not self._any(crew)) or not wait:
                    return None
                crew.idle += 1
                crew.work.wait()
                # Whoever wakes a thread takes it off the count, so that two items in a row wake
                # two threads.
                if crew.called:
                    self._coming[crew.called.popleft()] -= 1

    def give_back(self, places: int) -> None:
        """The jobs that had these places are done."""
        with self._lock:
            self._places += places
            if self._closed:
                self._wake_all()
            for lane in URGENCY:
                self._wake(lane)

    def rest_after(self, crew: Crew, turn: float) -> float:
        """Seconds for which a thread of the crew gives way after a turn of so many seconds."""
        if crew is self.shared or not self._gives_way(crew.lanes[0]):
            return 0.0
        return min(turn * REST_SHARE, LONGEST_REST_SECONDS)

    def rouse(self) -> None:
        """Wake whoever can help where somebody was quick and is not; call about once a second."""
        with self._lock:
            for lane in URGENCY:
                self._wake(lane)

    def close(self) -> None:
        """No thread waits any more; what is queued can still be taken."""
        with self._lock:
            self._closed = True
            self._wake_all()

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
            if self._closed:
                self._wake_all()
            return items

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def _any(self, crew: Crew) -> bool:
        return any(self._queues[lane] for lane in crew.lanes)

    def _load(self, crew: Crew, held: int) -> Load[Item] | None:
        for lane in crew.lanes:
            queue = self._queues[lane]
            if not queue or (crew is self.shared and self._gives_way(lane)):
                continue
            room = min(crew.own + self._room(crew, held), self.most, len(queue))
            if room < 1 or (not held and self._better_left(lane, room)):
                return None
            items = [queue.popleft() for _ in range(room)]
            places = room - crew.own
            self._places -= max(0, places - held)
            if self.most > 1:
                until = self._clock() + QUICK_TURN_SECONDS
                self._tended[lane] = (threading.get_ident(), until)
            self._wake(lane)
            return Load(items, places)
        return None

    def _room(self, crew: Crew, held: int) -> int:
        """Places for a thread of the crew; a reserved one leaves them to what is more urgent."""
        if crew.own and any(self._queues[lane] for lane in URGENCY[: URGENCY.index(crew.lanes[0])]):
            return 0
        return held + self._places

    def _gives_way(self, lane: Lane) -> bool:
        """Whether the lane leaves processors to what is urgent."""
        return self._has_time(lane) and self._clock() < self._urgent_until

    def _better_left(self, lane: Lane, room: int) -> bool:
        """Whether another thread is at the lane, and quick, so that there is too little for two."""
        if 2 * room >= self.most or not self._has_time(lane):
            return False
        return lane in self._tended and self._clock() < self._tended[lane][1]

    def _has_time(self, lane: Lane) -> bool:
        """Whether its jobs may wait a moment: they are not urgent, and the provider is quick."""
        return self.most > 1 and lane is not Lane.HIGH and not self._closed

    def _turn_is_over(self) -> None:
        """The thread asks for more: it is at no lane."""
        me = threading.get_ident()
        for lane in [lane for lane, (thread, _) in self._tended.items() if thread == me]:
            del self._tended[lane]

    def _wake_all(self) -> None:
        for crew in (*self.reserved.values(), self.shared):
            crew.idle = 0
            crew.called.clear()
            crew.work.notify_all()
        self._coming = dict.fromkeys(Lane, 0)

    def _wake(self, lane: Lane) -> None:
        """Wake a thread for the lane, unless enough of them are on their way."""
        waiting = len(self._queues[lane])
        if waiting <= self._coming[lane] * self.most:
            return
        crew = self.reserved[lane]
        if not crew.idle:
            crew = self.shared
            # Those that were called have a place each.
            if (
                not crew.idle
                or self._gives_way(lane)
                or not (self._places > len(crew.called) or self._closed)
            ):
                return
        if self._better_left(lane, min(waiting, crew.own + self._places)):
            return
        crew.idle -= 1
        crew.called.append(lane)
        self._coming[lane] += 1
        crew.work.notify()
