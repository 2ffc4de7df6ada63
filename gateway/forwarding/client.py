"""Carries a call to an internal service and its answer back, and nothing that does not belong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import IO
from urllib.parse import parse_qsl, quote, urlencode

import structlog
from django.conf import settings

from carillon.clients.http import READ_SECONDS, Answer, InternalHTTP, ServiceDown
from carillon.web.errors import NotFound, ServiceUnavailable, ValidationFailed
from gateway.notifications.errors import TemplateServiceUnavailable, UserServiceUnavailable
from gateway.organizations.synchronization import USER_SERVICE

log = structlog.get_logger(__name__)

REQUEST_HEADERS = ("Content-Type", "If-Match", "If-None-Match", "Idempotency-Key")
RESPONSE_HEADERS = ("Content-Type", "ETag", "Idempotent-Replayed", "Retry-After", "Allow")

_QUERY_FIELDS = 100
_HEADER_VALUE = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,1023}")
_SEGMENT_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A call as it leaves the gateway; the service has `read_seconds` to answer."""

    method: str
    path: str
    organization_id: str
    query: str
    body: bytes | IO[bytes] | None
    headers: Mapping[str, str]
    read_seconds: float = READ_SECONDS


def forward(service: str, call: Forwarded) -> Answer:
    """The service's answer. Raises the service's `…Unavailable`."""
    try:
        answer = _client(service).call(
            call.method,
            call.path,
            organization_id=call.organization_id,
            query=call.query,
            body=call.body,
            headers=call.headers,
            read_timeout=call.read_seconds,
        )
    except ServiceDown:
        raise unavailable(service) from None
    if answer.status == 401 or 300 <= answer.status < 400:
        # Our own secret was refused, or it is not our service: nothing that a client can mend.
        log.error("the service refused the gateway", to=service, status=answer.status)
        raise unavailable(service)
    return answer


def unavailable(service: str) -> type[ServiceUnavailable]:
    """The error that names the service."""
    return UserServiceUnavailable if service == USER_SERVICE else TemplateServiceUnavailable


def fill(path: str, parameters: Mapping[str, str]) -> str:
    """`path` with its `<str:name>` parts, each quoted whole. Raises NotFound."""
    for name, value in parameters.items():
        # HTTP clients resolve dot segments, quoted or not: they would climb out of the resource.
        if value in {".", ".."} or len(value) > _SEGMENT_LENGTH:
            raise NotFound
        path = path.replace(f"<str:{name}>", quote(value, safe=""))
    return f"/{path}"


def safe_query(raw: str) -> str:
    """The query, decoded and encoded anew. Raises ValidationFailed."""
    if not raw:
        return ""
    try:
        fields = parse_qsl(raw, keep_blank_values=True, max_num_fields=_QUERY_FIELDS)
        return urlencode(fields)
    except ValueError:
        raise ValidationFailed("The query is malformed or too long.") from None


def safe_headers(given: Mapping[str, str]) -> dict[str, str]:
    """Those of REQUEST_HEADERS that were `given` and that a header can hold."""
    return {
        name: given[name]
        for name in REQUEST_HEADERS
        if name in given and _HEADER_VALUE.fullmatch(given[name])
    }


@cache
def _client(service: str) -> InternalHTTP:
    """Apart from the clients of the hot path: what clients provoke must not open its breaker."""
    url = (
        settings.GATEWAY.user_service_url
        if service == USER_SERVICE
        else settings.GATEWAY.template_service_url
    )
    return InternalHTTP(service, url, settings.CARILLON.internal_secrets[0])
