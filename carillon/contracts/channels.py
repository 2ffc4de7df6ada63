"""The table of channels: topology, validation, workers and docs derive from it.

A new channel is one entry here, and providers in the worker that serves it.
"""

from dataclasses import dataclass
from enum import StrEnum


class AddressKind(StrEnum):
    """What a recipient's address on a channel is."""

    EMAIL = "email"
    PHONE = "phone"
    DEVICE = "device"


class ContentKind(StrEnum):
    """The shape of a channel's content; `carillon.contracts.messages` holds the types."""

    EMAIL = "email"
    TEXT = "text"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach a person."""

    name: str
    address: AddressKind
    content: ContentKind
    worker: str
    default_providers: tuple[str, ...]


CHANNELS: dict[str, Channel] = {
    channel.name: channel
    for channel in (
        Channel("email", AddressKind.EMAIL, ContentKind.EMAIL, "email_worker", ("smtp",)),
        Channel("sms", AddressKind.PHONE, ContentKind.TEXT, "sms_worker", ("console",)),
        Channel("whatsapp", AddressKind.PHONE, ContentKind.TEXT, "sms_worker", ("console",)),
        Channel("push", AddressKind.DEVICE, ContentKind.PUSH, "push_worker", ("console",)),
    )
}


def channels_of(worker: str) -> tuple[Channel, ...]:
    """The channels that `worker` ("email_worker", …) serves, in the table's order."""
    return tuple(channel for channel in CHANNELS.values() if channel.worker == worker)
