"""`/api/v1/organizations/register/`: sign-up, where the installation allows it."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from carillon.web.addresses import InvalidAddress, normalize_email
from carillon.web.bodies import parse_body
from carillon.web.envelope import success
from carillon.web.errors import ServiceUnavailable, ValidationFailed
from carillon.web.openapi import request_body
from gateway.admission.client_addresses import count_call
from gateway.admission.errors import RateLimitExceeded
from gateway.admission.limits import LimitState, limit_headers
from gateway.documentation import body_refusals, refusals, sent, shown
from gateway.organizations.apis.examples import REGISTERED
from gateway.organizations.bodies import RegistrationBody
from gateway.organizations.errors import RegistrationDisabled
from gateway.organizations.registration import RegistrationUnavailable, register_organization
from gateway.organizations.shapes import RegisteredShape

MESSAGE = "Organization registered; its keys are not shown again"


class OrganizationRegisterApi(APIView):
    """The one call of the API that a stranger may make, and seldom."""

    authentication_classes: Any = ()

    @extend_schema(
        operation_id="register_organization",
        summary="Sign up an organization",
        description=(
            "Off unless the installation sets `ALLOW_REGISTRATION`; then 403 "
            "`registration_disabled`. Creates an organization with the free plan, a live and a "
            "test key, both of all scopes, shown in this answer and never again. Names need not "
            "be unique. A few registrations per client address and hour."
        ),
        tags=["organization"],
        auth=[],
        request=request_body(RegistrationBody),
        examples=[sent("A new organization", {"name": "Acme", "email": "ops@acme.example.org"})],
        responses={
            201: shown(RegisteredShape, "The organization and its keys", REGISTERED, MESSAGE),
            **refusals(
                RegistrationDisabled(),
                *body_refusals("email", {"email": ["Expected one email address."]}),
                RateLimitExceeded("5 registrations in 3600 seconds are allowed.", 720),
                RegistrationUnavailable(),
                ServiceUnavailable("The database is unavailable. Nothing was stored; try again."),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Register."""
        limit = settings.GATEWAY.registration
        if not limit.allowed:
            raise RegistrationDisabled
        name, email = _checked(parse_body(request, RegistrationBody))
        state = count_call("registration", request._request, most=limit.most, seconds=limit.seconds)
        _check(state)
        created = register_organization(name, email)
        shape = RegisteredShape(
            organization_id=created.organization.pk,
            name=created.organization.name,
            plan=created.organization.plan,
            api_key=created.live.text,
            test_api_key=created.test.text,
        )
        return success(shape, MESSAGE, status=201, headers=limit_headers([state]))


def _checked(body: RegistrationBody) -> tuple[str, str]:
    """Name and address as they are stored. Raises ValidationFailed, with all that is wrong."""
    wrong = {}
    name, email = body.name.strip(), ""
    if not name or not name.isprintable():
        wrong["name"] = ["Expected 1 to 200 printable characters."]
    try:
        email = normalize_email(body.email)
    except InvalidAddress as error:
        wrong["email"] = [str(error)]
    if wrong:
        raise ValidationFailed(details=wrong)
    return name, email


def _check(state: LimitState) -> None:
    """Raises RateLimitExceeded."""
    if not state.allowed:
        raise RateLimitExceeded(
            f"{state.most} registrations in {state.window} seconds are allowed.", state.wait
        )
