"""Users: created, changed, erased."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.contrib.auth.hashers import make_password
from django.db import transaction
from msgspec import UNSET

from carillon.web.errors import ValidationFailed
from carillon.web.revisions import next_revision
from carillon.web.tenants.services import require_organization
from user_service.users import cache
from user_service.users.bodies import UserBody
from user_service.users.models import User
from user_service.users.preferences import merge_choices, merge_object
from user_service.users.rules import Unacceptable, check_attributes, check_new_user, check_user
from user_service.users.services.changes import (
    CHANGES,
    changing_users,
    hold_token,
    lock_owner,
    lock_user,
    lock_user_and_owner,
    publish,
)
from user_service.users.services.devices import replace_push_token

_COLUMNS = ("external_id", "email", "name", "phone_number", "language", "timezone")


def create_user(organization_id: str, body: UserBody) -> User:
    """The new user, its devices prefetched.

    Raises MissingFields, ValidationFailed, OrganizationNotFound or UserExists.
    """
    body = check_new_user(body)
    user = User(organization=require_organization(organization_id))
    _apply(user, body, password_hash=_hashed(body))
    token = body.push_token or None
    with changing_users():
        former_owners = []
        if token is not None:
            hold_token(organization_id, token)
            former_owners = lock_owner(organization_id, token)
        # The insert may wait for a transaction that is about to release this user's names.
        # `publish` takes the revision after that, so it is above the other one's.
        user.save(force_insert=True)
        if token is not None:
            replace_push_token(user, token)
        for owner in former_owners:
            publish(owner, "device_moved")
        return publish(user, "created")


def update_user(organization_id: str, identifier: str, body: UserBody) -> User:
    """The user after the change, its devices prefetched.

    Raises MissingFields, ValidationFailed, UserNotFound or UserExists.
    """
    body = check_user(body)
    password_hash = _hashed(body)
    token = body.push_token or None
    with changing_users():
        if token is not None:
            hold_token(organization_id, token)
        user, former_owners = lock_user_and_owner(organization_id, identifier, token=token)
        former_name = user.external_id
        _apply(user, body, password_hash=password_hash)
        if body.push_token is not UNSET:
            replace_push_token(user, body.push_token)
        for owner in former_owners:
            publish(owner, "device_moved")
        lost = (former_name,) if former_name and former_name != user.external_id else ()
        return publish(user, "updated", former_names=lost)


def delete_user(organization_id: str, identifier: str) -> str:
    """Erase the user and the devices; gives the id. Raises UserNotFound."""
    with changing_users():
        user = lock_user(organization_id, identifier)
        user_id = user.id
        names = [user_id, user.external_id] if user.external_id else [user_id]
        revision = next_revision()
        user.delete()

        def tell() -> None:
            CHANGES.labels("deleted").inc()
            cache.forget(organization_id, names, revision)

        transaction.on_commit(tell)
    return user_id


def _hashed(body: UserBody) -> str:
    """Before any lock is taken: hashing takes a fifth of a second on purpose."""
    return make_password(body.password) if body.password else ""


def _apply(user: User, body: UserBody, *, password_hash: str) -> None:
    for column in _COLUMNS:
        value = getattr(body, column)
        if value is not UNSET:
            setattr(user, column, value or "")
    if body.password is not UNSET:
        user.password = password_hash
    if body.attributes is not UNSET:
        user.attributes = _merged_attributes(user.attributes, body.attributes)
    if body.preferences is not UNSET:
        user.preferences = merge_choices(user.preferences, msgspec.to_builtins(body.preferences))


def _merged_attributes(said: Mapping[str, Any], change: Mapping[str, Any] | None) -> dict[str, Any]:
    if change is None:
        return {}
    merged = merge_object(said, change)
    try:
        check_attributes(merged)
    except Unacceptable as error:
        raise ValidationFailed(details={"attributes": [str(error)]}) from None
    return merged
