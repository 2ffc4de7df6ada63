"""`/api/v1/organizations/me/`: who the key belongs to, what it may do, and what it decides."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.messages import Mode
from carillon.web.bodies import parse_body
from carillon.web.envelope import success
from carillon.web.openapi import request_body
from gateway.admission.views import ClientApi
from gateway.documentation import (
    ORGANIZATION_ID,
    body_refusals,
    caller_refusals,
    refusals,
    sent,
    shown,
)
from gateway.organizations.bodies import OrganizationChanges
from gateway.organizations.errors import LiveKeyNeeded
from gateway.organizations.key_records import KeyRecord
from gateway.organizations.limits import monthly_quota
from gateway.organizations.models import Organization, Scope
from gateway.organizations.selectors import get_organization
from gateway.organizations.services import let_platform_stand_in
from gateway.organizations.shapes import CallerShape, LimitsShape, OrganizationShape

_TAGS = ["organization"]
_ORGANIZATION = {
    "organization_id": ORGANIZATION_ID,
    "name": "Acme",
    "plan": "pro",
    "limits": {"requests_per_minute": 6000, "monthly_quota": 100_000},
    "platform_stand_ins": [],
    "api_key": {
        "key_id": "key_0193f2c6a7b87d1e9c0a5b4d3e2f1a04",
        "prefix": "org_live_a1b2c3d4e5",
        "mode": "live",
        "scopes": ["read", "send"],
    },
}
_CHANGED = {
    **_ORGANIZATION,
    "platform_stand_ins": ["email"],
    "api_key": {**_ORGANIZATION["api_key"], "scopes": ["admin"]},  # type: ignore[dict-item]
}
_LIVE_KEY = LiveKeyNeeded("This is about real messages: a test key cannot change it.")


class OwnOrganizationApi(ClientApi):
    """The caller's organization; any key may ask."""

    scopes = {"PATCH": (Scope.ADMIN,)}

    @extend_schema(
        operation_id="get_own_organization",
        summary="Fetch your organization, its plan and limits",
        description="That of the key, whatever its scopes: what a client app may count on.",
        tags=_TAGS,
        responses={
            200: shown(
                OrganizationShape, "The organization", _ORGANIZATION, "Organization retrieved"
            ),
            **refusals(*caller_refusals()),
        },
    )
    def get(self, request: Request) -> Response:
        """The organization."""
        caller = self.caller
        shape = _shown(caller, get_organization(caller.organization_id))
        return success(shape, "Organization retrieved")

    @extend_schema(
        operation_id="update_own_organization",
        summary="Let the platform's providers stand in for your accounts",
        description="On the channels that are named the platform's providers come after the "
        "organization's own provider accounts, in the name of the platform and over its contract; "
        "on all others a message waits where every account fails. It holds within a minute, and "
        "means nothing on a channel without accounts, where the platform's providers send anyway.",
        tags=_TAGS,
        request=request_body(OrganizationChanges),
        examples=[
            sent("For emails", {"platform_stand_ins": ["email"]}),
            sent("For none", {"platform_stand_ins": []}),
        ],
        responses={
            200: shown(OrganizationShape, "The organization", _CHANGED, "Organization changed"),
            **refusals(
                *caller_refusals("admin"),
                *body_refusals(
                    "platform_stand_ins",
                    {"platform_stand_ins": ["Expected some of email, sms, whatsapp, push."]},
                ),
                _LIVE_KEY,
            ),
        },
    )
    def patch(self, request: Request) -> Response:
        """The organization after the change."""
        caller = self.caller
        if caller.mode is Mode.TEST:
            raise _LIVE_KEY
        body = parse_body(request, OrganizationChanges)
        changed = let_platform_stand_in(caller.organization_id, body.platform_stand_ins)
        return success(_shown(caller, changed), "Organization changed")


def _shown(caller: KeyRecord, organization: Organization) -> OrganizationShape:
    return OrganizationShape(
        organization_id=caller.organization_id,
        name=caller.organization_name,
        plan=caller.plan,
        limits=LimitsShape(
            requests_per_minute=settings.GATEWAY.plans[caller.plan].requests_per_minute,
            monthly_quota=monthly_quota(caller),
        ),
        platform_stand_ins=organization.platform_stand_ins,
        api_key=CallerShape(
            key_id=caller.key_id,
            prefix=caller.prefix,
            mode=caller.mode.value,
            scopes=list(caller.scopes),
        ),
    )
