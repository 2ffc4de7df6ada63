"""What a publisher takes, and what it answers for each message."""

from enum import StrEnum

import msgspec

from carillon.broker.errors import MessageRefused

# AMQP 0-9-1 short strings (message_id, exchange, routing key) carry their length in one byte.
SHORT_STRING_BYTES = 255


class Route(msgspec.Struct, frozen=True):
    """Where a message goes; `carillon.broker.topology` makes them."""

    exchange: str
    routing_key: str


class OutgoingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to publish: persistent, mandatory, `application/json`.

    `correlation_id` and `traceparent` travel as headers where they are not empty.
    """

    route: Route
    body: bytes
    message_id: str
    correlation_id: str = ""
    traceparent: str = ""


class PublishOutcome(StrEnum):
    """What is known of one published message."""

    CONFIRMED = "confirmed"
    """RabbitMQ took responsibility: it is in its queue, on disk."""
    RETURNED = "returned"
    """Unroutable: no queue took it. An error of topology; it was not published."""
    NACKED = "nacked"
    """RabbitMQ could not store it."""
    UNKNOWN = "unknown"
    """Written but not answered for: it MAY have been published. Publish again and dedupe."""
    UNSENT = "unsent"
    """Never written: it was not published."""


class PublishResult(msgspec.Struct, frozen=True):
    """The outcome for one message; `detail` says why, in words for a log."""

    outcome: PublishOutcome
    detail: str = ""

    @property
    def confirmed(self) -> bool:
        """True where the message is safe with RabbitMQ, and only then."""
        return self.outcome is PublishOutcome.CONFIRMED


def check_message(message: OutgoingMessage) -> None:
    """Raises MessageRefused where AMQP could not carry `message`."""
    for name, text in (
        ("message_id", message.message_id),
        ("exchange", message.route.exchange),
        ("routing_key", message.route.routing_key),
    ):
        # isascii() first: the usual case needs no encoding to know its length.
        if len(text) > SHORT_STRING_BYTES or (
            not text.isascii() and len(_utf8(name, text)) > SHORT_STRING_BYTES
        ):
            raise MessageRefused(f"{name} is longer than {SHORT_STRING_BYTES} bytes")
    for name, text in (
        ("correlation_id", message.correlation_id),
        ("traceparent", message.traceparent),
    ):
        if not text.isascii():
            _utf8(name, text)


def _utf8(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise MessageRefused(f"{name} is not valid Unicode") from error
