"""`/api/schema/`: the service's OpenAPI, made once per process, since anybody may ask for it."""

import hashlib
from functools import cache
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition, require_safe
from drf_spectacular.generators import SchemaGenerator


@cache
def _schema() -> bytes:
    generator: Any = SchemaGenerator
    generated = generator().get_schema(request=None, public=True)
    # Examples may hold what answers hold, and descriptions may be lazy.
    return msgspec.json.encode(generated, enc_hook=str)


@cache
def _digest() -> str:
    return hashlib.sha256(_schema()).hexdigest()[:32]


def _tag(_request: HttpRequest) -> str:
    return f'"{_digest()}"'


@require_safe
@condition(etag_func=_tag)
def schema(request: HttpRequest) -> HttpResponse:
    """The schema as JSON; 304 to who has it."""
    return HttpResponse(_schema(), content_type="application/json")
