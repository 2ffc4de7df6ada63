"""Who receives a notification, and where."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from carillon.contracts.channels import CHANNELS, AddressKind
from carillon.contracts.messages import Address
from carillon.contracts.records import UserRecord
from carillon.web.addresses import InvalidAddress, normalize_email, normalize_phone_number
from carillon.web.errors import ValidationFailed
from gateway.notifications.bodies import TOKEN_LENGTH, DeviceTarget
from gateway.notifications.errors import NoAddress
from gateway.notifications.quiet_hours import Hours

# GOV.UK Notify's simulator numbers, in the form in which it documents them.
_SIMULATOR_NUMBERS = {"07700900002": "+447700900002", "07700900003": "+447700900003"}


class Recipient(msgspec.Struct, frozen=True):
    """A person or an address, on one channel."""

    channel: str
    addresses: tuple[Address, ...]
    user_id: str = ""
    name: str = ""
    language: str = ""
    timezone: str = ""
    # What templates find below `user.`.
    variables: dict[str, Any] = {}
    # What the user said of channels, of categories by channel, and of the hours of the week.
    choices: Mapping[str, bool] = {}
    category_choices: Mapping[str, Mapping[str, bool]] = {}
    quiet_hours: Hours = {}
    # A bounce or a complaint came back from the user's address, or the client said so.
    is_suppressed: bool = False

    @property
    def limit_key(self) -> str:
        """What the recipient's rate limit is counted by: the user, else the address."""
        return self.user_id or self.addresses[0].value

    @property
    def is_suppressible(self) -> bool:
        """Devices are disabled instead."""
        return CHANNELS[self.channel].address is not AddressKind.DEVICE


def direct_recipient(channel: str, to: str | DeviceTarget) -> Recipient:
    """The recipient that `to` names. Raises ValidationFailed."""
    kind = CHANNELS[channel].address
    if kind is AddressKind.DEVICE:
        target = DeviceTarget(token=to) if isinstance(to, str) else to
        return Recipient(channel, (_device(target),))
    if not isinstance(to, str):
        raise _wrong("Expected a string.")
    normalize = normalize_email if kind is AddressKind.EMAIL else _number
    try:
        return Recipient(channel, (Address(normalize(to)),))
    except InvalidAddress as error:
        raise _wrong(str(error)) from None


def user_recipient(channel: str, user: UserRecord) -> Recipient:
    """The user on `channel`. Raises NoAddress."""
    return Recipient(
        channel=channel,
        addresses=_ADDRESSES[CHANNELS[channel].address](user),
        user_id=user.user_id,
        name=user.name,
        language=user.language,
        timezone=user.timezone,
        variables={**user.attributes, "user_id": user.user_id, "name": user.name},
        choices=user.preferences,
        category_choices=user.categories,
        quiet_hours=user.quiet_hours,
        is_suppressed=channel in user.suppressed,
    )


def _number(text: str) -> str:
    return normalize_phone_number(_SIMULATOR_NUMBERS.get(text, text))


def _device(target: DeviceTarget) -> Address:
    token = target.token
    if not 1 <= len(token) <= TOKEN_LENGTH or not token.isascii() or not token.isprintable():
        raise _wrong(f"Expected a device token of up to {TOKEN_LENGTH} printable characters.")
    return Address(token, platform=target.platform)


def _wrong(problem: str) -> ValidationFailed:
    return ValidationFailed(details={"to": [problem]})


def _email_of(user: UserRecord) -> tuple[Address, ...]:
    if not user.email:
        raise NoAddress("email address")
    return (Address(user.email),)


def _number_of(user: UserRecord) -> tuple[Address, ...]:
    if not user.phone_number:
        raise NoAddress("phone number")
    return (Address(user.phone_number),)


def _devices_of(user: UserRecord) -> tuple[Address, ...]:
    if not user.devices:
        raise NoAddress("device to push to")
    return tuple(Address(d.token, d.platform, d.device_id) for d in user.devices)


_ADDRESSES: dict[AddressKind, Callable[[UserRecord], tuple[Address, ...]]] = {
    AddressKind.EMAIL: _email_of,
    AddressKind.PHONE: _number_of,
    AddressKind.DEVICE: _devices_of,
}
