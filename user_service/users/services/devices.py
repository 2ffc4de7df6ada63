"""Devices: registered, moved to their newest owner, disabled, deleted."""

from django.utils import timezone

from user_service.locks import hold_names
from user_service.users.bodies import DeviceBody
from user_service.users.models import Device, User
from user_service.users.rules import check_device
from user_service.users.selectors import (
    DeviceNotFound,
    UserNotFound,
    find_any_device,
    find_device,
)
from user_service.users.services.changes import (
    changing_users,
    digest_of,
    lock_user,
    lock_user_and_owner,
    publish,
    token_name,
)
from user_service.users.tokens import Platform

# Tokens die without a word. Whoever has more than this has old ones: the oldest go.
DEVICES_MOST = 20


def register_device(organization_id: str, identifier: str, body: DeviceBody) -> tuple[Device, bool]:
    """The user's device with this token, and whether it is new to the user.

    Another user of the organization who had it loses it. Repeating it only renews
    `registered_at`. Raises UserNotFound or ValidationFailed.
    """
    body = check_device(body)
    with changing_users():
        hold_names(organization_id, [token_name(body.token)])
        user, former_owners = lock_user_and_owner(organization_id, identifier, token=body.token)
        device, is_new = give_device(user, body.platform, body.token)
        for owner in former_owners:
            publish(owner, "device_moved")
        publish(user, "device_registered")
    return device, is_new


def delete_device(organization_id: str, identifier: str, device_id: str) -> None:
    """Raises UserNotFound or DeviceNotFound."""
    with changing_users():
        user = lock_user(organization_id, identifier)
        find_device(user, device_id).delete()
        publish(user, "device_deleted")


def disable_device(organization_id: str, device_id: str) -> Device:
    """Nothing is pushed to it until it is registered again. Raises DeviceNotFound."""
    with changing_users():
        owner = find_any_device(organization_id, device_id).user_id
        try:
            user = lock_user(organization_id, owner)
        except UserNotFound:
            # Erased meanwhile, with the device.
            raise DeviceNotFound from None
        # Again under the lock: it may have moved or gone meanwhile.
        device = find_device(user, device_id)
        if device.disabled_at is None:
            device.disabled_at = timezone.now()
            device.save()
            publish(user, "device_disabled")
    return device


def give_device(user: User, platform: Platform, token: str) -> tuple[Device, bool]:
    """Make the token the user's newest; the caller holds the token and locked both users."""
    digest = digest_of(token)
    device = Device.objects.filter(
        organization_id=user.organization_id, token_digest=digest
    ).first()
    if device is None:
        device = Device(
            organization_id=user.organization_id, user=user, token=token, token_digest=digest
        )
        is_new = True
    else:
        is_new = device.user_id != user.id
    device.user = user
    device.platform = platform
    device.registered_at = timezone.now()
    device.disabled_at = None
    device.save()
    kept = Device.objects.filter(user=user).values("id")[:DEVICES_MOST]
    Device.objects.filter(user=user).exclude(id__in=kept).delete()
    return device, is_new


def replace_push_token(user: User, token: str | None) -> None:
    """Reference 003's `push_token`: the newest fcm device, replaced by this one or by none."""
    of_user = Device.objects.filter(user=user, platform=Platform.FCM)
    shown = of_user.filter(disabled_at=None).first()
    if shown is not None and shown.token != token:
        shown.delete()
    if token is not None:
        give_device(user, Platform.FCM, token)
