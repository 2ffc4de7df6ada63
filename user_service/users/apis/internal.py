"""`/internal/…`: users as the gateway needs them, and what it learned of their devices."""

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.records import UserRecord
from carillon.web.bodies import parse_body
from carillon.web.envelope import success
from carillon.web.openapi import answer, error_answers, request_body, schema_of
from carillon.web.organization_api import OrganizationApi, organization_of
from user_service.documentation import CALLER_ERRORS, enveloped, sent
from user_service.users import cache
from user_service.users.apis import examples
from user_service.users.bodies import BatchBody
from user_service.users.records import records_of
from user_service.users.selectors import find_user, find_users
from user_service.users.services.devices import disable_device
from user_service.users.shapes import DeviceShape, show_device


class RecordsShape(msgspec.Struct, frozen=True):
    """The users found, in the order asked for, and the ids that name none."""

    users: list[UserRecord]
    not_found: list[str]


def _bare(shape: object, description: str, example: object) -> OpenApiResponse:
    return OpenApiResponse(
        schema_of(shape), description, examples=[OpenApiExample(description, value=example)]
    )


class UserRecordApi(OrganizationApi):
    """One user as a recipient."""

    @extend_schema(
        operation_id="get_user_record",
        summary="Fetch a user as a recipient",
        description="The bare record, and it is written to the cache on the way.",
        tags=["internal"],
        parameters=[examples.USER_PATH],
        responses={
            200: _bare(UserRecord, "The record", examples.RECORD),
            **error_answers(
                (400, "missing_organization"),
                (401, "authentication_required"),
                (404, "user_not_found"),
            ),
        },
    )
    def get(self, request: Request, identifier: str) -> Response:
        """The gateway asks here when its cache has no fresh entry, so it gets one."""
        organization_id = organization_of(request)
        (record,) = records_of(organization_id, [find_user(organization_id, identifier)])
        cache.keep(organization_id, [record])
        return Response(record)


class UserRecordBatchApi(OrganizationApi):
    """Many users as recipients."""

    @extend_schema(
        operation_id="fetch_user_records",
        summary="Fetch up to 1,000 users as recipients",
        description="For bulk sends. The cache is left alone.",
        tags=["internal"],
        request=request_body(BatchBody),
        examples=[sent("Two users", {"user_ids": [examples.USER_ID, "customer-4712"]})],
        responses={
            200: _bare(
                RecordsShape,
                "The records that there are",
                {"users": [examples.RECORD], "not_found": ["customer-4712"]},
            ),
            **error_answers(
                (400, "invalid_json"),
                (400, "missing_fields"),
                (400, "validation_error"),
                (400, "missing_organization"),
                (401, "authentication_required"),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """The records, and the ids that name none."""
        body = parse_body(request, BatchBody)
        organization_id = organization_of(request)
        found = find_users(organization_id, body.user_ids)
        records = records_of(organization_id, found.users)
        return Response(RecordsShape(records, found.not_found))


class DeviceDisableApi(OrganizationApi):
    """A device whose token is dead."""

    @extend_schema(
        operation_id="disable_device",
        summary="Disable a device whose token is dead",
        description="As its push service said. Registering the token again revives it. Safe to "
        "repeat.",
        tags=["internal"],
        parameters=[examples.DEVICE_PATH],
        request=None,
        responses={
            200: answer(
                DeviceShape,
                "The device is disabled",
                example=enveloped(
                    {**examples.DEVICE, "disabled_at": "2026-03-01T12:00:00.000000Z"},
                    "Device disabled",
                ),
            ),
            **error_answers(*CALLER_ERRORS, (404, "device_not_found")),
        },
    )
    def post(self, request: Request, device_id: str) -> Response:
        """The device."""
        device = disable_device(organization_of(request), device_id)
        return success(show_device(device), "Device disabled")
