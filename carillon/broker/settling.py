"""Which deliveries may be acked together: the bookkeeping of one AMQP channel, without any I/O."""

from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """What becomes of a delivery."""

    ACK = "ack"
    """Done: RabbitMQ forgets it."""
    REJECT = "reject"
    """Poison: it is dead-lettered."""
    RELEASE = "release"
    """Not begun: it goes back to its queue."""


class Settlement(NamedTuple):
    """One frame to send; `multiple` settles every delivery up to `tag` as well."""

    verdict: Verdict
    tag: int
    multiple: bool = False


class Unsettled:
    """The deliveries of one channel that are not yet settled, in order.

    Delivery tags rise, but need not be contiguous: what never reached us has no part in this.
    """

    def __init__(self) -> None:
        self._order: deque[int] = deque()
        self._open: set[int] = set()
        self._held: set[int] = set()

    @property
    def held(self) -> int:
        """Acks that wait for older deliveries."""
        return len(self._held)

    def __len__(self) -> int:
        return len(self._open)

    def delivered(self, tag: int) -> None:
        """RabbitMQ handed out `tag`, which is higher than all before."""
        self._order.append(tag)
        self._open.add(tag)

    def settle(
        self, verdicts: Iterable[tuple[int, Verdict]], *, hold: bool = False
    ) -> list[Settlement]:
        """The frames that settle exactly `verdicts`, to be sent in this order.

        A delivery that is settled twice keeps its first verdict. Rejections go first: a
        `multiple` ack sent before them would swallow them. With `hold`, acks that are not the
        oldest are held back until they are, or until a call without it: each ack is a command to
        the queue, one for many deliveries as much as one for a single one.
        """
        acked, self._held = self._held, set()
        frames: list[Settlement] = []
        for tag, verdict in verdicts:
            if tag not in self._open or tag in acked:
                continue
            if verdict is Verdict.ACK:
                acked.add(tag)
            else:
                self._open.discard(tag)
                frames.append(Settlement(verdict, tag))
        newest, count = self._ack_oldest(acked)
        if count:
            frames.append(Settlement(Verdict.ACK, newest, multiple=count > 1))
        if hold:
            self._held = acked
            return frames
        self._open -= acked
        frames.extend(Settlement(Verdict.ACK, tag) for tag in sorted(acked))
        return frames

    def _ack_oldest(self, acked: set[int]) -> tuple[int, int]:
        """Take from `acked` those with nothing open before them: the newest, and how many."""
        newest = count = 0
        while self._order:
            tag = self._order[0]
            if tag in acked:
                acked.remove(tag)
                self._open.remove(tag)
                newest = tag
                count += 1
            elif tag in self._open:
                break
            self._order.popleft()
        return newest, count
