"""REST framework's authentication by X-API-Key, and how OpenAPI tells of it."""

from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from carillon.web.errors import AuthenticationRequired, ValidationFailed
from gateway.admission.entry import Entry, enter
from gateway.admission.errors import OrganizationInactive, OrganizationMismatch
from gateway.organizations.key_records import KeyRecord

KEY_HEADER = "X-API-Key"
ORGANIZATION_HEADER = "X-Organization-ID"

_KEY_PARAMETERS = frozenset({"api_key", "api-key", "apikey", "x-api-key", "key", "access_token"})
_ASK = {"WWW-Authenticate": KEY_HEADER}


class APIKeyAuthentication(BaseAuthentication):
    """`request.user` becomes the key's record, `request.auth` the entry with its limit.

    The view's `cache_keys` are read on the way, and what is `foreseen` is reserved.
    """

    def authenticate(self, request: Request) -> tuple[KeyRecord, Entry]:
        """Raises AuthenticationRequired, InvalidAPIKey or one of the refusals behind them."""
        if request._request.META.get("QUERY_STRING"):
            _refuse_key_in_query(request)
        text = single_header(request, KEY_HEADER)
        if not text:
            raise AuthenticationRequired(headers=_ASK)
        claimed = single_header(request, ORGANIZATION_HEADER)
        view = request.parser_context["view"]
        entry = enter(text, view.cache_keys(request), view.foreseen(request))
        if not entry.record.organization_is_active:
            raise OrganizationInactive
        if claimed and claimed != entry.record.organization_id:
            raise OrganizationMismatch
        return entry.record, entry

    def authenticate_header(self, request: Request) -> str:
        """Makes REST framework answer 401 and not 403."""
        return KEY_HEADER


def single_header(request: Request, name: str) -> str:
    """A header's value; empty where absent. Raises ValidationFailed if it was sent twice.

    WSGI servers join repeated headers with a comma, and none of ours may contain one.
    """
    value: str = request._request.META.get(_wsgi_name(name), "")
    if "," in value:
        raise ValidationFailed(
            f"The header {name} was sent more than once.", details={name: ["Send it once."]}
        )
    return value


@cache
def _wsgi_name(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"


def _refuse_key_in_query(request: Request) -> None:
    """URLs end up in logs and histories: a key in one is never accepted, whatever the header."""
    query = request.META["QUERY_STRING"]
    names = {name.lower() for name in request.query_params}
    if "org_live_" in query or "org_test_" in query or names & _KEY_PARAMETERS:
        raise AuthenticationRequired(
            "Send your API key in the X-API-Key header, never in the URL. "
            "Replace a key that was sent this way: URLs are logged along their way.",
            headers=_ASK,
        )


class APIKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The header, in the schema and in Swagger UI's Authorize."""

    target_class = "gateway.admission.authentication.APIKeyAuthentication"
    name = "APIKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """One apiKey scheme."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": KEY_HEADER,
            "description": "Your organization's key: `org_live_…`, or `org_test_…`: the sandbox.",
        }
