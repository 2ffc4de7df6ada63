"""Which answer of RabbitMQ belongs to which message: windows and confirms, without any I/O."""

import threading
from collections.abc import Sequence

from carillon.broker.errors import BrokerError
from carillon.broker.messages import OutgoingMessage, PublishOutcome, PublishResult

CONFIRMED = PublishResult(PublishOutcome.CONFIRMED)
NACKED = PublishResult(PublishOutcome.NACKED, "RabbitMQ could not store it")


class Window:
    """Messages that were handed over together, and what is known of each.

    The I/O thread writes and answers; the waiting thread may end it early with `settle`. Between
    them stands the publisher's lock: it is held while `written` grows, and while a waiter settles.
    """

    __slots__ = ("_results", "_unanswered", "done", "error", "messages", "settled", "written")

    def __init__(self, messages: Sequence[OutgoingMessage]) -> None:
        self.messages = messages
        self.written = 0
        self.settled = not messages
        self.done = threading.Event()
        self.error: BrokerError | None = None
        self._results: list[PublishResult | None] = [None] * len(messages)
        self._unanswered = len(messages)
        if self.settled:
            self.done.set()

    @property
    def results(self) -> list[PublishResult]:
        """One per message; complete once settled."""
        return [result for result in self._results if result is not None]

    def answer(self, index: int, result: PublishResult) -> bool:
        """Note what RabbitMQ said of one message; False where the window was over already."""
        if self.settled:
            return False
        self._results[index] = result
        self._unanswered -= 1
        if self._unanswered == 0:
            self.settled = True
            self.done.set()
        return True

    def settle(self, reason: str) -> None:
        """End it now: what was written is UNKNOWN, what was not is UNSENT."""
        if self.settled:
            return
        self.settled = True
        unknown = PublishResult(PublishOutcome.UNKNOWN, reason)
        unsent = PublishResult(PublishOutcome.UNSENT, reason)
        for index, result in enumerate(self._results):
            if result is None:
                self._results[index] = unknown if index < self.written else unsent
        self.done.set()

    def give_up(self, error: BrokerError) -> None:
        """End it now: with `error` for its waiter where nothing of it was written."""
        if self.written:
            self.settle(str(error))
        elif not self.settled:
            self.settled = True
            self.error = error
            self.done.set()


class Confirms:
    """The unconfirmed messages of one AMQP channel, by delivery tag.

    RabbitMQ numbers the publishes of a channel from 1 and answers with those tags, in any order,
    one by one or "all up to". An unroutable message comes back whole before its tag is acked, and
    carries no tag: it is known by its message_id. Where several unconfirmed messages share that
    id (a window timed out and was published again), every one of them counts as returned: calling
    a published message unpublished costs a duplicate, the reverse costs the message.
    """

    def __init__(self) -> None:
        self._next_tag = 1
        self._lowest = 1
        self._pending: dict[int, tuple[Window, int]] = {}
        self._tags_of: dict[str, tuple[int, ...]] = {}
        self._returned: dict[int, str] = {}
        self.late = 0

    def __len__(self) -> int:
        return len(self._pending)

    def wrote(self, window: Window) -> None:
        """The window's next message was written to the channel."""
        tag = self._next_tag
        self._next_tag = tag + 1
        index = window.written
        window.written = index + 1
        self._pending[tag] = (window, index)
        message_id = window.messages[index].message_id
        others = self._tags_of.get(message_id)
        self._tags_of[message_id] = (tag,) if others is None else (*others, tag)

    def returned(self, message_id: str, reason: str) -> None:
        """RabbitMQ sent a message back, as no queue took it."""
        for tag in self._tags_of.get(message_id, ()):
            self._returned[tag] = reason

    def answered(self, tag: int, multiple: bool, result: PublishResult) -> None:
        """RabbitMQ acked or nacked `tag`, or with `multiple` every message up to it."""
        if not multiple:
            self._answer(tag, result)
            return
        for each in range(self._lowest, tag + 1):
            self._answer(each, result)
        self._lowest = max(self._lowest, tag + 1)

    def settle(self, reason: str) -> None:
        """End every window that waits for an answer; their answers may still come, and are late."""
        for window, _index in list(self._pending.values()):
            window.settle(reason)

    def _answer(self, tag: int, result: PublishResult) -> None:
        entry = self._pending.pop(tag, None)
        if entry is None:
            return
        window, index = entry
        self._forget(window.messages[index].message_id, tag)
        if self._returned:
            reason = self._returned.pop(tag, None)
            if reason is not None:
                result = PublishResult(PublishOutcome.RETURNED, reason)
        if not window.answer(index, result):
            self.late += 1

    def _forget(self, message_id: str, tag: int) -> None:
        tags = self._tags_of.pop(message_id)
        if len(tags) > 1:
            self._tags_of[message_id] = tuple(other for other in tags if other != tag)
