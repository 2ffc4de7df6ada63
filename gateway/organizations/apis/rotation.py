"""`/api/v1/api-keys/{id}/rotate/`: a new key in the place of another."""

from datetime import timedelta

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.bodies import body_length, convert_body, read_object
from carillon.web.envelope import success
from carillon.web.errors import InvalidJSON, PayloadTooLarge, ValidationFailed
from carillon.web.openapi import request_body
from gateway.admission.views import ClientApi
from gateway.documentation import caller_refusals, path_parameter, refusals, sent, shown
from gateway.organizations.apis.examples import KEY_ID, ROTATED
from gateway.organizations.bodies import OVERLAP_MOST, RotateBody
from gateway.organizations.errors import APIKeyNotFound, APIKeyNotRotatable, LiveKeyNeeded
from gateway.organizations.key_records import KEPT_SECONDS
from gateway.organizations.models import Scope
from gateway.organizations.presentation import show_rotation
from gateway.organizations.rotation import rotate_api_key
from gateway.organizations.selectors import check_authority, get_api_key
from gateway.organizations.shapes import RotatedAPIKeyShape

MESSAGE = "API key rotated"
LATE = (
    f"{MESSAGE}; the cache of keys could not be told, so that the old one may work for up to "
    f"{KEPT_SECONDS} seconds longer. Deactivate it to make sure."
)


class APIKeyRotateApi(ClientApi):
    """A new key, and an end for the old one."""

    scopes = {"POST": (Scope.ADMIN,)}

    @extend_schema(
        operation_id="rotate_api_key",
        summary="Rotate an API key",
        description=(
            "Makes a key of the same name, mode, scopes and expiry, shown in this answer and never "
            "again. Until `overlap_seconds` have passed both work; then the old one fails like any "
            "expired key. A key is rotated once; a key may rotate itself. No body is needed."
        ),
        tags=["organization"],
        parameters=[path_parameter("key_id", KEY_ID, "The key's id.")],
        request=request_body(RotateBody),
        examples=[
            sent("Both work for an hour", {"overlap_seconds": 3_600}),
            sent("The old one leaked", {"overlap_seconds": 0}),
        ],
        responses={
            201: shown(RotatedAPIKeyShape, "The new key, this once", ROTATED, MESSAGE),
            **refusals(
                *caller_refusals("admin"),
                InvalidJSON("The body is not acceptable JSON: Expecting value at line 1 column 1."),
                ValidationFailed(
                    details={"overlap_seconds": [f"Expected a whole number <= {OVERLAP_MOST}."]}
                ),
                PayloadTooLarge("The body may have 1000000 bytes at most."),
                APIKeyNotFound(),
                LiveKeyNeeded(),
                APIKeyNotRotatable("The key has expired."),
            ),
        },
    )
    def post(self, request: Request, key_id: str) -> Response:
        """Rotate it."""
        caller = self.caller
        body = _requested(request)
        check_authority(caller, get_api_key(caller.organization_id, key_id))
        seconds = body.overlap_seconds
        if seconds is None:
            seconds = settings.GATEWAY.key_overlap_seconds
        rotation = rotate_api_key(caller.organization_id, key_id, timedelta(seconds=seconds))
        message = MESSAGE if rotation.cache_told else LATE
        return success(show_rotation(rotation), message, status=201)


def _requested(request: Request) -> RotateBody:
    """The defaults where there is no body. Raises what parse_body raises."""
    if body_length(request) == 0:
        return RotateBody()
    return convert_body(read_object(request), RotateBody)
