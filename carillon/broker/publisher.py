"""Publishing with confirms: windows of messages over one connection, from any thread."""

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import pika  # type: ignore[import-untyped]
import structlog

from carillon.broker import metrics, topology
from carillon.broker.confirms import CONFIRMED, NACKED, Confirms, Window
from carillon.broker.connection import Link
from carillon.broker.declaration import Declaration, explain
from carillon.broker.errors import (
    BrokerBlocked,
    BrokerClosed,
    BrokerError,
    BrokerUnavailable,
    Mismatch,
)
from carillon.broker.framing import Framing
from carillon.broker.messages import OutgoingMessage, PublishResult, check_message

log = structlog.get_logger(__name__)

# Seconds.
DEFAULT_TIMEOUT = 30.0
# Messages written before the loop sends them: RabbitMQ works on one chunk while we encode the next.
CHUNK = 64
# Beyond this RabbitMQ is not answering (a quorum queue without a majority, say): what it has not
# confirmed it may yet store, so writing more would only pile up duplicates.
MAX_UNCONFIRMED = 5_000
PERSISTENT = 2


class PendingWindow:
    """A window of messages that was handed over and not yet answered for."""

    def __init__(self, publisher: "Publisher", window: Window, timeout: float) -> None:
        self._publisher = publisher
        self._window = window
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout

    def wait(self) -> list[PublishResult]:
        """One result per message, in their order; at the latest when the window's time is up.

        Raises as `Publisher.publish` does. Call it once.
        """
        window = self._window
        if not window.done.wait(max(0.0, self._deadline - time.monotonic())):
            self._publisher._expire(window, self._timeout)
        if window.error is not None:
            raise window.error
        results = window.results
        for outcome, count in Counter(result.outcome for result in results).items():
            metrics.PUBLISHED.labels(outcome.value).inc(count)
        return results


