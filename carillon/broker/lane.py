"""One subscription's AMQP channel: consuming, settling, and distrust of what comes back often."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from carillon.broker import metrics
from carillon.broker.connection import Backoff, Link
from carillon.broker.delivery import Delivery
from carillon.broker.receiving import Handler, Received, Receiving
from carillon.broker.settling import Unsettled, Verdict

log = structlog.get_logger(__name__)

# A message that came back this often may be what brings the process down.
SUSPECT_AFTER = 2


@dataclass(frozen=True, slots=True)
class Subscription:
    """One queue to consume, over an AMQP channel of its own.

    `prefetch` bounds the deliveries that are unsettled at once (1..65535). `deliver` is called on
    the I/O thread and must neither block nor raise: `Inbox.put`, or another queue's put.
    """

    queue: str
    prefetch: int
    deliver: Callable[[Delivery], None]


@dataclass(frozen=True, slots=True)
class AckPolicy:
    """Acks travel every `batch` deliveries or `interval` seconds, whichever is first."""

    batch: int
    interval: float


class ChannelLease:
    """The life of one AMQP channel, and the verdicts that wait to be sent over it.

    `settle` runs on any thread, everything else on the I/O thread.
    """

    def __init__(self, link: Link, policy: AckPolicy, flush: Callable[[bool], None]) -> None:
        """`flush` sends the verdicts that wait: all (True), or those that are best sent now."""
        self._link = link
        self._interval = policy.interval
        self._flush = flush
        self._verdicts: deque[tuple[int, Verdict]] = deque()
        self._flush_is_due = False
        self._timer_is_due = False
        self.batch = policy.batch
        self.alive = True

    def settle(self, tags: list[int], verdict: Verdict, *, now: bool = False) -> None:
        """Note verdicts; they are sent when the batch is full or its time is up, or at once."""
        if not self.alive:
            return
        self._verdicts.extend((tag, verdict) for tag in tags)
        if now or len(self._verdicts) >= self.batch:
            if not self._flush_is_due:
                self._flush_is_due = True
                self._link.call(lambda: self._flush(False))
        elif not self._timer_is_due:
            self._timer_is_due = True
            self._link.call(self.flush_later)

    def flush_later(self) -> None:
        """Send everything when the interval is over."""
        self._timer_is_due = True
        self._link.later(self._interval, lambda: self._flush(True))

    @property
    def timer_is_due(self) -> bool:
        """Whether everything will be sent within the interval."""
        return self._timer_is_due

    def take(self, *, complete: bool) -> list[tuple[int, Verdict]]:
        """Everything that waits; from here on new verdicts ask for a flush again."""
        # The flags first: a verdict that comes in between is taken now, and flushed in vain later.
        self._flush_is_due = False
        if complete:
            self._timer_is_due = False
        return [self._verdicts.popleft() for _ in range(len(self._verdicts))]


class Lane:
    """Keeps one subscription active over a connection. Lives on the I/O thread.

    It begins with a prefetch of one, and takes the full prefetch once a delivery arrives that is
    no suspect. RabbitMQ puts back at the front everything that a crashed process held, and before
    4.3 counts it against all of it, so that one poisonous message would condemn its neighbours;
    like this, what came back SUSPECT_AFTER times is handed out alone, and crashes alone.
    """

    def __init__(
        self,
        link: Link,
        subscription: Subscription,
        policy: AckPolicy,
        *,
        changed: Callable[[], None],
        lost: Callable[["Lane", str], None],
    ) -> None:
        self.subscription = subscription
        self.backoff = Backoff()
        self.active = False
        self._link = link
        self._policy = policy
        self._changed = changed
        self._lost = lost
        self._log = log.bind(queue=subscription.queue)
        self._channel: Any = None
        self._receiving: Receiving | None = None
        self._lease: ChannelLease | None = None
        self._unsettled = Unsettled()
        self._consumer_tags: list[str] = []
        self._wide = False
        self._silent = False
        self._uncounted: Counter[bool] = Counter()
        self._received = {
            again: metrics.DELIVERIES.labels(subscription.queue, str(again).lower())
            for again in (False, True)
        }

    @property
    def in_flight(self) -> int:
        """Deliveries without a verdict sent."""
        return len(self._unsettled)

    # --- life

    def open(self, connection: Any, receiving: Receiving) -> None:
        """Open the channel and subscribe."""
        self._receiving = receiving
        connection.channel(on_open_callback=self._opened)

    def cancel(self, done: Callable[[], None]) -> None:
        """Take no more deliveries; `done` is called once RabbitMQ has said so."""
        tags, self._consumer_tags = self._consumer_tags, []
        self._set_active(False)
        if not tags or self._channel is None or not self._channel.is_open:
            done()
            return
        for tag in tags:
            self._listen(tag, None)
        for tag in tags[:-1]:
            self._channel.basic_cancel(tag, callback=lambda _frame: None)
        self._channel.basic_cancel(tags[-1], callback=lambda _frame: done())

    def silence(self) -> None:
        """Pass nothing more on; what RabbitMQ still sends goes back when the channel closes."""
        self._silent = True

    def forget(self) -> None:
        """The channel is gone, and with it every claim to its deliveries."""
        self._count()
        if self._lease is not None:
            self._lease.alive = False
        for tag in self._consumer_tags:
            self._listen(tag, None)
        self._lease = None
        self._channel = None
        self._unsettled = Unsettled()
        self._consumer_tags = []
        self._set_active(False)

    def flush(self, complete: bool = True) -> None:
        """Send the verdicts that wait.

        Unless `complete`, acks of what is newer than unfinished work may stay for the interval:
        most soon become part of one ack for many.
        """
        self._count()
        lease, channel = self._lease, self._channel
        if lease is None or not channel.is_open:
            return
        counts: Counter[Verdict] = Counter()
        verdicts = lease.take(complete=complete)
        counts.update(verdict for _tag, verdict in verdicts)
        hold = not complete and self._unsettled.held < lease.batch
        for frame in self._unsettled.settle(verdicts, hold=hold):
            if frame.verdict is Verdict.ACK:
                channel.basic_ack(frame.tag, multiple=frame.multiple)
            elif frame.verdict is Verdict.REJECT:
                channel.basic_reject(frame.tag, requeue=False)
            else:
                # From 4.3 on a nack, unlike a reject, leaves the delivery count alone.
                channel.basic_nack(frame.tag, requeue=True)
        for verdict, count in counts.items():
            metrics.SETTLED.labels(self.subscription.queue, verdict.value).inc(count)
        if self._unsettled.held and not lease.timer_is_due:
            lease.flush_later()

    def _opened(self, channel: Any) -> None:
        channel.add_on_close_callback(self._closed)
        channel.add_on_cancel_callback(self._cancelled)
        self._channel = channel
        self._lease = ChannelLease(self._link, self._policy, self.flush)
        self._wide = self.subscription.prefetch == 1
        # RabbitMQ waits for each ack before it hands out the next suspect.
        self._lease.batch = 1
        self._consume(1, self._subscribed)

    def _consume(self, prefetch: int, subscribed: Callable[[Any], None]) -> None:
        """Prefetch is a property of each consumer (`global_qos=False`), not of the channel."""
        self._channel.basic_qos(prefetch_count=prefetch, callback=lambda _frame: None)
        tag = self._channel.basic_consume(
            self.subscription.queue, self._on_message, callback=subscribed
        )
        self._consumer_tags.append(tag)
        self._listen(tag, self._take)

    def _listen(self, tag: str, handler: Handler | None) -> None:
        if self._receiving is not None and self._channel is not None:
            self._receiving.listen(self._channel.channel_number, tag, handler)

    def _subscribed(self, _frame: Any) -> None:
        self.backoff.reset()
        self._set_active(True)

    def _set_active(self, active: bool) -> None:
        if self.active is not active:
            self.active = active
            self._changed()

    def _cancelled(self, _frame: Any) -> None:
        """RabbitMQ ended the subscription by itself: its queue was deleted or moved."""
        if self._channel is not None and self._channel.is_open:
            self._channel.close(reply_text="the subscription was cancelled by the broker")

    def _closed(self, channel: Any, reason: Exception) -> None:
        if channel is self._channel:
            self.forget()
            self._lost(self, repr(reason))

    # --- deliveries

    def _on_message(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self._take(
            Received(
                method.delivery_tag,
                bool(method.redelivered),
                properties.headers or {},
                properties.message_id or "",
                body,
            )
        )

    def _take(self, received: Received) -> None:
        if self._silent or self._lease is None:
            return
        headers = received.headers
        count = headers.get("x-delivery-count", 0)
        delivery = Delivery(
            queue=self.subscription.queue,
            body=received.body,
            message_id=received.message_id,
            correlation_id=_text(headers.get("x-correlation-id")),
            traceparent=_text(headers.get("traceparent")),
            headers=headers,
            redelivered=received.redelivered,
            delivery_count=int(count) if isinstance(count, int) else 0,
            tag=received.tag,
            lease=self._lease,
        )
        self._unsettled.delivered(delivery.tag)
        self._uncounted[delivery.redelivered] += 1
        if not self._wide and delivery.delivery_count < SUSPECT_AFTER:
            self._wide = True
            self._lease.batch = self._policy.batch
            self._consume(self.subscription.prefetch - 1, lambda _frame: None)
        self.subscription.deliver(delivery)

    def _count(self) -> None:
        """Add what came to the metric: once a flush, since each time has its price."""
        for again, count in self._uncounted.items():
            self._received[again].inc(count)
        self._uncounted.clear()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
