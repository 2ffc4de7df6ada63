"""Remembers, as digests, which addresses a user had: they are erased with the user."""

from collections.abc import Iterable

from carillon.contracts.suppressions import address_digest
from user_service.suppressions.selectors import Place
from user_service.users.models import FormerAddress, User
from user_service.users.records import places_of


def remember_places(lost: Iterable[tuple[User, Iterable[Place]]]) -> None:
    """Each user with the places (channel, address) that are no longer theirs."""
    FormerAddress.objects.bulk_create(
        [
            FormerAddress(user=user, digest=address_digest(user.organization_id, *place))
            for user, places in lost
            for place in places
        ],
        ignore_conflicts=True,
    )


def digests_of(user: User) -> list[bytes]:
    """Of every address that is or was the user's."""
    now = [address_digest(user.organization_id, *place) for place in places_of(user)]
    former = FormerAddress.objects.filter(user=user).values_list("digest", flat=True)
    return [*now, *(bytes(digest) for digest in former)]
