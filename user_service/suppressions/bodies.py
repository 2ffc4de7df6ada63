"""Request bodies, and what they must be beyond their types."""

from typing import Annotated

import msgspec
from msgspec import Meta

from carillon.contracts.channels import CHANNELS, AddressKind
from carillon.contracts.suppressions import SuppressionReason
from carillon.web.addresses import InvalidAddress, normalize_email, normalize_phone_number
from carillon.web.errors import ValidationFailed
from user_service.suppressions.models import NOTE_LENGTH, SOURCE_LENGTH
from user_service.suppressions.selectors import CHANNEL_NAMES

CHECKED_MOST = 1_000


class SuppressionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An address to which nothing more is to be sent on a channel."""

    channel: Annotated[str, Meta(max_length=20, description=f"One of {', '.join(CHANNEL_NAMES)}.")]
    address: Annotated[str, Meta(max_length=320, description="An email address or E.164 number.")]
    reason: SuppressionReason = SuppressionReason.MANUAL
    note: Annotated[str, Meta(max_length=NOTE_LENGTH)] = ""


class ReportedSuppressionBody(
    SuppressionBody, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """The same, as another of our services learned it."""

    source: Annotated[str, Meta(min_length=1, max_length=SOURCE_LENGTH)]


class AddressesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Addresses to ask about."""

    channel: Annotated[str, Meta(max_length=20)]
    addresses: Annotated[
        list[Annotated[str, Meta(max_length=320)]], Meta(min_length=1, max_length=CHECKED_MOST)
    ]


def check_suppression(body: SuppressionBody) -> SuppressionBody:
    """`body` with its address in the stored form. Raises ValidationFailed."""
    check_channel(body.channel)
    try:
        address = normalize(body.channel, body.address)
    except InvalidAddress as error:
        raise ValidationFailed(details={"address": [str(error)]}) from None
    return msgspec.structs.replace(body, address=address)


def check_channel(channel: str) -> None:
    """Raises ValidationFailed."""
    if channel not in CHANNEL_NAMES:
        raise ValidationFailed(
            details={"channel": [f"Expected one of {', '.join(CHANNEL_NAMES)}."]}
        )


def normalize(channel: str, address: str) -> str:
    """The address as it is stored and sent to. Raises InvalidAddress."""
    if CHANNELS[channel].address is AddressKind.EMAIL:
        return normalize_email(address).lower()
    return normalize_phone_number(address)
