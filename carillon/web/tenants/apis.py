"""`POST /internal/organizations/`: the gateway tells of an organization."""

from typing import Annotated, Any

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from carillon.contracts import ids
from carillon.web.bodies import parse_body
from carillon.web.envelope import success
from carillon.web.errors import ValidationFailed
from carillon.web.internal_auth import InternalServiceAuthentication
from carillon.web.openapi import answer, error_answers, request_body
from carillon.web.tenants.services import sync_organization

_EXAMPLE = {
    "organization_id": "org_0193f2c6a7b87d1e9c0a5b4d3e2f1a00",
    "name": "Acme",
    "is_active": True,
}


class OrganizationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the gateway says of an organization."""

    organization_id: str
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    is_active: bool = True


class OrganizationSyncApi(APIView):
    """Creates or updates our copy; safe to repeat."""

    authentication_classes: Any = (InternalServiceAuthentication,)

    @extend_schema(
        operation_id="sync_organization",
        summary="Create or update an organization",
        tags=["internal"],
        # The secret alone; the scheme itself is described by the calls that need both headers.
        auth=[{"InternalSecret": []}],  # type: ignore[list-item]  # the stubs are wrong
        request=request_body(OrganizationBody),
        responses={
            200: answer(OrganizationBody, "The organization was known", example=_EXAMPLE),
            201: answer(OrganizationBody, "The organization is new", example=_EXAMPLE),
            **error_answers(
                (400, "invalid_json"),
                (400, "missing_fields"),
                (400, "validation_error"),
                (401, "authentication_required"),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """The gateway calls this when an organization is created or changed."""
        body = parse_body(request, OrganizationBody)
        if ids.parse_id(ids.ORGANIZATION, body.organization_id) is None:
            raise ValidationFailed(details={"organization_id": ["Expected an org_… id."]})
        created = sync_organization(
            organization_id=body.organization_id, name=body.name, is_active=body.is_active
        )
        return success(body, "Organization synced", status=201 if created else 200)
