"""Erases addresses without forgetting that they are suppressed."""

from collections.abc import Sequence

from carillon.contracts.suppressions import address_digest
from user_service.suppressions.models import Suppression
from user_service.suppressions.selectors import Place


def forget_addresses(organization_id: str, places: Sequence[Place]) -> None:
    """Keep only the digests of these."""
    digests = [address_digest(organization_id, *place) for place in places]
    found = Suppression.objects.filter(organization_id=organization_id, digest__in=digests)
    found.update(address="", note="")
