"""`/api/v1/organizations/me/`: who the key belongs to, and what it may do."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.envelope import success
from gateway.admission.views import ClientApi
from gateway.documentation import ORGANIZATION_ID, caller_refusals, refusals, shown
from gateway.organizations.limits import monthly_quota
from gateway.organizations.shapes import CallerShape, LimitsShape, OrganizationShape

_ORGANIZATION = {
    "organization_id": ORGANIZATION_ID,
    "name": "Acme",
    "plan": "pro",
    "limits": {"requests_per_minute": 6000, "monthly_quota": 100_000},
    "api_key": {
        "key_id": "key_0193f2c6a7b87d1e9c0a5b4d3e2f1a04",
        "prefix": "org_live_a1b2c3d4e5",
        "mode": "live",
        "scopes": ["read", "send"],
    },
}


class OwnOrganizationApi(ClientApi):
    """The caller's organization; any key may ask."""

    @extend_schema(
        operation_id="get_own_organization",
        summary="Fetch your organization, its plan and limits",
        description="That of the key, whatever its scopes: what a client app may count on.",
        tags=["organization"],
        responses={
            200: shown(
                OrganizationShape, "The organization", _ORGANIZATION, "Organization retrieved"
            ),
            **refusals(*caller_refusals()),
        },
    )
    def get(self, request: Request) -> Response:
        """The organization."""
        caller = self.caller(request)
        shape = OrganizationShape(
            organization_id=caller.organization_id,
            name=caller.organization_name,
            plan=caller.plan,
            limits=LimitsShape(
                requests_per_minute=settings.GATEWAY.plans[caller.plan].requests_per_minute,
                monthly_quota=monthly_quota(caller),
            ),
            api_key=CallerShape(
                key_id=caller.key_id,
                prefix=caller.prefix,
                mode=caller.mode.value,
                scopes=list(caller.scopes),
            ),
        )
        return success(shape, "Organization retrieved")
