"""`/api/v1/api-keys/`: list, create, deactivate."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.messages import Mode
from carillon.web.bodies import parse_body
from carillon.web.envelope import page_meta, success
from carillon.web.errors import ValidationFailed
from carillon.web.openapi import request_body
from carillon.web.paging import LIMIT_MOST, PAGE_MOST, requested_page
from gateway.admission.views import ClientApi
from gateway.documentation import (
    body_refusals,
    caller_refusals,
    path_parameter,
    query_parameter,
    refusals,
    sent,
    shown,
)
from gateway.organizations.apis.examples import KEY, KEY_ID, NEW_KEY
from gateway.organizations.bodies import APIKeyBody
from gateway.organizations.errors import APIKeyNotFound, LiveKeyNeeded, TooManyKeys
from gateway.organizations.key_records import KeyRecord
from gateway.organizations.models import Organization, Scope
from gateway.organizations.presentation import show_key, show_new_key
from gateway.organizations.selectors import (
    check_authority,
    count_lasting_keys,
    get_api_key,
    list_api_keys,
)
from gateway.organizations.services import CacheNotTold, create_api_key, deactivate_api_key
from gateway.organizations.shapes import APIKeyShape, NewAPIKeyShape

ACTIVE_KEYS_MOST = 100

_TAGS = ["organization"]


class APIKeysApi(ClientApi):
    """The organization's keys, and new ones."""

    scopes = {"GET": (Scope.ADMIN,), "POST": (Scope.ADMIN,)}

    @extend_schema(
        operation_id="list_api_keys",
        summary="List API keys",
        description="Without their secrets, the newest first.",
        tags=_TAGS,
        parameters=[
            query_parameter("page", {"type": "integer", "maximum": PAGE_MOST}, "From 1."),
            query_parameter("limit", {"type": "integer", "maximum": LIMIT_MOST}, "On a page."),
        ],
        responses={
            200: shown(list[APIKeyShape], "The keys", [KEY], "API keys retrieved", limit=20),
            **refusals(
                *caller_refusals("admin"),
                ValidationFailed(details={"limit": ["Expected a whole number from 1 to 100."]}),
            ),
        },
    )
    def get(self, request: Request) -> Response:
        """A page of keys."""
        page = requested_page(request)
        keys = list_api_keys(self.caller.organization_id)
        meta = page_meta(total=keys.count(), limit=page.limit, page=page.number)
        return success([show_key(key) for key in keys[page.slice]], "API keys retrieved", meta=meta)

    @extend_schema(
        operation_id="create_api_key",
        summary="Create an API key",
        description="The key is in this answer and never shown again. "
        "A test key can only create test keys.",
        tags=_TAGS,
        request=request_body(APIKeyBody),
        examples=[
            sent("For sending and reading", {"name": "Web shop"}),
            sent(
                "For the sandbox, until a date",
                {
                    "name": "CI",
                    "mode": "test",
                    "scopes": ["send"],
                    "expires_at": "2030-01-01T00:00:00Z",
                },
            ),
        ],
        responses={
            201: shown(NewAPIKeyShape, "The key, this once", NEW_KEY, "API key created"),
            **refusals(
                *caller_refusals("admin"),
                *body_refusals("name", {"scopes": ["Invalid enum value 'sends' (at [0])."]}),
                TooManyKeys(f"An organization has at most {ACTIVE_KEYS_MOST} active keys."),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """A new key."""
        body = parse_body(request, APIKeyBody)
        caller = self.caller
        _check(body, caller)
        stored, key = create_api_key(
            Organization(pk=caller.organization_id),
            mode=body.mode,
            name=body.name,
            scopes=[scope.value for scope in body.scopes],
            expires_at=body.expires_at,
        )
        return success(show_new_key(stored, key.text), "API key created", status=201)


class APIKeyDeactivateApi(ClientApi):
    """The end of a key."""

    scopes = {"POST": (Scope.ADMIN,)}

    @extend_schema(
        operation_id="deactivate_api_key",
        summary="Deactivate an API key",
        description="It fails from the very next request on. Safe to repeat. A test key cannot "
        "deactivate a live one.",
        tags=_TAGS,
        parameters=[path_parameter("key_id", KEY_ID, "The key's id.")],
        request=None,
        responses={
            200: shown(APIKeyShape, "The key", {**KEY, "is_active": False}, "API key deactivated"),
            **refusals(
                *caller_refusals("admin"), APIKeyNotFound(), LiveKeyNeeded(), CacheNotTold()
            ),
        },
    )
    def post(self, request: Request, key_id: str) -> Response:
        """Deactivate it."""
        caller = self.caller
        organization_id = caller.organization_id
        key = get_api_key(organization_id, key_id)
        check_authority(caller, key)
        deactivate_api_key(key)
        return success(show_key(get_api_key(organization_id, key_id)), "API key deactivated")


def _check(body: APIKeyBody, caller: KeyRecord) -> None:
    """Raises ValidationFailed or TooManyKeys."""
    if caller.mode is Mode.TEST and body.mode is not Mode.TEST:
        raise ValidationFailed(details={"mode": ["A test key can only create test keys."]})
    if not body.name.isprintable():
        raise ValidationFailed(details={"name": ["Expected printable characters."]})
    if body.expires_at is not None and body.expires_at <= datetime.now(UTC):
        raise ValidationFailed(details={"expires_at": ["This time has passed."]})
    if count_lasting_keys(caller.organization_id) >= ACTIVE_KEYS_MOST:
        raise TooManyKeys(f"An organization has at most {ACTIVE_KEYS_MOST} active keys.")
