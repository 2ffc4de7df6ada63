"""Users as the gateway needs them: what they said themselves, not what was decided for all."""

from collections.abc import Iterator, Sequence

from carillon.contracts.channels import CHANNELS, AddressKind
from carillon.contracts.records import DeviceRecord, UserRecord
from user_service.suppressions.selectors import Place, reasons_of
from user_service.users.models import User


def records_of(organization_id: str, users: Sequence[User]) -> list[UserRecord]:
    """In one query; the organization's `users` come with their devices prefetched."""
    reasons = reasons_of(organization_id, {place for user in users for place in places_of(user)})
    return [
        _record(
            user,
            {place[0]: reasons[place] for place in places_of(user) if place in reasons},
        )
        for user in users
    ]


def places_of(user: User) -> Iterator[Place]:
    """Each channel on which the user has an address, and the address."""
    addresses = {AddressKind.EMAIL: user.email, AddressKind.PHONE: user.phone_number}
    for channel in CHANNELS.values():
        address = addresses.get(channel.address)
        if address:
            yield channel.name, address


def _record(user: User, suppressed: dict[str, str]) -> UserRecord:
    return UserRecord(
        user_id=user.id,
        revision=user.revision,
        external_id=user.external_id,
        email=user.email,
        name=user.name,
        phone_number=user.phone_number,
        language=user.language,
        timezone=user.timezone,
        attributes=user.attributes,
        devices=tuple(
            DeviceRecord(device_id=device.id, platform=device.platform, token=device.token)
            for device in user.devices.all()
            if not device.disabled_at
        ),
        preferences=dict(user.preferences),
        categories=dict(user.categories),
        quiet_hours=dict(user.quiet_hours),
        suppressed=suppressed,
    )
