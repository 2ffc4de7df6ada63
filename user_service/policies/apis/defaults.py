"""`/api/v1/preference-defaults/`, and the whole policy for the gateway."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.records import PolicyRecord
from carillon.web.bodies import parse_body
from carillon.web.envelope import success
from carillon.web.openapi import answer, error_answers, request_body, schema_of
from carillon.web.organization_api import OrganizationApi, organization_of
from user_service.documentation import BODY_ERRORS, CALLER_ERRORS, enveloped, sent
from user_service.policies import cache
from user_service.policies.bodies import DefaultsBody
from user_service.policies.selectors import policy_of
from user_service.policies.services import update_defaults
from user_service.policies.shapes import DefaultsShape, show_defaults

_DEFAULTS = {"preferences": {"email": True, "sms": False, "whatsapp": True, "push": True}}
_POLICY = {
    "organization_id": "org_0193f2c6a7b87d1e9c0a5b4d3e2f1a00",
    "revision": 7,
    "preferences": {"sms": False},
    "categories": {
        "security": {"essential": True, "preferences": {}, "cap_limit": 0, "cap_seconds": 0},
        "marketing": {
            "essential": False,
            "preferences": {"push": False},
            "cap_limit": 2,
            "cap_seconds": 86400,
        },
    },
}


class PreferenceDefaultsApi(OrganizationApi):
    """What holds for users who said nothing of a channel."""

    @extend_schema(
        operation_id="get_preference_defaults",
        summary="Fetch the defaults of the channels",
        tags=["policies"],
        responses={
            200: answer(
                DefaultsShape,
                "The defaults",
                example=enveloped(_DEFAULTS, "Defaults retrieved"),
            ),
            **error_answers(*CALLER_ERRORS),
        },
    )
    def get(self, request: Request) -> Response:
        """What is in force."""
        return success(show_defaults(policy_of(organization_of(request))), "Defaults retrieved")

    @extend_schema(
        operation_id="update_preference_defaults",
        summary="Change the defaults of the channels",
        description="Only the channels that are named change; null takes one back to on. It is "
        "in force for everybody who said nothing else from the very next notification on.",
        tags=["policies"],
        request=request_body(DefaultsBody),
        examples=[sent("SMS only on request", {"preferences": {"sms": False}})],
        responses={
            200: answer(
                DefaultsShape,
                "The defaults after the change",
                example=enveloped(_DEFAULTS, "Defaults updated"),
            ),
            **error_answers(*BODY_ERRORS, *CALLER_ERRORS, (404, "organization_not_found")),
        },
    )
    def patch(self, request: Request) -> Response:
        """What is in force from now on."""
        policy = update_defaults(organization_of(request), parse_body(request, DefaultsBody))
        return success(show_defaults(policy), "Defaults updated")


class PolicyRecordApi(OrganizationApi):
    """The whole policy."""

    @extend_schema(
        operation_id="get_policy_record",
        summary="Fetch the organization's policy",
        description="The bare record, and it is written to the cache on the way.",
        tags=["internal"],
        responses={
            200: OpenApiResponse(
                schema_of(PolicyRecord),
                "The record",
                examples=[OpenApiExample("The record", value=_POLICY)],
            ),
            **error_answers(*CALLER_ERRORS),
        },
    )
    def get(self, request: Request) -> Response:
        """An organization that decided nothing has a policy too."""
        return Response(cache.keep(policy_of(organization_of(request))))
