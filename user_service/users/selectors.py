"""Reads. Users come with their devices, in a fixed number of queries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from carillon.contracts import ids
from carillon.web.errors import NotFound
from user_service.users.models import Device, PreferenceChange, User
from user_service.users.rules import is_identifier


class UserNotFound(NotFound):
    """No such user in this organization."""

    code = "user_not_found"
    message = "This organization has no such user."


class DeviceNotFound(NotFound):
    """The user has no such device."""

    code = "device_not_found"
    message = "This user has no such device."


@dataclass(frozen=True, slots=True)
class Found:
    """The users that some identifiers name, and the identifiers that name none."""

    users: list[User]
    not_found: list[str]


def find_user(organization_id: str, identifier: str) -> User:
    """By id or external id. Raises UserNotFound."""
    user = users_of(organization_id).filter(named(identifier)).first()
    if user is None:
        raise UserNotFound
    return user


def find_users(organization_id: str, identifiers: Sequence[str]) -> Found:
    """By ids and external ids, in two queries; in the order asked for, each user once."""
    user_ids = [text for text in identifiers if ids.parse_id(ids.USER, text)]
    external_ids = [text for text in identifiers if is_identifier(text)]
    matching = users_of(organization_id).filter(
        # The index on external ids has no empty ones. PostgreSQL must be told of that: it does
        # not look through a list as long as this may be.
        Q(id__in=user_ids) | (Q(external_id__in=external_ids) & ~Q(external_id=""))
    )
    by_name = {name: user for user in matching for name in (user.id, user.external_id) if name}
    found = {user.id: user for name in identifiers if (user := by_name.get(name))}
    missing = [name for name in dict.fromkeys(identifiers) if name not in by_name]
    return Found(users=list(found.values()), not_found=missing)


def users_of(organization_id: str) -> QuerySet[User]:
    """All of an organization's users, the newest first."""
    return User.objects.filter(organization_id=organization_id).prefetch_related("devices")


def search_users(organization_id: str, text: str) -> QuerySet[User]:
    """Users with `text` in their name, email, phone number or external id, in any case.

    A whole user id finds that user. Empty text finds all.
    """
    users = users_of(organization_id)
    if not text:
        return users
    if ids.parse_id(ids.USER, text):
        return users.filter(id=text)
    return users.filter(
        Q(name__icontains=text)
        | Q(email__icontains=text)
        | Q(external_id__icontains=text)
        | Q(phone_number__contains=text)
    )


def named(identifier: str) -> Q:
    """What `identifier` names: an id, else an external id. Raises UserNotFound for nonsense."""
    if ids.parse_id(ids.USER, identifier):
        return Q(id=identifier)
    if not is_identifier(identifier):
        raise UserNotFound
    return Q(external_id=identifier)


def users_having(organization_id: str, addresses: Collection[str]) -> QuerySet[User]:
    """Who has one of these as email, in any case, or as phone number."""
    users = User.objects.filter(organization_id=organization_id).annotate(lower=Lower("email"))
    # Told that none is empty, PostgreSQL can use the indexes, which hold no empty ones.
    emails = Q(lower__in=[address.lower() for address in addresses]) & ~Q(email="")
    numbers = Q(phone_number__in=addresses) & ~Q(phone_number="")
    return users.filter(emails | numbers)


def preference_changes(user: User) -> QuerySet[PreferenceChange]:
    """The newest first."""
    return PreferenceChange.objects.filter(user=user)


def find_any_device(organization_id: str, device_id: str) -> Device:
    """Whosoever it is. Raises DeviceNotFound."""
    if ids.parse_id(ids.DEVICE, device_id) is None:
        raise DeviceNotFound
    device = Device.objects.filter(organization_id=organization_id, id=device_id).first()
    if device is None:
        raise DeviceNotFound
    return device


def find_device(user: User, device_id: str) -> Device:
    """One of the user's. Raises DeviceNotFound."""
    if ids.parse_id(ids.DEVICE, device_id) is None:
        raise DeviceNotFound
    device = Device.objects.filter(user=user, id=device_id).first()
    if device is None:
        raise DeviceNotFound
    return device
