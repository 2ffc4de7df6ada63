"""An organization that signs itself up: what `create_org` does, asked for by a stranger."""

from carillon.contracts import ids
from carillon.web.errors import ServiceUnavailable
from gateway.organizations.models import PlanName
from gateway.organizations.services import CreatedOrganization, create_organization
from gateway.organizations.synchronization import (
    ALL_SERVICES,
    OrganizationCopy,
    tell_services,
    unreachable,
)


class RegistrationUnavailable(ServiceUnavailable):
    """One of the internal services did not answer; nothing was created."""

    message = "An organization cannot be created at this moment. Nothing was stored; try again."


def register_organization(name: str, email: str) -> CreatedOrganization:
    """Create it with the free plan and both keys; the services are told first.

    Any number of organizations may have one name: the answer says nothing about others. Raises
    RegistrationUnavailable.
    """
    organization_id = ids.new_id(ids.ORGANIZATION)
    if unreachable(ALL_SERVICES) or tell_services(OrganizationCopy(organization_id, name)):
        raise RegistrationUnavailable
    return create_organization(
        organization_id=organization_id,
        name=name,
        plan=PlanName.FREE.value,
        contact_email=email,
    )
