"""What the API shows of a user."""

from datetime import datetime
from typing import Any

import msgspec

from carillon.contracts.records import DeviceRecord, UserRecord
from user_service.users.models import Device, User
from user_service.users.preferences import Choices, Matrix, effective
from user_service.users.quiet_hours import Hours
from user_service.users.tokens import Platform


class UserShape(msgspec.Struct, frozen=True, kw_only=True):
    """A user, without the password; null is "not known"."""

    user_id: str
    external_id: str | None
    email: str | None
    name: str
    phone_number: str | None
    push_token: str | None
    language: str | None
    timezone: str | None
    attributes: dict[str, Any]
    preferences: Choices
    created_at: datetime
    updated_at: datetime


class PreferencesShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a user wants to receive: every channel, and what was said of categories and hours."""

    preferences: Choices
    categories: Matrix
    quiet_hours: Hours


class DeviceShape(msgspec.Struct, frozen=True, kw_only=True):
    """A device; `registered_at` is when the client last confirmed it."""

    device_id: str
    platform: Platform
    token: str
    created_at: datetime
    registered_at: datetime


class DeletedUserShape(msgspec.Struct, frozen=True):
    """Who was erased."""

    user_id: str


class DeletedDeviceShape(msgspec.Struct, frozen=True):
    """Which device was deleted."""

    device_id: str


class BatchShape(msgspec.Struct, frozen=True, kw_only=True):
    """The users found, in the order asked for, and the ids that name none."""

    users: list[UserShape]
    not_found: list[str]


def show_user(user: User) -> UserShape:
    """`user` comes with its devices prefetched."""
    return UserShape(
        user_id=user.id,
        external_id=user.external_id or None,
        email=user.email or None,
        name=user.name,
        phone_number=user.phone_number or None,
        push_token=push_token(user),
        language=user.language or None,
        timezone=user.timezone or None,
        attributes=user.attributes,
        preferences=effective(user.preferences),
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


def push_token(user: User) -> str | None:
    """Reference 003's shorthand: the token of the newest fcm device."""
    newest = next((d for d in user.devices.all() if d.platform == Platform.FCM), None)
    return newest.token if newest else None


def show_preferences(user: User) -> PreferencesShape:
    """What is in force, channel by channel."""
    return PreferencesShape(
        preferences=effective(user.preferences),
        categories=user.categories,
        quiet_hours=user.quiet_hours,
    )


def show_device(device: Device) -> DeviceShape:
    """With its token: the caller is who registered it."""
    return DeviceShape(
        device_id=device.id,
        platform=Platform(device.platform),
        token=device.token,
        created_at=device.created_at,
        registered_at=device.registered_at,
    )


def user_record(user: User) -> UserRecord:
    """The user as the gateway needs it; `user` comes with its devices prefetched."""
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
            DeviceRecord(device_id=d.id, platform=d.platform, token=d.token)
            for d in user.devices.all()
        ),
        preferences=effective(user.preferences),
        categories=user.categories,
        quiet_hours=dict(user.quiet_hours),
    )
