"""What can go wrong between a process and RabbitMQ."""

from dataclasses import dataclass


class BrokerError(Exception):
    """Something between this process and RabbitMQ failed."""


class BrokerUnavailable(BrokerError):
    """There was no usable connection in time; nothing was written, so nothing was published."""


class BrokerBlocked(BrokerUnavailable):
    """RabbitMQ refuses publishes because it is short of memory or disk; nothing was written."""


class BrokerClosed(BrokerError):
    """This publisher or consumer was closed; nothing was written."""


class MessageRefused(BrokerError, ValueError):
    """A message that AMQP cannot carry, such as an identifier of more than 255 bytes."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One exchange or queue that exists with other properties than this release declares."""

    kind: str
    name: str
    broker_said: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}: {self.broker_said}"


class TopologyMismatch(BrokerError):
    """Exchanges or queues on the broker differ from what this release declares."""

    def __init__(self, mismatches: tuple[Mismatch, ...]) -> None:
        listed = "; ".join(str(mismatch) for mismatch in mismatches)
        super().__init__(
            f"RabbitMQ holds a topology that this release would declare differently: {listed}. "
            "RabbitMQ never changes the properties of what exists. To adopt the new ones, stop "
            "the processes that use it, let the queue run empty (or move its messages with a "
            "shovel), delete it (`rabbitmqctl delete_queue NAME`), and start again: it is "
            "declared anew. Until then the existing one stays in use as it is."
        )
        self.mismatches = mismatches
