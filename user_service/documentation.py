"""What the documentation of several apps' calls has in common."""

from typing import Any

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from carillon.web.openapi import Schema, schema_of
from carillon.web.paging import LIMIT_DEFAULT, LIMIT_MOST, PAGE_MOST
from user_service.json_lines import MEDIA_TYPES

CALLER_ERRORS = ((401, "authentication_required"), (400, "missing_organization"))
BODY_ERRORS = ((400, "invalid_json"), (400, "missing_fields"), (400, "validation_error"))

_META = {
    "total": 1,
    "limit": 1,
    "page": 1,
    "total_pages": 1,
    "has_next": False,
    "has_previous": False,
}


def enveloped(data: object, message: str, **meta: object) -> dict[str, Any]:
    """An example of a whole answer."""
    return {"success": True, "data": data, "message": message, "meta": {**_META, **meta}}


def sent(name: str, body: object) -> OpenApiExample:
    """An example of a request's body."""
    return OpenApiExample(name, value=body, request_only=True)


def lines_body(shape: type[msgspec.Struct]) -> dict[str, object]:
    """For `extend_schema(request=…)`: a file of JSON Lines of `shape`.

    As a file and not as text: Swagger UI would send text as one quoted JSON string.
    """
    schema = {
        "type": "string",
        "format": "binary",
        "description": "One JSON object a line.",
        "contentSchema": schema_of(shape),
    }
    return {MEDIA_TYPES[0]: schema}


def sent_lines(name: str, *lines: object) -> OpenApiExample:
    """An example of a request of JSON Lines."""
    text = "".join(f"{msgspec.json.encode(line).decode()}\n" for line in lines)
    return OpenApiExample(name, value=text, request_only=True, media_type=MEDIA_TYPES[0])


def lines_in_words(*lines: object) -> str:
    """The same for a description: in place of a file's example Swagger UI shows a button."""
    return "".join(f"\n    {msgspec.json.encode(line).decode()}" for line in lines)


def page_parameters(things: str) -> list[OpenApiParameter]:
    """`page` and `limit` of a list."""
    return [
        _number("page", 1, PAGE_MOST, "Which page, from 1."),
        _number("limit", LIMIT_DEFAULT, LIMIT_MOST, f"{things} on a page."),
    ]


def _number(name: str, default: int, most: int, description: str) -> OpenApiParameter:
    schema: Schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description)
