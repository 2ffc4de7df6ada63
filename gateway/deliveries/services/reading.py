"""Reading delivery events: what cannot be stored is refused here, with one event, not a batch."""

from datetime import datetime
from uuid import UUID

import msgspec

from carillon.contracts import ids
from carillon.contracts.messages import DeliveryEvent, DeviceResult, UnreadableMessage, decode_event

MAX_ATTEMPT = 2**15 - 1
# The columns' widths; the texts are the provider's, so they are cut, not refused.
DEVICE_ID_CHARACTERS = 64
PROVIDER_CHARACTERS = 32
PROVIDER_MESSAGE_ID_CHARACTERS = 255
ERROR_CODE_CHARACTERS = 64
ERROR_MESSAGE_CHARACTERS = 2_000


class ReadEvent(msgspec.Struct, frozen=True):
    """An event that can be applied, with its notification's id as the database knows it."""

    notification: UUID
    event: DeliveryEvent


def read_event(body: bytes) -> ReadEvent:
    """Raises UnreadableMessage."""
    event = decode_event(body)
    notification = ids.parse_id(ids.NOTIFICATION, event.notification_id)
    if notification is None:
        raise UnreadableMessage("notification_id is not an id of a notification")
    if not 1 <= event.attempt <= MAX_ATTEMPT:
        raise UnreadableMessage(f"attempt {event.attempt} is not within 1..{MAX_ATTEMPT}")
    if not _aware(event.occurred_at) or not _aware(event.started_at):
        raise UnreadableMessage("a time has no offset")
    return ReadEvent(notification, _storable(event))


def _aware(moment: datetime) -> bool:
    return moment.tzinfo is not None


def _storable(event: DeliveryEvent) -> DeliveryEvent:
    """PostgreSQL knows no NUL, and every column has its width."""
    provider = _text(event.provider, PROVIDER_CHARACTERS)
    provider_message_id = _text(event.provider_message_id, PROVIDER_MESSAGE_ID_CHARACTERS)
    code = _text(event.error_code, ERROR_CODE_CHARACTERS)
    message = _text(event.error_message, ERROR_MESSAGE_CHARACTERS)
    devices = tuple(map(_storable_device, event.devices))
    if (
        provider is event.provider
        and provider_message_id is event.provider_message_id
        and code is event.error_code
        and message is event.error_message
        and devices == event.devices
    ):
        return event
    return msgspec.structs.replace(
        event,
        provider=provider,
        provider_message_id=provider_message_id,
        error_code=code,
        error_message=message,
        devices=devices,
    )


def _storable_device(device: DeviceResult) -> DeviceResult:
    return msgspec.structs.replace(
        device,
        device_id=_text(device.device_id, DEVICE_ID_CHARACTERS),
        platform=_text(device.platform, PROVIDER_CHARACTERS),
        provider=_text(device.provider, PROVIDER_CHARACTERS),
        provider_message_id=_text(device.provider_message_id, PROVIDER_MESSAGE_ID_CHARACTERS),
        error_code=_text(device.error_code, ERROR_CODE_CHARACTERS),
        error_message=_text(device.error_message, ERROR_MESSAGE_CHARACTERS),
    )


def _text(text: str, most: int) -> str:
    """The same object where there is nothing to change: the usual case costs no copy."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if len(text) <= most else text[: most - 1] + "…"
