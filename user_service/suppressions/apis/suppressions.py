"""`/api/v1/suppressions/`: addresses to which the organization sends nothing more."""

import re

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.suppressions import SuppressionReason
from carillon.web.bodies import parse_body
from carillon.web.envelope import page_meta, success
from carillon.web.errors import ValidationFailed
from carillon.web.openapi import answer, error_answers, request_body
from carillon.web.organization_api import OrganizationApi, organization_of
from carillon.web.paging import requested_page
from carillon.web.postgresql.patience import patience
from user_service.documentation import (
    BODY_ERRORS,
    CALLER_ERRORS,
    enveloped,
    lines_body,
    lines_in_words,
    page_parameters,
    sent,
    sent_lines,
)
from user_service.json_lines import IMPORT_SECONDS, ImportShape, requested_lines, summarize
from user_service.suppressions.apis import examples
from user_service.suppressions.bodies import SuppressionBody, check_channel
from user_service.suppressions.selectors import (
    CHANNEL_NAMES,
    find_suppression,
    search_suppressions,
)
from user_service.suppressions.services.changes import import_suppressions, release, suppress
from user_service.suppressions.shapes import (
    DeletedSuppressionShape,
    SuppressionShape,
    show_suppression,
)

SOURCE = "api"
_LINES = (examples.NEW, {"channel": "sms", "address": "0"})
_ID = OpenApiParameter(
    "suppression_id",
    str,
    OpenApiParameter.PATH,
    description="The suppression's id (`supp_…`).",
    examples=[OpenApiExample("A suppression", value=examples.SUPPRESSION_ID)],
)


class SuppressionListCreateApi(OrganizationApi):
    """The organization's suppressions, and new ones."""

    @extend_schema(
        operation_id="list_suppressions",
        summary="List suppressions",
        description="The newest first.",
        tags=["suppressions"],
        parameters=[
            OpenApiParameter(
                "channel",
                {"type": "string", "enum": list(CHANNEL_NAMES)},
                description="On this channel.",
            ),
            OpenApiParameter(
                "reason",
                {"type": "string", "enum": list(SuppressionReason)},
                description="For this reason.",
            ),
            OpenApiParameter(
                "search", {"type": "string", "maxLength": 200}, description="Part of an address."
            ),
            *page_parameters("Suppressions"),
        ],
        responses={
            200: answer(
                list[SuppressionShape],
                "A page of suppressions",
                example=enveloped([examples.SUPPRESSION], "Suppressions retrieved", limit=20),
            ),
            **error_answers((400, "validation_error"), *CALLER_ERRORS),
        },
    )
    def get(self, request: Request) -> Response:
        """A page of suppressions."""
        page = requested_page(request)
        found = search_suppressions(organization_of(request), **_filters(request))
        shown = [show_suppression(suppression) for suppression in found[page.slice]]
        meta = page_meta(total=found.count(), limit=page.limit, page=page.number)
        return success(shown, "Suppressions retrieved", meta=meta)

    @extend_schema(
        operation_id="create_suppression",
        summary="Suppress an address",
        description="Nothing more is sent to it on the channel, not even what is essential. Safe "
        "to repeat: the first reason stays.",
        tags=["suppressions"],
        request=request_body(SuppressionBody),
        examples=[sent("A complaint", examples.NEW)],
        responses={
            200: answer(
                SuppressionShape,
                "It was suppressed already",
                example=enveloped(examples.SUPPRESSION, "Address suppressed"),
            ),
            201: answer(
                SuppressionShape,
                "It is suppressed from now on",
                example=enveloped(examples.SUPPRESSION, "Address suppressed"),
            ),
            **error_answers(*BODY_ERRORS, *CALLER_ERRORS, (404, "organization_not_found")),
        },
    )
    def post(self, request: Request) -> Response:
        """The suppression; the next notification already heeds it."""
        body = parse_body(request, SuppressionBody)
        suppression, is_new = suppress(organization_of(request), body, source=SOURCE)
        shown = show_suppression(suppression)
        return success(shown, "Address suppressed", status=201 if is_new else 200)


class SuppressionImportApi(OrganizationApi):
    """Many suppressions at once."""

    @extend_schema(
        operation_id="import_suppressions",
        summary="Import up to 10,000 suppressions",
        description="One JSON object a line (`application/x-ndjson`), as when one is created. "
        "Each line is judged on its own. An address that was suppressed already counts as updated "
        "and keeps its reason. Safe to repeat.\n" + lines_in_words(*_LINES),
        tags=["suppressions"],
        request=lines_body(SuppressionBody),
        examples=[sent_lines("A good line and a bad one", *_LINES)],
        responses={
            200: answer(
                ImportShape,
                "What became of each line",
                example=enveloped(examples.IMPORT, "Lines imported"),
            ),
            **error_answers(
                (400, "invalid_json"),
                *CALLER_ERRORS,
                (404, "organization_not_found"),
                (413, "payload_too_large"),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """What became of each line."""
        lines = requested_lines(request)
        with patience(IMPORT_SECONDS):
            results = import_suppressions(organization_of(request), lines, source="import")
        return success(summarize(results), "Lines imported")


class SuppressionDetailApi(OrganizationApi):
    """One suppression."""

    @extend_schema(
        operation_id="get_suppression",
        summary="Fetch a suppression",
        tags=["suppressions"],
        parameters=[_ID],
        responses={
            200: answer(
                SuppressionShape,
                "The suppression",
                example=enveloped(examples.SUPPRESSION, "Suppression retrieved"),
            ),
            **error_answers(*CALLER_ERRORS, (404, "suppression_not_found")),
        },
    )
    def get(self, request: Request, suppression_id: str) -> Response:
        """The suppression."""
        found = find_suppression(organization_of(request), suppression_id)
        return success(show_suppression(found), "Suppression retrieved")

    @extend_schema(
        operation_id="delete_suppression",
        summary="Send to an address again",
        description="After the person asked for it: providers punish those who go on without.",
        tags=["suppressions"],
        parameters=[_ID],
        responses={
            200: answer(
                DeletedSuppressionShape,
                "The suppression was deleted",
                example=enveloped(
                    {"suppression_id": examples.SUPPRESSION_ID}, "Suppression deleted"
                ),
            ),
            **error_answers(*CALLER_ERRORS, (404, "suppression_not_found")),
        },
    )
    def delete(self, request: Request, suppression_id: str) -> Response:
        """The id of what was deleted; the next notification already heeds it."""
        release(organization_of(request), suppression_id)
        return success(DeletedSuppressionShape(suppression_id), "Suppression deleted")


def _filters(request: Request) -> dict[str, str]:
    given = {
        name: request.query_params.get(name, "").strip() for name in ("channel", "reason", "search")
    }
    if given["channel"]:
        check_channel(given["channel"])
    if given["reason"] and given["reason"] not in list(SuppressionReason):
        expected = f"Expected one of {', '.join(SuppressionReason)}."
        raise ValidationFailed(details={"reason": [expected]})
    if len(given["search"]) > 200 or re.search(r"[\x00-\x1f]", given["search"]):
        problem = "Expected 200 characters at most, and no control characters."
        raise ValidationFailed(details={"search": [problem]})
    return {"channel": given["channel"], "reason": given["reason"], "address": given["search"]}
