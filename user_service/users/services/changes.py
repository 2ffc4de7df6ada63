"""What every change of a user shares: locks, the revision, the conflict, the cache."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, prefetch_related_objects
from prometheus_client import Counter

from carillon.web.errors import Conflict
from carillon.web.revisions import next_revision
from user_service.users import cache
from user_service.users.models import EMAIL_UNIQUE, EXTERNAL_ID_UNIQUE, Device, User
from user_service.users.selectors import UserNotFound, named

CHANGES = Counter(
    "carillon_user_changes_total",
    "Committed changes of users, by kind.",
    ["kind"],
)


class UserExists(Conflict):
    """Another user of the organization has this email or external id."""

    code = "user_exists"
    message = "Another user of this organization has this value."


_UNIQUE = {EMAIL_UNIQUE: "email", EXTERNAL_ID_UNIQUE: "external_id"}


@contextmanager
def changing_users() -> Iterator[None]:
    """One transaction. Raises UserExists where it would break a promise of uniqueness."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        field = _UNIQUE.get(_broken_constraint(error))
        if field is None:
            raise
        raise UserExists(details={field: [UserExists.message]}) from None


def _broken_constraint(error: IntegrityError) -> str:
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""


def digest_of(token: str) -> bytes:
    """By which a device token is found and unique."""
    return hashlib.sha256(token.encode()).digest()


def hold_token(organization_id: str, token: str) -> None:
    """Let no other transaction move this token until the end of ours.

    To be called before `lock_users`: every transaction takes its locks in the same order, so
    that none waits for another in a circle.
    """
    name = hashlib.sha256(f"{organization_id} {token}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(name[:8], "big", signed=True)]
        )


def lock_user(organization_id: str, identifier: str) -> User:
    """The user, its row locked until the transaction's end. Raises UserNotFound."""
    return lock_user_and_owner(organization_id, identifier, token=None)[0]


def lock_user_and_owner(
    organization_id: str, identifier: str, *, token: str | None
) -> tuple[User, list[User]]:
    """The user and the others (one or none) who have the device `token`; their rows locked.

    Raises UserNotFound where `identifier` names none.
    """
    wanted = named(identifier)
    if token is not None:
        wanted |= _owning(organization_id, token)
    users = _lock(organization_id, wanted)
    chosen = next((user for user in users if identifier in (user.id, user.external_id)), None)
    if chosen is None:
        raise UserNotFound
    return chosen, [user for user in users if user is not chosen]


def lock_owner(organization_id: str, token: str) -> list[User]:
    """The user who has the device `token`, if any; the row locked."""
    return _lock(organization_id, _owning(organization_id, token))


def _owning(organization_id: str, token: str) -> Q:
    devices = Device.objects.filter(organization_id=organization_id, token_digest=digest_of(token))
    return Q(id__in=devices.values("user_id"))


def _lock(organization_id: str, wanted: Q) -> list[User]:
    # In one order for everybody; NO KEY lets the rows' devices be inserted meanwhile.
    locked = User.objects.select_for_update(of=("self",), no_key=True)
    return list(locked.filter(wanted, organization_id=organization_id).order_by("id"))


def publish(user: User, kind: str, *, former_names: tuple[str, ...] = ()) -> User:
    """Number the change of a locked user and tell the cache once it is committed.

    Gives the user with its devices prefetched. `former_names` no longer name it.
    """
    user.revision = next_revision()
    user.save()
    prefetch_related_objects([user], "devices")

    def tell() -> None:
        CHANGES.labels(kind).inc()
        if former_names:
            cache.forget(user.organization_id, former_names, user.revision)
        cache.keep(user)

    transaction.on_commit(tell)
    return user
