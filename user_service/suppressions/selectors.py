"""Reads."""

from collections.abc import Collection, Iterable

from django.db.models import QuerySet

from carillon.contracts import ids
from carillon.contracts.channels import CHANNELS, AddressKind
from carillon.contracts.suppressions import address_digest
from carillon.web.errors import NotFound
from user_service.suppressions.models import Suppression

# Devices are disabled instead.
CHANNEL_NAMES = tuple(c.name for c in CHANNELS.values() if c.address is not AddressKind.DEVICE)

Place = tuple[str, str]
"""A channel and an address on it."""


class SuppressionNotFound(NotFound):
    """No such suppression in this organization."""

    code = "suppression_not_found"
    message = "This organization has no such suppression."


def reasons_of(organization_id: str, places: Iterable[Place]) -> dict[Place, str]:
    """Of these channels and addresses those that are suppressed, and why. One query."""
    wanted = {address_digest(organization_id, *place): place for place in places}
    found = reasons_by_digest(organization_id, wanted)
    return {wanted[digest]: reason for digest, reason in found.items()}


def reasons_by_digest(organization_id: str, digests: Collection[bytes]) -> dict[bytes, str]:
    """The same by `address_digest`."""
    if not digests:
        return {}
    found = Suppression.objects.filter(organization_id=organization_id, digest__in=list(digests))
    return {bytes(digest): reason for digest, reason in found.values_list("digest", "reason")}


def find_by_place(organization_id: str, place: Place) -> Suppression | None:
    """The suppression of an address on a channel, if there is one."""
    digest = address_digest(organization_id, *place)
    return Suppression.objects.filter(organization_id=organization_id, digest=digest).first()


def find_suppression(organization_id: str, suppression_id: str) -> Suppression:
    """Raises SuppressionNotFound."""
    if ids.parse_id(ids.SUPPRESSION, suppression_id) is None:
        raise SuppressionNotFound
    found = Suppression.objects.filter(organization_id=organization_id, id=suppression_id).first()
    if found is None:
        raise SuppressionNotFound
    return found


def search_suppressions(
    organization_id: str, *, channel: str = "", reason: str = "", address: str = ""
) -> QuerySet[Suppression]:
    """The newest first; `address` is a part of it, in any case."""
    found = Suppression.objects.filter(organization_id=organization_id)
    if channel:
        found = found.filter(channel=channel)
    if reason:
        found = found.filter(reason=reason)
    if address:
        found = found.filter(address__icontains=address)
    return found
