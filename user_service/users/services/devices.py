"""Devices: registered, moved to their newest owner, disabled, deleted."""

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Q
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


def move_push_tokens(organization_id: str, wanted: Sequence[tuple[User, str | None]]) -> set[str]:
    """`replace_push_token` for many locked users in order; gives the ids of who lost one.

    The caller holds the tokens and locked their owners.
    """
    if not wanted:
        return set()
    shelf = _Shelf(organization_id, wanted)
    for user, token in wanted:
        shelf.replace(user, token)
    shelf.save()
    return shelf.robbed


class _Shelf:
    """The devices of some users and tokens, moved in memory and saved together."""

    def __init__(self, organization_id: str, wanted: Sequence[tuple[User, str | None]]) -> None:
        self._organization_id = organization_id
        digests = [digest_of(token) for _user, token in wanted if token]
        found = Device.objects.filter(organization_id=organization_id).filter(
            Q(user__in={user.id for user, _token in wanted}) | Q(token_digest__in=digests)
        )
        self._by_digest: dict[bytes, Device] = {}
        # Of each user by digest, the oldest registration first.
        self._of: defaultdict[str, dict[bytes, Device]] = defaultdict(dict)
        for device in reversed(list(found)):
            self._put(device)
        self._touched: dict[bytes, Device] = {}
        self._gone: set[str] = set()
        self.robbed: set[str] = set()

    def replace(self, user: User, token: str | None) -> None:
        """Reference 003's `push_token` for one of the users."""
        digest = digest_of(token) if token else b""
        shown = self._shown(user)
        if shown is not None and bytes(shown.token_digest) != digest:
            self._drop(shown)
        if token is None:
            return
        device = self._by_digest.get(digest)
        if device is None:
            device = Device(organization_id=self._organization_id, token=token, token_digest=digest)
        else:
            del self._of[device.user_id][digest]
            self.robbed |= {device.user_id} - {user.id}
        device.user = user
        device.platform = Platform.FCM
        device.registered_at = timezone.now()
        device.disabled_at = None
        self._put(device)
        self._touched[digest] = device
        for old in list(self._of[user.id].values())[:-DEVICES_MOST]:
            self._drop(old)

    def save(self) -> None:
        """In two queries."""
        Device.objects.filter(id__in=self._gone).delete()
        Device.objects.bulk_create(
            self._touched.values(),
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["user", "platform", "registered_at", "disabled_at"],
        )

    def _shown(self, user: User) -> Device | None:
        working = (
            device
            for device in reversed(self._of[user.id].values())
            if device.platform == Platform.FCM and not device.disabled_at
        )
        return next(working, None)

    def _put(self, device: Device) -> None:
        digest = bytes(device.token_digest)
        self._by_digest[digest] = self._of[device.user_id][digest] = device

    def _drop(self, device: Device) -> None:
        digest = bytes(device.token_digest)
        del self._by_digest[digest]
        del self._of[device.user_id][digest]
        self._touched.pop(digest, None)
        self._gone.add(device.id)
