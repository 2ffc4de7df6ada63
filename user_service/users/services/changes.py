"""What every change of a user shares: locks, the revision, the conflict, the cache."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.db.models import Q, prefetch_related_objects
from prometheus_client import Counter

from carillon.contracts.records import UserRecord
from carillon.web.errors import Conflict
from carillon.web.revisions import NextRevision, next_revision
from user_service.users import cache
from user_service.users.models import EMAIL_UNIQUE, EXTERNAL_ID_UNIQUE, Device, User
from user_service.users.records import records_of
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

    def __init__(self, field: str) -> None:
        super().__init__(details={field: [self.message]})
        self.field = field


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
        raise UserExists(field) from None


def _broken_constraint(error: IntegrityError) -> str:
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""


def digest_of(token: str) -> bytes:
    """By which a device token is found and unique."""
    return hashlib.sha256(token.encode()).digest()


def token_name(token: str) -> str:
    """What to hold (`user_service.locks`) before a device token moves."""
    return f"token {token}"


def address_name(address: str) -> str:
    """What to hold before a user gets an address, or before it is suppressed."""
    return f"address {address.lower()}"


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
        wanted |= owning(organization_id, [token])
    users = lock_users(organization_id, wanted)
    chosen = next((user for user in users if identifier in (user.id, user.external_id)), None)
    if chosen is None:
        raise UserNotFound
    return chosen, [user for user in users if user is not chosen]


def lock_users(organization_id: str, wanted: Q) -> list[User]:
    """The organization's users that `wanted` describes; their rows locked, in one order."""
    # NO KEY lets the rows' devices be inserted meanwhile.
    locked = User.objects.select_for_update(of=("self",), no_key=True)
    return list(locked.filter(wanted, organization_id=organization_id).order_by("id"))


def owning(organization_id: str, tokens: Sequence[str]) -> Q:
    """The users who have one of the device tokens."""
    digests = [digest_of(token) for token in tokens]
    devices = Device.objects.filter(organization_id=organization_id, token_digest__in=digests)
    return Q(id__in=devices.values("user_id"))


def publish(user: User, kind: str, *, former_names: tuple[str, ...] = ()) -> User:
    """Number the change of a locked user and tell the cache once it is committed.

    Gives the user with its devices prefetched. `former_names` no longer name it.
    """
    user.revision = next_revision()
    user.save()
    announce([user], kind, former_names=former_names)
    return user


def announce(users: Sequence[User], kind: str, *, former_names: tuple[str, ...] = ()) -> None:
    """Tell the cache, once they are committed, of saved and numbered users of one organization.

    `former_names` stopped naming one of them with its last revision.
    """
    prefetch_related_objects(users, "devices")
    if not users:
        return
    organization_id = users[0].organization_id
    records = records_of(organization_id, users)

    def tell() -> None:
        CHANGES.labels(kind).inc(len(records))
        if former_names:
            cache.forget(organization_id, former_names, _latest(records))
        cache.keep(organization_id, records)

    transaction.on_commit(tell)


def renumber(users: Sequence[User]) -> None:
    """Give each of these locked users a new revision; nothing else of them changes."""
    rows = User.objects.filter(id__in=[user.id for user in users])
    rows.update(revision=NextRevision())
    revisions = dict(rows.values_list("id", "revision"))
    for user in users:
        user.revision = revisions[user.id]


def _latest(records: Sequence[UserRecord]) -> int:
    return max(record.revision for record in records)
