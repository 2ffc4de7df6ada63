"""`/api/v1/provider-accounts/`: an organization's own accounts with providers."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.messages import Mode
from carillon.web.bodies import parse_body
from carillon.web.envelope import page_meta, success
from carillon.web.errors import ValidationFailed
from carillon.web.openapi import request_body
from carillon.web.paging import LIMIT_MOST, PAGE_MOST, requested_page
from gateway.admission.views import ClientApi
from gateway.connections import credential_sealer
from gateway.documentation import (
    body_refusals,
    caller_refusals,
    enveloped,
    path_parameter,
    query_parameter,
    refusals,
    sent,
    shown,
)
from gateway.organizations.models import Scope
from gateway.provider_accounts.apis.examples import (
    ACCOUNT,
    ACCOUNT_ID,
    NEW_SENDGRID,
    NEW_TWILIO,
    REFUSED,
    VERIFIED,
)
from gateway.provider_accounts.bodies import ProviderAccountBody, ProviderAccountChanges
from gateway.provider_accounts.errors import (
    LiveKeyNeeded,
    ProviderAccountNotFound,
    TooManyProviderAccounts,
)
from gateway.provider_accounts.presentation import show_account
from gateway.provider_accounts.selectors import get_account, list_accounts
from gateway.provider_accounts.services import change_account, create_account, delete_account
from gateway.provider_accounts.shapes import DeletedShape, ProviderAccountShape

_TAGS = ["provider accounts"]
_ID = path_parameter("provider_account_id", ACCOUNT_ID, "The account's id.")
_WRONG = {"credentials": ["Missing: api_key."]}


class LiveAccountsApi(ClientApi):
    """Only a live key with the scope admin decides how real messages are sent."""

    def check_live(self) -> str:
        """The organization. Raises LiveKeyNeeded."""
        if self.caller.mode is Mode.TEST:
            raise LiveKeyNeeded
        return self.caller.organization_id


class ProviderAccountsApi(LiveAccountsApi):
    """The organization's accounts, and new ones."""

    scopes = {"GET": (Scope.ADMIN,), "POST": (Scope.ADMIN,)}

    @extend_schema(
        operation_id="list_provider_accounts",
        summary="List provider accounts",
        description="Without their secrets, by channel and in the order in which they are tried.",
        tags=_TAGS,
        parameters=[
            query_parameter("page", {"type": "integer", "maximum": PAGE_MOST}, "From 1."),
            query_parameter("limit", {"type": "integer", "maximum": LIMIT_MOST}, "On a page."),
        ],
        responses={
            200: shown(
                list[ProviderAccountShape],
                "The accounts",
                [ACCOUNT],
                "Provider accounts retrieved",
                limit=20,
            ),
            **refusals(
                *caller_refusals("admin"),
                ValidationFailed(details={"limit": ["Expected a whole number from 1 to 100."]}),
            ),
        },
    )
    def get(self, request: Request) -> Response:
        """A page of accounts."""
        page = requested_page(request)
        accounts = list_accounts(self.caller.organization_id)
        meta = page_meta(total=accounts.count(), limit=page.limit, page=page.number)
        sealer = credential_sealer()
        return success(
            [show_account(account, sealer) for account in accounts[page.slice]],
            "Provider accounts retrieved",
            meta=meta,
        )

    @extend_schema(
        operation_id="create_provider_account",
        summary="Add a provider account",
        description="Within a minute the organization's messages on this channel are sent through "
        "its own accounts, and no longer through the platform's. The credentials are encrypted "
        "and never shown again.",
        tags=_TAGS,
        request=request_body(ProviderAccountBody),
        examples=[
            sent("Email through SendGrid", NEW_SENDGRID),
            sent("SMS through Twilio", NEW_TWILIO),
        ],
        responses={
            201: shown(ProviderAccountShape, "The account", ACCOUNT, "Provider account created"),
            **refusals(
                *caller_refusals("admin"),
                *body_refusals("channel", _WRONG),
                LiveKeyNeeded(),
                TooManyProviderAccounts(),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """A new account."""
        organization_id = self.check_live()
        body = parse_body(request, ProviderAccountBody)
        sealer = credential_sealer()
        account = create_account(organization_id, body, sealer)
        return success(show_account(account, sealer), "Provider account created", status=201)


class ProviderAccountApi(LiveAccountsApi):
    """One account."""

    scopes = dict.fromkeys(("GET", "PATCH", "DELETE"), (Scope.ADMIN,))

    @extend_schema(
        operation_id="get_provider_account",
        summary="Show a provider account",
        description="Without its secrets, and with what the last check of them showed.",
        tags=_TAGS,
        parameters=[_ID],
        examples=[
            OpenApiExample(
                "An account that its provider refuses",
                value=enveloped(REFUSED, "Provider account retrieved"),
                response_only=True,
                status_codes=["200"],
            )
        ],
        responses={
            200: shown(ProviderAccountShape, "The account", VERIFIED, "Provider account retrieved"),
            **refusals(*caller_refusals("admin"), ProviderAccountNotFound()),
        },
    )
    def get(self, request: Request, provider_account_id: str) -> Response:
        """Show it."""
        account = get_account(self.caller.organization_id, provider_account_id)
        return success(show_account(account, credential_sealer()), "Provider account retrieved")

    @extend_schema(
        operation_id="change_provider_account",
        summary="Change a provider account",
        description="What is not sent stays; `credentials` replace all of the old ones. It holds "
        "within a minute. New credentials or another sender make it `unverified`.",
        tags=_TAGS,
        parameters=[_ID],
        request=request_body(ProviderAccountChanges),
        examples=[
            sent("Send no more through it", {"is_active": False}),
            sent("Another key", {"credentials": NEW_SENDGRID["credentials"]}),
        ],
        responses={
            200: shown(
                ProviderAccountShape,
                "The account",
                {**ACCOUNT, "is_active": False},
                "Provider account changed",
            ),
            **refusals(
                *caller_refusals("admin"),
                *body_refusals("name", _WRONG)[:1],
                *body_refusals("name", _WRONG)[2:],
                LiveKeyNeeded(),
                ProviderAccountNotFound(),
            ),
        },
    )
    def patch(self, request: Request, provider_account_id: str) -> Response:
        """Change it."""
        account = get_account(self.check_live(), provider_account_id)
        changes = parse_body(request, ProviderAccountChanges)
        sealer = credential_sealer()
        changed = change_account(account, changes, sealer)
        return success(show_account(changed, sealer), "Provider account changed")

    @extend_schema(
        operation_id="delete_provider_account",
        summary="Delete a provider account",
        description="Within a minute nothing is sent through it. Without any active account on a "
        "channel, the platform's own providers send again.",
        tags=_TAGS,
        parameters=[_ID],
        request=None,
        responses={
            200: shown(
                DeletedShape,
                "It is gone",
                {"provider_account_id": ACCOUNT_ID},
                "Provider account deleted",
            ),
            **refusals(*caller_refusals("admin"), LiveKeyNeeded(), ProviderAccountNotFound()),
        },
    )
    def delete(self, request: Request, provider_account_id: str) -> Response:
        """Delete it."""
        account = get_account(self.check_live(), provider_account_id)
        delete_account(account)
        return success(DeletedShape(provider_account_id), "Provider account deleted")
