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


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that goes with an email: its octets in `data`, or a `url` where the worker finds it.

    With a `content_id` it is an image for the HTML, which shows it as `cid:<content_id>`.
    """

    filename: str
    content_type: str = ""
    data: bytes = b""
    url: str = ""
    content_id: str = ""


class EmailContent(msgspec.Struct, frozen=True, tag_field="kind", tag="email", omit_defaults=True):
    """A rendered email; at least one of `body` (plain text) and `html` is not empty.

    `unsubscribe_url` takes the recipient off by one POST (RFC 8058); empty where nobody may leave.
    `reply_to` is an address; `headers` are those of the client, checked when they were accepted.
    """

    subject: str
    body: str = ""
    html: str = ""
    unsubscribe_url: str = ""
    reply_to: str = ""
    headers: dict[str, str] = {}
    attachments: tuple[Attachment, ...] = ()


class ProviderTemplate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message template that is registered and approved at the provider, and what fills it.

    `name` is the provider's name or id of it (Twilio: the ContentSid). `parameters` are the values
    of its body's variables, in order; `header` those of its header, `buttons` the ends of its
    dynamic URL buttons, by position from 0.
    """

    name: str
    language: str = ""
    namespace: str = ""
    parameters: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    buttons: dict[str, str] = {}


class TextContent(msgspec.Struct, frozen=True, tag_field="kind", tag="text", omit_defaults=True):
    """A rendered SMS or WhatsApp text.

    With a `template` (WhatsApp alone) the provider writes the text, and `body` may be empty.
    """

    body: str = ""
    template: ProviderTemplate | None = None


class PushUrgency(StrEnum):
    """Whether a device is woken for a push (high), or gets it when it is awake anyway."""

    HIGH = "high"
    NORMAL = "normal"


class PushContent(msgspec.Struct, frozen=True, tag_field="kind", tag="push", omit_defaults=True):
    """A rendered push notification.

    A later one with the same `collapse_key` takes the place of one that is still shown or waiting.
    `ttl` is for how many seconds the push service keeps trying a device that is away; without it,
    until the notification expires. Without `priority` the lane decides.
    """

    title: str
    body: str = ""
    image: str = ""
    data: dict[str, str] = {}
    action_url: str = ""
    badge: int | None = None
    collapse_key: str = ""
    ttl: int | None = None
    priority: PushUrgency | None = None


Content: TypeAlias = EmailContent | TextContent | PushContent


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where to deliver: an email address, an E.164 number or a device token.

    `platform` (fcm, apns, webpush) and `device_id` are set for devices alone.
    """

    value: str
    platform: str = ""
    device_id: str = ""


class Outcome(StrEnum):
    """What became of an attempt, in django-anymail's words."""

    SENT = "sent"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    FAILED = "failed"
    BOUNCED = "bounced"
    REJECTED = "rejected"
    EXPIRED = "expired"


ARRIVED = frozenset({Outcome.SENT, Outcome.DELIVERED})
"""The outcomes with which a provider took the message."""


class DeviceResult(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What became of one device of a notification in the attempt with this number.

    It names the device by its id, never by its token; `device_id` is empty for a token that a
    client sent along with the request.
    """

    device_id: str = ""
    platform: str = ""
    attempt: int
    outcome: Outcome
    provider: str = ""
    provider_message_id: str = ""
    reason: Reason | None = None
    error_code: str = ""
    error_message: str = ""
    possible_duplicate: bool = False


class DeliveryJob(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One attempt to deliver one notification. A worker needs nothing beyond it.

    `avoid` names the providers that took it and sent no receipt: another is to send it, if there
    is one. `addresses` are those that this attempt is for; `settled` tells of the devices that
    earlier attempts were done with, whether they took it or never will.
    """

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
    settled: tuple[DeviceResult, ...] = ()
    recipient_name: str = ""
    user_id: str = ""
    content: Content
    accepted_at: datetime
    queued_at: datetime
    expires_at: datetime | None = None
    traceparent: str = ""
    avoid: tuple[str, ...] = ()

    @property
    def message_id(self) -> str:
        """AMQP `message_id`, and the dedupe key: one per attempt."""
        return f"{self.notification_id}:{self.attempt}"


class DeliveryEvent(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The outcome of an attempt; `deferred` asks for another after `retry_after` seconds.

    `devices` tells of every device that this attempt or an earlier one has tried: the last word on
    each. Those that are `deferred` are all that another attempt is for.
    """

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
    devices: tuple[DeviceResult, ...] = ()
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
