"""Publishing with confirms: windows of messages over one connection, from any thread."""

from collections.abc import Sequence

from carillon.broker.messages import OutgoingMessage, PublishResult

DEFAULT_TIMEOUT = 30.0


class PendingWindow:
    """A window of messages that was handed over and not yet answered for."""

    def wait(self) -> list[PublishResult]:
        """One result per message, in their order; at the latest when the window's time is up.

        Raises as `Publisher.publish` does. Call it once.
        """
        raise NotImplementedError


class Publisher:
    """Publishes persistent, mandatory messages and waits for RabbitMQ's confirms.

    One I/O thread owns the connection, reconnects with backoff, and declares the topology each
    time. Every method may be called from any thread; small publishes of many threads travel
    together.
    """

    def __init__(self, url: str, *, name: str) -> None:
        """`name` ("relay", "email_worker") shows in RabbitMQ's list of connections and in logs."""

    def start(self) -> None:
        """Begin to connect in the background; returns at once. A broker that is down is no error."""
        raise NotImplementedError

    def submit(
        self, messages: Sequence[OutgoingMessage], timeout: float = DEFAULT_TIMEOUT
    ) -> PendingWindow:
        """Hand over a window without waiting; `timeout` in seconds runs from here.

        Raises BrokerBlocked, BrokerClosed, and MessageRefused (nothing of it is published then).
        """
        raise NotImplementedError

    def publish(
        self, messages: Sequence[OutgoingMessage], timeout: float = DEFAULT_TIMEOUT
    ) -> list[PublishResult]:
        """Publish a window and wait once for all of it: one result per message, in their order.

        Never raises once a message was written: what was not answered for is UNKNOWN (it may have
        been published), what was not written is UNSENT. Raises, with nothing written:
        BrokerBlocked at once while RabbitMQ refuses publishes, BrokerUnavailable where there was
        no connection within `timeout` seconds, BrokerClosed, MessageRefused.
        """
        return self.submit(messages, timeout).wait()

    def publish_one(
        self, message: OutgoingMessage, timeout: float = DEFAULT_TIMEOUT
    ) -> PublishResult:
        """`publish` for a window of one."""
        return self.publish((message,), timeout)[0]

    @property
    def connected(self) -> bool:
        """True while publishes can be written (also while RabbitMQ has blocked them)."""
        raise NotImplementedError

    @property
    def blocked(self) -> str | None:
        """Why RabbitMQ refuses publishes ("low on memory"), or None."""
        raise NotImplementedError

    @property
    def seconds_since_turn(self) -> float:
        """Age of the I/O thread's last sign of life; above 10 it hangs or has died."""
        raise NotImplementedError

    def wait_connected(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a usable connection; False where there was none."""
        raise NotImplementedError

    def close(self, timeout: float = 10.0) -> None:
        """Answer for every window that was handed over, then disconnect; at most `timeout` seconds.

        Later calls raise BrokerClosed. Closing twice is harmless.
        """
        raise NotImplementedError
