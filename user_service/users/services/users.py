"""Users: created, changed, erased."""

import msgspec
from django.contrib.auth.hashers import make_password
from django.db import transaction
from msgspec import UNSET

from carillon.contracts import ids
from carillon.web.errors import ValidationFailed
from carillon.web.revisions import next_revision
from carillon.web.tenants.services import require_organization
from user_service.erasure.services import remember_erasure
from user_service.erasure.teller import teller
from user_service.locks import hold_names
from user_service.suppressions.services.erasure import forget_addresses
from user_service.users import cache
from user_service.users.bodies import UserBody
from user_service.users.history import Said, Source
from user_service.users.models import User
from user_service.users.records import places_of
from user_service.users.rules import check_new_user, check_user
from user_service.users.selectors import UserNotFound
from user_service.users.services.applying import apply_body
from user_service.users.services.changes import (
    CHANGES,
    UserExists,
    address_name,
    announce,
    changing_users,
    lock_user,
    lock_user_and_owner,
    lock_users,
    owning,
    publish,
    renumber,
    token_name,
)
from user_service.users.services.devices import replace_push_token
from user_service.users.services.former_addresses import digests_of, remember_places
from user_service.users.services.history import remember


def create_user(organization_id: str, body: UserBody, *, source: Source = Source.API) -> User:
    """The new user, its devices prefetched.

    Raises MissingFields, ValidationFailed, OrganizationNotFound or UserExists.
    """
    body = check_new_user(body)
    user = User(organization=require_organization(organization_id))
    nothing_said = Said.by(user)
    apply_body(user, body, password_hash=_hashed(body))
    token = body.push_token or None
    with changing_users():
        hold_names(organization_id, names_to_hold(body))
        former_owners = (
            lock_users(organization_id, owning(organization_id, [token])) if token else []
        )
        user.save(force_insert=True)
        # The insert may have waited for a transaction that released this user's names: the
        # revision that it drew before may be below the other one's.
        renumber([user])
        if token is not None:
            replace_push_token(user, token)
        for owner in former_owners:
            publish(owner, "device_moved")
        remember(nothing_said, user, source)
        announce([user], "created")
        return user


def update_user(
    organization_id: str, identifier: str, body: UserBody, *, source: Source = Source.API
) -> User:
    """The user after the change, its devices prefetched.

    Raises MissingFields, ValidationFailed, UserNotFound or UserExists.
    """
    body = check_user(body)
    password_hash = _hashed(body)
    token = body.push_token or None
    with changing_users():
        hold_names(organization_id, names_to_hold(body))
        user, former_owners = lock_user_and_owner(organization_id, identifier, token=token)
        said, former_name = Said.by(user), user.external_id
        places = set(places_of(user))
        apply_body(user, body, password_hash=password_hash)
        if body.push_token is not UNSET:
            replace_push_token(user, body.push_token)
        for owner in former_owners:
            publish(owner, "device_moved")
        remember(said, user, source)
        remember_places([(user, places - set(places_of(user)))])
        lost = (former_name,) if former_name and former_name != user.external_id else ()
        return publish(user, "updated", former_names=lost)


def put_user(
    organization_id: str, external_id: str, body: UserBody, *, source: Source = Source.API
) -> tuple[User, bool]:
    """Change the user of this external id, or create it; true where it is new.

    By one of our own ids it only changes. Raises as `create_user` and `update_user` do.
    """
    named = _with_external_id(body, external_id)
    try:
        return update_user(organization_id, external_id, named, source=source), False
    except UserNotFound:
        if named.external_id is UNSET:
            raise
    try:
        return create_user(organization_id, named, source=source), True
    except UserExists as error:
        if error.field != "external_id":
            raise
        # Somebody else created it meanwhile.
        return update_user(organization_id, external_id, named, source=source), False


def delete_user(organization_id: str, identifier: str) -> str:
    """Erase the user and the devices; gives the id. Raises UserNotFound.

    A suppressed address stays suppressed and is cleared: only its digest is kept. The gateway is
    told, now or as soon as it can be reached.
    """
    with changing_users():
        user = lock_user(organization_id, identifier)
        user_id = user.id
        names = [user_id, user.external_id] if user.external_id else [user_id]
        revision = next_revision()
        digests = digests_of(user)
        user.delete()
        forget_addresses(organization_id, digests)
        remember_erasure(organization_id, user_id)

        def tell() -> None:
            CHANGES.labels("deleted").inc()
            cache.forget(organization_id, names, revision)
            teller.wake()

        transaction.on_commit(tell)
    return user_id


def names_to_hold(body: UserBody) -> list[str]:
    """What `body` lays claim to: addresses that may be being suppressed, a token that may move."""
    names = [address_name(address) for address in (body.email, body.phone_number) if address]
    return [*names, token_name(body.push_token)] if body.push_token else names


def _hashed(body: UserBody) -> str:
    """Before any lock is taken: hashing takes a fifth of a second on purpose."""
    return make_password(body.password) if body.password else ""


def _with_external_id(body: UserBody, external_id: str) -> UserBody:
    if ids.parse_id(ids.USER, external_id):
        return body
    if body.external_id is not UNSET and body.external_id != external_id:
        raise ValidationFailed(details={"external_id": ["The path has another one."]})
    return msgspec.structs.replace(body, external_id=external_id)
