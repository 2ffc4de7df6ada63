"""`/internal/suppressions/`: what other services learn, and what they must know to send."""

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.suppressions import address_digest
from carillon.web.bodies import parse_body
from carillon.web.envelope import success
from carillon.web.openapi import answer, error_answers, request_body, schema_of
from carillon.web.organization_api import OrganizationApi, organization_of
from user_service.documentation import BODY_ERRORS, CALLER_ERRORS, enveloped, sent
from user_service.suppressions import cache
from user_service.suppressions.apis import examples
from user_service.suppressions.bodies import (
    AddressesBody,
    ReportedSuppressionBody,
    SuppressionBody,
    check_channel,
)
from user_service.suppressions.services.changes import suppress
from user_service.suppressions.shapes import SuppressionShape, show_suppression


class SuppressedShape(msgspec.Struct, frozen=True):
    """Of the addresses asked about those that are suppressed, as they were given, and why."""

    suppressed: dict[str, str]


class SuppressionReportApi(OrganizationApi):
    """An address that bounced, complained or unsubscribed."""

    @extend_schema(
        operation_id="report_suppression",
        summary="Suppress an address as a provider said",
        description="Safe to repeat: the first reason stays.",
        tags=["internal"],
        request=request_body(ReportedSuppressionBody),
        examples=[sent("A complaint", {**examples.NEW, "source": "sendgrid"})],
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
        """The suppression."""
        body = parse_body(request, ReportedSuppressionBody)
        suppression, is_new = suppress(
            organization_of(request),
            SuppressionBody(
                channel=body.channel, address=body.address, reason=body.reason, note=body.note
            ),
            source=body.source,
        )
        shown = show_suppression(suppression)
        return success(shown, "Address suppressed", status=201 if is_new else 200)


class SuppressionCheckApi(OrganizationApi):
    """Addresses of no known user."""

    @extend_schema(
        operation_id="check_suppressions",
        summary="Ask which of up to 1,000 addresses are suppressed",
        description="For notifications to an address; a user's record says it of the user's own. "
        "The addresses are in the form in which they are sent to. What was found is written to "
        "the cache on the way.",
        tags=["internal"],
        request=request_body(AddressesBody),
        examples=[sent("Two addresses", {"channel": "email", "addresses": ["a@x.com", "b@x.com"]})],
        responses={
            200: OpenApiResponse(
                schema_of(SuppressedShape),
                "The suppressed of them",
                examples=[
                    OpenApiExample("One of them", value={"suppressed": {"b@x.com": "hard_bounce"}})
                ],
            ),
            **error_answers(*BODY_ERRORS, *CALLER_ERRORS),
        },
    )
    def post(self, request: Request) -> Response:
        """Without the envelope."""
        body = parse_body(request, AddressesBody)
        check_channel(body.channel)
        organization_id = organization_of(request)
        digests = {
            address: address_digest(organization_id, body.channel, address)
            for address in body.addresses
        }
        records = cache.refresh(organization_id, set(digests.values()))
        return Response(
            SuppressedShape(
                {
                    address: records[digest].reason
                    for address, digest in digests.items()
                    if records[digest].reason
                }
            )
        )
