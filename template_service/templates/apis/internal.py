"""`/internal/templates/…`: templates as the gateway needs them, without the envelope."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.records import TemplateRecord
from carillon.web.openapi import error_answers, schema_of
from carillon.web.organization_api import OrganizationApi, organization_of
from template_service.templates import cache
from template_service.templates.apis import examples
from template_service.templates.apis.requests import CALLER_ERRORS
from template_service.templates.selectors import TemplateNotFound


class TemplateRecordApi(OrganizationApi):
    """What is published of a template."""

    @extend_schema(
        operation_id="get_template_record",
        summary="Fetch what is published of a template",
        description="The bare record, in every language, and it is written to the cache on the "
        "way. Drafts and archived templates do not exist here.",
        tags=["internal"],
        parameters=[examples.CODE_PATH],
        responses={
            200: OpenApiResponse(
                schema_of(TemplateRecord),
                "The record",
                examples=[OpenApiExample("The record", value=examples.RECORD)],
            ),
            **error_answers(*CALLER_ERRORS, (404, "template_not_found")),
        },
    )
    def get(self, request: Request, code: str) -> Response:
        """The gateway asks here when its cache has no fresh entry, so it gets one."""
        record = cache.read_record(organization_of(request), code)
        if record is None:
            raise TemplateNotFound
        return Response(record)
