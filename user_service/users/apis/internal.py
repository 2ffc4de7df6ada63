"""`/internal/users/…`: users as the gateway needs them, without the envelope."""

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.records import UserRecord
from carillon.web.bodies import parse_body
from carillon.web.openapi import error_answers, request_body, schema_of
from user_service.users import cache
from user_service.users.apis import examples
from user_service.users.apis.organization_api import OrganizationApi, organization_of
from user_service.users.bodies import BatchBody
from user_service.users.selectors import find_user, find_users
from user_service.users.shapes import user_record


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
        return Response(cache.keep(find_user(organization_of(request), identifier)))


class UserRecordBatchApi(OrganizationApi):
    """Many users as recipients."""

    @extend_schema(
        operation_id="fetch_user_records",
        summary="Fetch up to 1,000 users as recipients",
        description="For bulk sends. The cache is left alone.",
        tags=["internal"],
        request=request_body(BatchBody),
        examples=[examples.sent("Two users", {"user_ids": [examples.USER_ID, "customer-4712"]})],
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
        found = find_users(organization_of(request), body.user_ids)
        records = [user_record(user) for user in found.users]
        return Response(RecordsShape(records, found.not_found))
