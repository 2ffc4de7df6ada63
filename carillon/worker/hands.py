"""The jobs in hand: which attempts this process is at, from a thread's grasp to the ack."""

import threading
from collections.abc import Iterator

import msgspec

from carillon.broker.delivery import Delivery
from carillon.contracts.messages import DeliveryJob


class Hand(msgspec.Struct, eq=False):
    """A job that this process holds, with every delivery of it that waits to be settled.

    There is more than one delivery where RabbitMQ hands the job out again while it is still being
    worked on (the connection was lost), or where it was published twice.
    """

    job: DeliveryJob
    message_id: str
    redelivered: bool
    deliveries: list[Delivery] = []
    begun_at: float = 0.0
    """Unix time of the first try to write our marker; 0 before. It tells our marker from others."""
    without_redis_since: float = 0.0
    """Monotonic time since which the job has waited for Redis; 0 where it has not."""
    poison: bool = False
    alone: bool = False
    """No other call is under way in this process."""
    traceparent: str = ""
    """Of the work on it, which its event continues; empty where nothing is traced."""

    @property
    def stale(self) -> bool:
        """True where RabbitMQ has taken every delivery back: the job is no longer ours."""
        return all(delivery.stale for delivery in self.deliveries)


class Hands:
    """The jobs in hand, by message id; for any thread."""

    def __init__(self) -> None:
        self._hands: dict[str, Hand] = {}
        self._guard = threading.Lock()

    def grasp(self, job: DeliveryJob, delivery: Delivery) -> Hand | None:
        """The job's new hand; None where it is in hand already, which then settles this too."""
        message_id = job.message_id
        with self._guard:
            hand = self._hands.get(message_id)
            if hand is not None:
                hand.deliveries.append(delivery)
                return None
            hand = Hand(job, message_id, delivery.redelivered, [delivery])
            self._hands[message_id] = hand
            return hand

    def let_go(self, hand: Hand) -> list[Delivery]:
        """The job is finished or given back: what is to be settled."""
        with self._guard:
            self._hands.pop(hand.message_id, None)
            return hand.deliveries

    def __len__(self) -> int:
        return len(self._hands)

    def __iter__(self) -> Iterator[Hand]:
        with self._guard:
            return iter(list(self._hands.values()))
