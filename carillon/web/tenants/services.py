"""Writes: keep our copy of the organizations in step with the gateway's."""

from carillon.web.errors import ApiError
from carillon.web.tenants.models import Organization


class OrganizationNotFound(ApiError):
    """The gateway never told this service of the organization."""

    status = 404
    code = "organization_not_found"
    message = "This service does not know the organization; sync it from the gateway."


def sync_organization(*, organization_id: str, name: str, is_active: bool) -> bool:
    """Create or update; true where it is new. Repeating it changes nothing."""
    _, created = Organization.objects.update_or_create(
        id=organization_id, defaults={"name": name, "is_active": is_active}
    )
    return created


def require_organization(organization_id: str) -> Organization:
    """The organization, before anything is created for it. Raises OrganizationNotFound."""
    organization = Organization.objects.filter(id=organization_id).first()
    if organization is None:
        raise OrganizationNotFound
    return organization
