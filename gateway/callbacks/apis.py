"""`/api/v1/provider-accounts/{id}/callbacks/`: what verifies the callbacks of an account."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.provider_callbacks import CALLBACK_SHAPES
from carillon.web.bodies import parse_body
from carillon.web.envelope import success
from carillon.web.openapi import request_body
from gateway.callbacks.account_errors import CallbacksNotSet, NoCallbacks
from gateway.callbacks.accounts import unseal_secrets
from gateway.callbacks.addresses import callback_url
from gateway.callbacks.bodies import AccountCallbacksBody
from gateway.callbacks.models import AccountCallbacks
from gateway.callbacks.services.accounts import callback_shape, forget_callbacks, set_callbacks
from gateway.callbacks.shapes import AccountCallbacksShape, ForgottenShape
from gateway.connections import credential_sealer
from gateway.documentation import (
    body_refusals,
    caller_refusals,
    path_parameter,
    refusals,
    sent,
    shown,
)
from gateway.organizations.models import Scope
from gateway.provider_accounts.apis.accounts import LiveAccountsApi
from gateway.provider_accounts.apis.examples import ACCOUNT_ID
from gateway.provider_accounts.errors import LiveKeyNeeded, ProviderAccountNotFound
from gateway.provider_accounts.presentation import show_hints
from gateway.provider_accounts.sealing import CredentialSealer, Unreadable
from gateway.provider_accounts.selectors import get_account

PUBLIC_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpV"
    "KS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
CALLBACKS: dict[str, Any] = {
    "provider_account_id": ACCOUNT_ID,
    "callback_url": f"https://notify.example.com/callbacks/sendgrid/{ACCOUNT_ID}/",
    "secrets": {"public_key": PUBLIC_KEY},
    "receipts": True,
    "updated_at": "2026-01-05T09:40:00.123456Z",
}
NEW_SENDGRID: dict[str, Any] = {"secrets": {"public_key": PUBLIC_KEY}, "receipts": True}
NEW_POSTMARK: dict[str, Any] = {"secrets": {"secret": "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}}
NEW_TWILIO: dict[str, Any] = {"secrets": {}, "receipts": True}

_TAGS = ["provider accounts"]
_ID = path_parameter("provider_account_id", ACCOUNT_ID, "The account's id.")


class AccountCallbacksApi(LiveAccountsApi):
    """What verifies one account's callbacks."""

    scopes = dict.fromkeys(("GET", "PUT", "DELETE"), (Scope.ADMIN,))

    @extend_schema(
        operation_id="get_provider_account_callbacks",
        summary="Show what verifies an account's callbacks",
        description="Without its secrets. `callback_url` is what the provider is to be told.",
        tags=_TAGS,
        parameters=[_ID],
        responses={
            200: shown(AccountCallbacksShape, "The callbacks", CALLBACKS, "Callbacks retrieved"),
            **refusals(
                *caller_refusals("admin"),
                ProviderAccountNotFound(),
                CallbacksNotSet(),
                NoCallbacks(),
            ),
        },
    )
    def get(self, request: Request, provider_account_id: str) -> Response:
        """Show it."""
        account = get_account(self.caller.organization_id, provider_account_id)
        callback_shape(account)
        found = AccountCallbacks.objects.select_related("account").filter(pk=account.pk).first()
        if found is None:
            raise CallbacksNotSet
        return success(_show(found, credential_sealer()), "Callbacks retrieved")

    @extend_schema(
        operation_id="set_provider_account_callbacks",
        summary="Set what verifies an account's callbacks",
        description="In place of what was set before; the account's credentials stay. Within a "
        "minute, what the provider reports at `callback_url` is believed where it is verified by "
        "this, and it is about this organization's messages alone.",
        tags=_TAGS,
        parameters=[_ID],
        request=request_body(AccountCallbacksBody),
        examples=[
            sent("SendGrid's verification key", NEW_SENDGRID),
            sent("A secret that was chosen for Postmark", NEW_POSTMARK),
            sent("Twilio signs with the account's token", NEW_TWILIO),
        ],
        responses={
            200: shown(AccountCallbacksShape, "The callbacks", CALLBACKS, "Callbacks set"),
            **refusals(
                *caller_refusals("admin"),
                *body_refusals("secrets", {"secrets": ["Missing: public_key."]}),
                LiveKeyNeeded(),
                ProviderAccountNotFound(),
                NoCallbacks(),
            ),
        },
    )
    def put(self, request: Request, provider_account_id: str) -> Response:
        """Set it."""
        account = get_account(self.check_live(), provider_account_id)
        sealer = credential_sealer()
        body = parse_body(request, AccountCallbacksBody)
        return success(_show(set_callbacks(account, body, sealer), sealer), "Callbacks set")

    @extend_schema(
        operation_id="forget_provider_account_callbacks",
        summary="Forget what verifies an account's callbacks",
        description="Within a minute its callbacks are refused, and the provider's acceptance "
        "counts as `delivered` again.",
        tags=_TAGS,
        parameters=[_ID],
        request=None,
        responses={
            200: shown(
                ForgottenShape,
                "They are forgotten",
                {"provider_account_id": ACCOUNT_ID},
                "Callbacks forgotten",
            ),
            **refusals(
                *caller_refusals("admin"),
                LiveKeyNeeded(),
                ProviderAccountNotFound(),
                CallbacksNotSet(),
                NoCallbacks(),
            ),
        },
    )
    def delete(self, request: Request, provider_account_id: str) -> Response:
        """Forget it."""
        account = get_account(self.check_live(), provider_account_id)
        forget_callbacks(account)
        return success(ForgottenShape(account.pk), "Callbacks forgotten")


def _show(callbacks: AccountCallbacks, sealer: CredentialSealer) -> AccountCallbacksShape:
    account = callbacks.account
    return AccountCallbacksShape(
        provider_account_id=account.pk,
        callback_url=callback_url(account.provider, account.pk) or "",
        secrets=_hints(callbacks, sealer),
        receipts=callbacks.receipts,
        updated_at=callbacks.updated_at,
    )


def _hints(callbacks: AccountCallbacks, sealer: CredentialSealer) -> dict[str, str] | None:
    try:
        secrets = unseal_secrets(callbacks, sealer)
    except Unreadable:
        return None
    return show_hints(secrets, CALLBACK_SHAPES[callbacks.account.provider].secrets)
