"""What the API shows of a user."""

from datetime import datetime
from typing import Any

import msgspec

from carillon.contracts.records import PolicyRecord
from user_service.choices import Choices, Matrix, effective, effective_matrix
from user_service.users.models import Device, PreferenceChange, User
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
    """What a user receives: every channel, the categories that anybody decided on, the hours."""

    preferences: Choices
    categories: Matrix
    quiet_hours: Hours


class DeviceShape(msgspec.Struct, frozen=True, kw_only=True):
    """A device; `registered_at` is when the client last confirmed it.

    `disabled_at` is when its push service said that the token is dead.
    """

    device_id: str
    platform: Platform
    token: str
    created_at: datetime
    registered_at: datetime
    disabled_at: datetime | None


class DeletedUserShape(msgspec.Struct, frozen=True):
    """Who was erased."""

    user_id: str


class DeletedDeviceShape(msgspec.Struct, frozen=True):
    """Which device was deleted."""

    device_id: str


class ChangedField(msgspec.Struct, frozen=True, kw_only=True):
    """One choice; null is "not said"."""

    field: str
    before: Any
    after: Any


class PreferenceChangeShape(msgspec.Struct, frozen=True, kw_only=True):
    """A change of preferences, and where it came from."""

    at: datetime
    source: str
    correlation_id: str
    changes: list[ChangedField]


class BatchShape(msgspec.Struct, frozen=True, kw_only=True):
    """The users found, in the order asked for, and the ids that name none."""

    users: list[UserShape]
    not_found: list[str]


def show_user(user: User, policy: PolicyRecord) -> UserShape:
    """`user` comes with its devices prefetched; `policy` is its organization's."""
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
        preferences=effective(user.preferences, policy.preferences),
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


def push_token(user: User) -> str | None:
    """Reference 003's shorthand: the token of the newest fcm device that works."""
    working = (d for d in user.devices.all() if d.platform == Platform.FCM and not d.disabled_at)
    newest = next(working, None)
    return newest.token if newest else None


def show_preferences(user: User, policy: PolicyRecord) -> PreferencesShape:
    """What is in force: as the user said, else as the organization decided."""
    return PreferencesShape(
        preferences=effective(user.preferences, policy.preferences),
        categories=effective_matrix(
            user.categories, {code: c.preferences for code, c in policy.categories.items()}
        ),
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
        disabled_at=device.disabled_at,
    )


def show_change(change: PreferenceChange) -> PreferenceChangeShape:
    """As it was recorded."""
    return PreferenceChangeShape(
        at=change.at,
        source=change.source,
        correlation_id=change.correlation_id,
        changes=msgspec.convert(change.changes, list[ChangedField]),
    )
