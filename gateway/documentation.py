"""What the gateway's OpenAPI descriptions share: examples made of the real messages."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from carillon.web.envelope import failure, page_meta
from carillon.web.errors import (
    ApiError,
    AuthenticationRequired,
    InvalidJSON,
    MissingFields,
    PayloadTooLarge,
    ServiceUnavailable,
    ValidationFailed,
)
from carillon.web.openapi import answer
from gateway.admission.errors import (
    InsufficientScope,
    InvalidAPIKey,
    OrganizationInactive,
    OrganizationMismatch,
    RateLimitExceeded,
)

# Written once and referred to: every call has half a dozen of them.
_ERROR = {"$ref": "#/components/schemas/Error"}
_ERROR_SCHEMA = {
    "type": "object",
    "required": ["success", "error", "message", "meta"],
    "properties": {
        "success": {"const": False},
        "error": {"type": "string", "description": "A code that never changes its meaning."},
        "message": {"type": "string", "description": "For people."},
        "details": {"type": "object", "description": "By field: what is wrong with it."},
        "meta": {"type": "object"},
    },
}

ORGANIZATION_ID = "org_0193f2c6a7b87d1e9c0a5b4d3e2f1a00"
CORRELATION_ID = "corr_9f3c1b7a2d4e5f60718293a4"


def add_error_schema(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """drf-spectacular's hook for what is referred to."""
    result["components"].setdefault("schemas", {})["Error"] = _ERROR_SCHEMA
    return result


def enveloped(
    data: object, message: str, *, total: int = 1, limit: int = 1, page: int = 1
) -> dict[str, Any]:
    """A success as it is answered."""
    meta = page_meta(total=total, limit=limit, page=page)
    return {"success": True, "data": data, "message": message, "meta": meta}


def sent(name: str, body: object) -> OpenApiExample:
    """An example of a request body."""
    return OpenApiExample(name, value=body, request_only=True)


def shown(
    shape: Any, description: str, data: object, message: str, **paging: int
) -> OpenApiResponse:
    """A success: its schema and one example."""
    return answer(shape, description, example=enveloped(data, message, **paging))


def refusals(*errors: ApiError) -> dict[int, OpenApiResponse]:
    """Error answers: each error is its own example; those of one status are told together."""
    by_status: dict[int, list[ApiError]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {status: _refusal(found) for status, found in sorted(by_status.items())}


def caller_refusals(*scopes: str) -> tuple[ApiError, ...]:
    """What every call with an API key may answer, where any of `scopes` will do.

    `a and b` is one of them that takes both.
    """
    return (
        AuthenticationRequired(),
        InvalidAPIKey(),
        OrganizationInactive(),
        OrganizationMismatch(),
        *((InsufficientScope(*scopes),) if scopes else ()),
        RateLimitExceeded("Your plan allows 60 requests in 60 seconds.", 1),
        ValidationFailed(
            "The header X-API-Key was sent more than once.",
            details={"X-API-Key": ["Send it once."]},
        ),
        ServiceUnavailable("The database is unavailable. Nothing was stored; try again."),
    )


def body_refusals(missing: str, wrong: Mapping[str, Sequence[str]]) -> tuple[ApiError, ...]:
    """What every call with a body may answer, with a field that is missing or wrong."""
    return (
        InvalidJSON("The body is not acceptable JSON: Expecting value at line 1 column 1."),
        MissingFields(f"Missing: {missing}.", details={missing: ["This field is required."]}),
        ValidationFailed(details=wrong),
        PayloadTooLarge("The body may have 1000000 bytes at most."),
    )


def path_parameter(name: str, example: str, description: str) -> OpenApiParameter:
    """A part of the path."""
    return OpenApiParameter(
        name,
        str,
        OpenApiParameter.PATH,
        description=description,
        examples=[OpenApiExample(name, value=example)],
    )


def query_parameter(name: str, schema: dict[str, Any], description: str) -> OpenApiParameter:
    """An optional part of the query; text where `schema` names no type."""
    typed = {"type": "string", **schema}
    return OpenApiParameter(name, typed, OpenApiParameter.QUERY, description=description)


def _refusal(errors: Sequence[ApiError]) -> OpenApiResponse:
    codes = dict.fromkeys(error.code for error in errors)
    by_code = {error.code: error for error in reversed(errors)}
    bodies = {code: failure(code, by_code[code].message, by_code[code].details) for code in codes}
    examples = [
        OpenApiExample(code, value=msgspec.to_builtins(body)) for code, body in bodies.items()
    ]
    return OpenApiResponse(_ERROR, " or ".join(f"`{code}`" for code in codes), examples=examples)
