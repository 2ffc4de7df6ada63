"""What travels over AMQP: a delivery job to a worker, a delivery event back. JSON, versioned."""

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, TypeVar

import msgspec

from carillon.contracts.lanes import Lane
from carillon.errors import Reason

JOB_VERSION = 1
EVENT_VERSION = 1


class Mode(StrEnum):
    """Whether an API key is for real traffic; a test job is delivered by the sandbox provider."""

    LIVE = "live"
    TEST = "test"


class DeliveryPolicy(StrEnum):
    """What to do when a crash left the outcome of an attempt unknown."""

    AT_LEAST_ONCE = "at_least_once"
    AT_MOST_ONCE = "at_most_once"


class EmailContent(msgspec.Struct, frozen=True, tag_field="kind", tag="email", omit_defaults=True):
    """A rendered email; at least one of `body` (plain text) and `html` is not empty.

    `unsubscribe_url` takes the recipient off by one POST (RFC 8058); empty where nobody may leave.
    """

    subject: str
    body: str = ""
    html: str = ""
    unsubscribe_url: str = ""


class TextContent(msgspec.Struct, frozen=True, tag_field="kind", tag="text", omit_defaults=True):
    """A rendered SMS or WhatsApp text."""

    body: str


class PushContent(msgspec.Struct, frozen=True, tag_field="kind", tag="push", omit_defaults=True):
    """A rendered push notification."""

    title: str
    body: str = ""
    image: str = ""
    data: dict[str, str] = {}
    action_url: str = ""
    badge: int | None = None


Content: TypeAlias = EmailContent | TextContent | PushContent


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where to deliver: an email address, an E.164 number or a device token.

    `platform` (fcm, apns, webpush) and `device_id` are set for devices alone.
    """

    value: str
    platform: str = ""
    device_id: str = ""


class DeliveryJob(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One attempt to deliver one notification. A worker needs nothing beyond it."""

    version: int = JOB_VERSION
    notification_id: str
    attempt: int
    organization_id: str
    correlation_id: str
    channel: str
    lane: Lane
    priority: int
    mode: Mode
    delivery: DeliveryPolicy
    addresses: tuple[Address, ...]
    recipient_name: str = ""
    user_id: str = ""
    content: Content
    accepted_at: datetime
    queued_at: datetime
    expires_at: datetime | None = None
    traceparent: str = ""

    @property
    def message_id(self) -> str:
        """AMQP `message_id`, and the dedupe key: one per attempt."""
        return f"{self.notification_id}:{self.attempt}"


class Outcome(StrEnum):
    """What became of an attempt, in django-anymail's words."""

    SENT = "sent"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    FAILED = "failed"
    BOUNCED = "bounced"
    REJECTED = "rejected"
    EXPIRED = "expired"


class DeliveryEvent(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The outcome of an attempt; `deferred` asks for another after `retry_after` seconds."""

    version: int = EVENT_VERSION
    event_id: str
    notification_id: str
    attempt: int
    organization_id: str
    correlation_id: str
    channel: str
    outcome: Outcome
    provider: str = ""
    provider_message_id: str = ""
    reason: Reason | None = None
    error_code: str = ""
    error_message: str = ""
    retry_after: float | None = None
    started_at: datetime
    occurred_at: datetime
    duration_ms: float = 0.0
    possible_duplicate: bool = False
    traceparent: str = ""


class UnreadableMessage(ValueError):
    """Bytes that are not a message of ours, or of a version that this release cannot read."""


_Message = TypeVar("_Message", DeliveryJob, DeliveryEvent)

_encoder = msgspec.json.Encoder()
_job_decoder = msgspec.json.Decoder(DeliveryJob)
_event_decoder = msgspec.json.Decoder(DeliveryEvent)


def encode(message: DeliveryJob | DeliveryEvent) -> bytes:
    """The message as UTF-8 JSON."""
    return _encoder.encode(message)


def decode_job(body: bytes) -> DeliveryJob:
    """Raises UnreadableMessage."""
    return _versioned(_job_decoder, body, JOB_VERSION)


def decode_event(body: bytes) -> DeliveryEvent:
    """Raises UnreadableMessage."""
    return _versioned(_event_decoder, body, EVENT_VERSION)


def _versioned(decoder: msgspec.json.Decoder[_Message], body: bytes, newest: int) -> _Message:
    try:
        message = decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnreadableMessage(str(error)) from error
    if message.version > newest:
        raise UnreadableMessage(f"version {message.version} is newer than {newest}")
    return message
