"""Every exchange and queue name, and nothing else that knows one.

RabbitMQ cannot change the arguments of a queue that exists, so everything here is chosen to mean
the same from 3.10 to 4.x:

- `x-delivery-limit` is set, because 3.10 has none by default and 4.x has 20. It is a backstop:
  before 4.3 every return of a message counts, also one for which its consumer did nothing wrong
  (a neighbour crashed the process, the network failed), so it stands well above what an innocent
  message sees.
- Dead letters go `at-least-once` (3.10 and later; it asks for `x-overflow: reject-publish`): the
  default, at-most-once, loses the letter where the dead queue is unavailable at that moment. The
  price is one small process per queue, and RabbitMQ keeping the message until it is stored.
- Queues where letters rest have no reader to protect, and on 4.x the default limit would drop a
  letter that an operator has looked at 20 times. Their limit is therefore out of reach.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from carillon.broker.messages import Route
from carillon.contracts.channels import CHANNELS
from carillon.contracts.lanes import Lane

DELIVERY_EXCHANGE: Final = "carillon.delivery"
EVENTS_EXCHANGE: Final = "carillon.events"
DEAD_EXCHANGE: Final = "carillon.dead"

EVENTS_QUEUE: Final = "gateway.events.queue"
PARKED_EVENTS_QUEUE: Final = "gateway.events.parked.queue"

DELIVERY_LIMIT: Final = 20
UNREACHABLE_LIMIT: Final = 2**31 - 1

_EVENTS_KEY: Final = "gateway.events"

EVENTS_ROUTE: Final = Route(EVENTS_EXCHANGE, _EVENTS_KEY)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable direct exchange."""

    name: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable quorum queue, bound to one exchange by one key."""

    name: str
    exchange: str
    routing_key: str
    arguments: dict[str, str | int] = field(default_factory=dict)


def queue_for(channel: str, lane: Lane) -> str:
    """`email.high.queue`, `email.queue` (normal), `email.bulk.queue`. KeyError: no such channel."""
    name = CHANNELS[channel].name
    return f"{name}.queue" if lane is Lane.NORMAL else f"{name}.{lane.value}.queue"


def route_for(channel: str, lane: Lane) -> Route:
    """Where a delivery job of that channel and lane is published. KeyError: no such channel."""
    return Route(DELIVERY_EXCHANGE, f"{CHANNELS[channel].name}.{lane.value}")


def dead_queue_for(channel: str) -> str:
    """Where the poison of a channel rests: `email.dead.queue`. KeyError: no such channel."""
    return f"{CHANNELS[channel].name}.dead.queue"


def pieces() -> Iterator[Exchange | Queue]:
    """All exchanges, then all queues, in an order in which they can be declared."""
    for name in (DELIVERY_EXCHANGE, EVENTS_EXCHANGE, DEAD_EXCHANGE):
        yield Exchange(name)
    yield from queues()


def queues() -> Iterator[Queue]:
    """All queues; one that dead-letters comes after the queue that takes its letters."""
    for channel in CHANNELS:
        yield Queue(dead_queue_for(channel), DEAD_EXCHANGE, channel, _resting())
        for lane in Lane:
            route = route_for(channel, lane)
            yield Queue(
                queue_for(channel, lane), route.exchange, route.routing_key, _working(channel)
            )
    yield Queue(PARKED_EVENTS_QUEUE, DEAD_EXCHANGE, _EVENTS_KEY, _resting())
    yield Queue(EVENTS_QUEUE, EVENTS_EXCHANGE, _EVENTS_KEY, _working(_EVENTS_KEY))


def _working(dead_key: str) -> dict[str, str | int]:
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD_EXCHANGE,
        "x-dead-letter-routing-key": dead_key,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _resting() -> dict[str, str | int]:
    return {"x-queue-type": "quorum", "x-delivery-limit": UNREACHABLE_LIMIT}
