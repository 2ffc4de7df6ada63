"""OpenAPI from the same msgspec structs that validate the requests."""

from collections.abc import Iterator
from typing import Any

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from carillon.web.envelope import failure
from carillon.web.errors import ApiError
from carillon.web.internal_auth import ORGANIZATION_HEADER, SECRET_HEADER

Schema = dict[str, Any]

_META: Schema = {
    "type": "object",
    "required": ["total", "limit", "page", "total_pages", "has_next", "has_previous"],
    "properties": {
        "total": {"type": "integer", "minimum": 0},
        "limit": {"type": "integer", "minimum": 1},
        "page": {"type": "integer", "minimum": 1},
        "total_pages": {"type": "integer", "minimum": 0},
        "has_next": {"type": "boolean"},
        "has_previous": {"type": "boolean"},
    },
}

_ERROR = {
    "type": "object",
    "required": ["success", "error", "message", "meta"],
    "properties": {
        "success": {"const": False},
        "error": {"type": "string"},
        "message": {"type": "string"},
        "details": {"type": "object"},
        "meta": _META,
    },
}

# The real message names a header, and which one depends on the service.
_AUTHENTICATION = "The credentials are missing or wrong."


def schema_of(shape: Any) -> Schema:
    """A msgspec type's JSON schema with every reference written out, as one OpenAPI object."""
    (top,), components = msgspec.json.schema_components([shape], ref_template="{name}")
    schema: Schema = _inlined(top, components)
    return schema


def request_body(shape: type[msgspec.Struct]) -> dict[str, Schema]:
    """For `extend_schema(request=…)`."""
    return {"application/json": schema_of(shape)}


def answer(
    shape: Any, description: str, *, example: object = None, meta: Schema | None = None
) -> OpenApiResponse:
    """The envelope around `shape`, for `extend_schema(responses={200: …})`.

    `meta` is the schema of another than the usual one.
    """
    schema = {
        "type": "object",
        "required": ["success", "data", "message", "meta"],
        "properties": {
            "success": {"const": True},
            "data": schema_of(shape),
            "message": {"type": "string"},
            "meta": meta or _META,
        },
    }
    examples = [OpenApiExample(description, value=example)] if example is not None else []
    return OpenApiResponse(schema, description, examples=examples)


def error_answers(*codes: tuple[int, str]) -> dict[int, OpenApiResponse]:
    """Error answers, for `extend_schema(responses={…, **error_answers((404, "user_not_found"))})`.

    Several codes of one status are described together, each with an example.
    """
    messages = {**dict(_messages(ApiError)), "authentication_required": _AUTHENTICATION}
    by_status: dict[int, list[str]] = {}
    for status, code in codes:
        by_status.setdefault(status, []).append(code)
    return {
        status: OpenApiResponse(
            {
                **_ERROR,
                "properties": {**_ERROR["properties"], "error": {"enum": names}},  # type: ignore[dict-item]
            },
            " or ".join(f"`{name}`" for name in names),
            examples=[
                OpenApiExample(name, value=failure(name, messages.get(name, "What was wrong.")))
                for name in names
            ],
        )
        for status, names in by_status.items()
    }


def _messages(kind: type[ApiError]) -> Iterator[tuple[str, str]]:
    """What each error says by default, by code; a subclass may say it better."""
    yield kind.code, kind.message
    for special in kind.__subclasses__():
        yield from _messages(special)


def _nullable(schema: Schema) -> Schema:
    """`anyOf: [{a type}, null]` as one type: viewers then show its description and bounds."""
    options = schema.get("anyOf", [])
    if len(options) != 2 or options[1] != {"type": "null"} or "enum" in options[0]:
        return schema
    kind = options[0].get("type")
    if not isinstance(kind, str):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**options[0], **rest, "type": [kind, "null"]}


def _inlined(schema: Any, components: dict[str, Any], within: tuple[str, ...] = ()) -> Any:
    """References replaced by what they name; a recursive one becomes any object."""
    if isinstance(schema, list):
        return [_inlined(item, components, within) for item in schema]
    if not isinstance(schema, dict):
        return schema
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        # Python's end of text; `$` is that in the dialect of JSON Schema (ECMA-262).
        schema = {**schema, "pattern": pattern.replace(r"\Z", "$")}
    name = schema.get("$ref")
    if name is not None:
        if name in within:
            return {"type": "object"}
        return _inlined(components[name], components, (*within, name))
    return _nullable(
        {
            key: _inlined(item, components, within)
            for key, item in schema.items()
            if key != "discriminator"
        }
    )


class InternalScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Both headers of an internal call, in the schema and in Swagger UI's Authorize."""

    target_class = "carillon.web.internal_auth.InternalAuthentication"
    match_subclasses = True
    name = ["InternalSecret", "OrganizationID"]

    def get_security_definition(self, auto_schema: Any) -> list[Schema]:
        """Two apiKey schemes; a call needs both."""
        return [
            {"type": "apiKey", "in": "header", "name": SECRET_HEADER},
            {"type": "apiKey", "in": "header", "name": ORGANIZATION_HEADER},
        ]