class Publisher:
    """Publishes persistent, mandatory messages and waits for RabbitMQ's confirms.

    One I/O thread owns the connection, reconnects with backoff, and declares the topology each
    time. Every method may be called from any thread; small publishes of many threads travel
    together.
    """

    def __init__(self, url: str, *, name: str) -> None:
        """`name` ("relay", "email_worker") shows in RabbitMQ's list of connections and in logs."""
        self._link = Link(url, name, "publisher", self)
        self._log = log.bind(connection=name)
        self._closed = False
        self._closing = False
        self._blocked: str | None = None
        # Held while messages are written, and while a waiter gives up on its window.
        self._writing = threading.Lock()
        # Held while a window is handed over, and while the publisher is closed.
        self._handing_over = threading.Lock()
        self._queue: deque[Window] = deque()
        self._pump_is_due = False
        # Of the I/O thread alone.
        self._connection: Any = None
        self._channel: Any = None
        self._confirms = Confirms()
        self._unroutable: set[str] = set()

    def start(self) -> None:
        """Begin to connect in the background; returns at once, whether RabbitMQ is up or not."""
        self._link.start()

    def submit(
        self, messages: Sequence[OutgoingMessage], timeout: float = DEFAULT_TIMEOUT
    ) -> PendingWindow:
        """Hand over a window without waiting; `timeout` in seconds runs from here.

        Raises BrokerBlocked, BrokerClosed, and MessageRefused (nothing of it is published then).
        """
        for message in messages:
            check_message(message)
        window = Window(messages)
        with self._handing_over:
            if self._closed:
                raise BrokerClosed("the publisher is closed")
            if self._blocked is not None:
                raise _blocked_error(self._blocked)
            self._queue.append(window)
        if not self._pump_is_due:
            self._pump_is_due = True
            self._link.call(self._pump)
        return PendingWindow(self, window, timeout)

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
        return self._link.is_ready

    @property
    def blocked(self) -> str | None:
        """Why RabbitMQ refuses publishes ("low on memory"), or None."""
        return self._blocked

    @property
    def seconds_since_turn(self) -> float:
        """Age of the I/O thread's last sign of life; above 10 it hangs or has died."""
        return self._link.seconds_since_turn

    def wait_connected(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a usable connection; False where there was none."""
        return self._link.wait_ready(timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Answer for every window that was handed over, then disconnect; at most `timeout` seconds.

        Later calls raise BrokerClosed. Closing twice is harmless.
        """
        with self._handing_over:
            self._closed = True
        self._link.close(timeout)
        self._fail_queued(BrokerClosed("the publisher was closed before it could write"))

    # --- the waiting thread

    def _expire(self, window: Window, timeout: float) -> None:
        """The waiter's time is up: nothing more of its window is written from here on."""
        if self._blocked is not None:
            error: BrokerError = _blocked_error(self._blocked)
        elif self._link.is_ready:
            error = BrokerUnavailable(f"RabbitMQ did not confirm within {timeout:g} s")
        else:
            error = BrokerUnavailable(
                f"not connected to RabbitMQ within {timeout:g} s: {self._link.last_reason}"
            )
        with self._writing:
            window.give_up(error)

    # --- the I/O thread: connecting

    def on_connected(self, connection: Any) -> None:
        """Declare the topology, then open the channel."""
        self._connection = connection
        connection.add_on_connection_blocked_callback(self._on_blocked)
        connection.add_on_connection_unblocked_callback(self._on_unblocked)
        Declaration(connection, topology.pieces(), self._declared, self._link.drop).start()

    def _declared(self, mismatches: tuple[Mismatch, ...]) -> None:
        explain(mismatches)
        self._connection.channel(on_open_callback=self._opened)

    def _opened(self, channel: Any) -> None:
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _frame: self._usable(channel))

    def _usable(self, channel: Any) -> None:
        self._confirms = Confirms()
        self._framing = Framing(channel.channel_number, self._connection.params.frame_max)
        self._unroutable.clear()
        self._channel = channel
        self._link.ready()
        self._pump()

    def _on_channel_closed(self, _channel: Any, reason: Exception) -> None:
        if self._channel is not None:
            self._lose(f"the channel was closed: {reason!r}")
            self._link.drop(f"the channel was closed: {reason!r}")

    def on_disconnected(self, reason: str) -> None:
        """What was written and not confirmed may or may not have been published."""
        self._lose(reason)
        self._connection = None
        self._unblock()

    def _lose(self, reason: str) -> None:
        self._channel = None
        with self._writing:
            self._confirms.settle(f"the connection was lost: {reason}")
            self._drop_settled()

    # --- the I/O thread: writing

    def _pump(self) -> None:
        """Write one chunk of what waits; come back for the rest after the loop has sent it."""
        self._pump_is_due = False
        if self._channel is None or self._blocked is not None:
            return
        with self._writing:
            room = min(CHUNK, MAX_UNCONFIRMED - len(self._confirms))
            self._drop_settled()
            while room > 0 and self._queue:
                room -= self._write(self._queue[0], room)
                self._drop_settled()
        if self._queue and len(self._confirms) < MAX_UNCONFIRMED and not self._pump_is_due:
            self._pump_is_due = True
            self._link.call(self._pump)

    def _write(self, window: Window, most: int) -> int:
        batch = window.messages[window.written : window.written + most]
        frames = []
        for message in batch:
            # Counted first: a message that failed half-way may be on the wire.
            self._confirms.wrote(window)
            frames.append(self._framing.publish(message))
        # pika offers no public way to send frames that are encoded already.
        self._connection._output_marshaled_frames([b"".join(frames)])
        return len(batch)

    def _drop_settled(self) -> None:
        while self._queue and (
            self._queue[0].settled or self._queue[0].written == len(self._queue[0].messages)
        ):
            self._queue.popleft()

    # --- the I/O thread: answers

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        late = self._confirms.late
        self._confirms.answered(
            method.delivery_tag,
            method.multiple,
            CONFIRMED if isinstance(method, pika.spec.Basic.Ack) else NACKED,
        )
        if self._confirms.late > late:
            metrics.LATE_CONFIRMS.inc(self._confirms.late - late)
        if self._queue and not self._pump_is_due:
            self._pump()
        if self._closing:
            self._finish_if_idle()

    def _on_return(self, _channel: Any, method: Any, properties: Any, _body: bytes) -> None:
        target = f"{method.exchange}/{method.routing_key}"
        self._confirms.returned(
            properties.message_id, f"unroutable ({method.reply_text}): no queue takes {target}"
        )
        if target not in self._unroutable:
            self._unroutable.add(target)
            self._log.error("a message was unroutable", target=target, reason=method.reply_text)

    def _on_blocked(self, _connection: Any, frame: Any) -> None:
        reason = str(frame.method.reason)
        with self._handing_over:
            self._blocked = reason
        metrics.BLOCKED.set(1)
        self._log.warning("RabbitMQ refuses publishes", reason=reason)
        with self._writing:
            self._confirms.settle(f"RabbitMQ refuses publishes: {reason}")
        self._fail_queued(_blocked_error(reason))

    def _on_unblocked(self, _connection: Any, _frame: Any) -> None:
        self._log.info("RabbitMQ accepts publishes again")
        self._unblock()
        self._pump()

    def _unblock(self) -> None:
        self._blocked = None
        metrics.BLOCKED.set(0)

    def _fail_queued(self, error: BrokerError) -> None:
        with self._writing:
            while self._queue:
                self._queue.popleft().give_up(error)

    # --- the I/O thread: closing

    def on_closing(self) -> None:
        """Stay until RabbitMQ has answered for everything."""
        self._closing = True
        self._finish_if_idle()

    def _finish_if_idle(self) -> None:
        if not self._queue and not len(self._confirms):
            self._link.finish()


def _blocked_error(reason: str) -> BrokerBlocked:
    return BrokerBlocked(f"RabbitMQ refuses publishes: {reason}")
