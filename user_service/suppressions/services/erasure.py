"""Erases addresses without forgetting that they are suppressed."""

from collections.abc import Sequence

from user_service.suppressions.models import Suppression
from user_service.users.selectors import users_having


def forget_addresses(organization_id: str, digests: Sequence[bytes]) -> None:
    """Keep only the digests of those that no user has; `address_digest` makes them."""
    found = Suppression.objects.filter(organization_id=organization_id, digest__in=list(digests))
    nobodys = [
        suppression.id
        for suppression in found.exclude(address="")
        if not users_having(organization_id, [suppression.address]).exists()
    ]
    Suppression.objects.filter(id__in=nobodys).update(address="", note="")
