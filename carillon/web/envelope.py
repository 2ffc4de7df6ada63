"""The envelope of every JSON answer: `success`, `data` or `error`, `message`, `meta`."""

from collections.abc import Mapping
from typing import Any

import msgspec
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

_encoder = msgspec.json.Encoder()

_NO_META = {
    "total": 0,
    "limit": 1,
    "page": 1,
    "total_pages": 0,
    "has_next": False,
    "has_previous": False,
}
_SINGLE_META = {**_NO_META, "total": 1, "total_pages": 1}


class EnvelopeRenderer(BaseRenderer):
    """JSON by msgspec: structs, dates with an offset and UUIDs as they are."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """`data` as UTF-8 JSON; nothing for an answer without a body."""
        return b"" if data is None else _encoder.encode(data)


def success(
    data: object,
    message: str,
    *,
    status: int = 200,
    meta: Mapping[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """An answer of one object, or of many with `page_meta`."""
    body = {"success": True, "data": data, "message": message, "meta": meta or _SINGLE_META}
    return Response(body, status=status, headers=headers)


def success_bytes(data: object, message: str) -> bytes:
    """An answer of one object as JSON, for code that answers without REST framework."""
    return _encoder.encode(
        {"success": True, "data": data, "message": message, "meta": _SINGLE_META}
    )


def failure(code: str, message: str, details: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The body of an error; `code` is from design's table and never changes its meaning."""
    body: dict[str, Any] = {"success": False, "error": code, "message": message}
    if details:
        body["details"] = details
    body["meta"] = _NO_META
    return body


def failure_bytes(code: str, message: str) -> bytes:
    """The same as JSON, for code outside of REST framework."""
    return _encoder.encode(failure(code, message))


def page_meta(*, total: int, limit: int, page: int) -> dict[str, object]:
    """The `meta` of page `page` (from 1) of `total` objects, `limit` a page."""
    total_pages = -(-total // limit)
    return {
        "total": total,
        "limit": limit,
        "page": page,
        "total_pages": total_pages,
        "has_next": page < total_pages,
        "has_previous": page > 1,
    }
