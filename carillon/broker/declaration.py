"""Making the topology exist, and saying clearly what stands in its way."""

import functools
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import pika  # type: ignore[import-untyped]
import structlog

from carillon.broker import topology
from carillon.broker.errors import Mismatch, TopologyMismatch
from carillon.broker.visit import Visit

log = structlog.get_logger(__name__)

PRECONDITION_FAILED = 406
# What is declared: exchanges first, then each queue before its binding.
Piece = topology.Exchange | topology.Queue


class Declaration:
    """Declares pieces one by one on channels of its own, in an I/O loop; never waits.

    RabbitMQ closes a channel that declares something differently from what exists: the mismatch
    is noted and the rest is declared on a new channel.
    """

    def __init__(
        self,
        connection: Any,
        pieces: Iterable[Piece],
        done: Callable[[tuple[Mismatch, ...]], None],
        failed: Callable[[str], None],
    ) -> None:
        """`done` is called once with what differs, or `failed` once with the broker's reason."""
        self._connection = connection
        self._left = deque(pieces)
        self._done = done
        self._failed = failed
        self._mismatches: list[Mismatch] = []

    def start(self) -> None:
        """Begin; the connection must be open."""
        self._connection.channel(on_open_callback=self._opened)

    def _opened(self, channel: Any) -> None:
        channel.add_on_close_callback(self._closed)
        self._next(channel)

    def _next(self, channel: Any) -> None:
        if not self._left:
            channel.close()
            return
        piece = self._left[0]
        if isinstance(piece, topology.Exchange):
            channel.exchange_declare(
                piece.name,
                exchange_type="direct",
                durable=True,
                callback=lambda _frame: self._declared(channel),
            )
        else:
            channel.queue_declare(
                piece.name,
                durable=True,
                arguments=dict(piece.arguments),
                callback=lambda _frame: self._bind(channel, piece),
            )

    def _bind(self, channel: Any, queue: topology.Queue) -> None:
        channel.queue_bind(
            queue.name,
            queue.exchange,
            queue.routing_key,
            callback=lambda _frame: self._declared(channel),
        )

    def _declared(self, channel: Any) -> None:
        self._left.popleft()
        self._next(channel)

    def _closed(self, _channel: Any, reason: Exception) -> None:
        if isinstance(reason, pika.exceptions.ChannelClosedByBroker):
            self._refused(reason)
        elif not self._left and self._connection.is_open:
            self._done(tuple(self._mismatches))
        # Otherwise the connection is ending, and its owner hears of that.

    def _refused(self, reason: Any) -> None:
        piece = self._left[0]
        if reason.reply_code != PRECONDITION_FAILED:
            self._failed(f"could not declare {piece.name!r}: {reason.reply_text}")
            return
        kind = type(piece).__name__.lower()
        self._mismatches.append(Mismatch(kind, piece.name, reason.reply_text))
        self._left.popleft()
        self.start()


@functools.cache
def explain(mismatches: tuple[Mismatch, ...]) -> None:
    """Log what differs and what to do about it, once per process; go on with what exists."""
    if mismatches:
        log.error("topology mismatch", explanation=str(TopologyMismatch(mismatches)))


def declare(url: str, timeout: float = 10.0) -> None:
    """Make every exchange, queue and binding exist; doing it again changes nothing.

    Takes at most `timeout` seconds. Raises TopologyMismatch, after declaring all the rest, where
    something exists with other properties; BrokerUnavailable where the broker cannot be reached.
    Publishers and consumers declare by themselves each time they connect.
    """
    found: list[Mismatch] = []

    def use(connection: Any, visit: Visit) -> None:
        def done(mismatches: tuple[Mismatch, ...]) -> None:
            found.extend(mismatches)
            visit.succeed()

        Declaration(connection, topology.pieces(), done, visit.fail).start()

    Visit(url, "declare", timeout).run(use)
    if found:
        raise TopologyMismatch(tuple(found))
