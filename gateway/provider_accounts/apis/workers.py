"""What a worker asks: with what to send, and what to check; and where it tells what it found."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import structlog
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.provider_accounts import ACCOUNT_SHAPES, ActiveAccounts, ProviderAccount
from carillon.contracts.verification import ENDS, VerificationResult
from carillon.web.bodies import parse_body
from carillon.web.envelope import success
from carillon.web.errors import ValidationFailed
from carillon.web.organization_api import OrganizationApi, organization_of
from gateway.callbacks.addresses import callback_url
from gateway.connections import credential_sealer
from gateway.organizations.selectors import platform_stands_in
from gateway.provider_accounts import models
from gateway.provider_accounts.bodies import VerificationResultBody
from gateway.provider_accounts.sealing import CredentialSealer, Unreadable
from gateway.provider_accounts.selectors import get_account_to_verify, list_active_accounts
from gateway.provider_accounts.verification import keep_result

log = structlog.get_logger(__name__)


# Not for clients, so not in their documentation; docs/provider-accounts.md tells of it.
@extend_schema(exclude=True)
class WorkerAccountsApi(OrganizationApi):
    """An organization's active accounts on a channel; none is an answer too."""

    def get(self, request: Request) -> Response:
        """With their secrets: for the workers, which show the internal secret."""
        channel = request.query_params.get("channel", "")
        if channel not in ACCOUNT_SHAPES:
            raise ValidationFailed(
                details={"channel": [f"Expected one of: {', '.join(ACCOUNT_SHAPES)}."]}
            )
        organization_id = organization_of(request)
        return success(
            ActiveAccounts(
                tuple(_active_accounts(organization_id, channel)),
                platform_stands_in=platform_stands_in(organization_id, channel),
            ),
            "Accounts retrieved",
            headers={"Cache-Control": "no-store"},
        )


class AccountToVerifyShape(msgspec.Struct, frozen=True):
    """One account, with its secrets, active or not."""

    account: ProviderAccount


class KeptShape(msgspec.Struct, frozen=True):
    """The account whose check was answered."""

    provider_account_id: str


@extend_schema(exclude=True)
class WorkerVerificationApi(OrganizationApi):
    """One check of one account, while it is waited for."""

    def get(self, request: Request, provider_account_id: str, verification_id: UUID) -> Response:
        """The account as it is now: nobody's cache is between."""
        account = get_account_to_verify(
            organization_of(request), provider_account_id, verification_id, datetime.now(UTC)
        )
        return success(
            AccountToVerifyShape(_for_worker(account, credential_sealer())),
            "Account retrieved",
            headers={"Cache-Control": "no-store"},
        )

    def post(self, request: Request, provider_account_id: str, verification_id: UUID) -> Response:
        """What the worker found."""
        organization_id = organization_of(request)
        body = parse_body(request, VerificationResultBody)
        if body.status not in ENDS:
            raise ValidationFailed(details={"status": ["A check does not end so."]})
        result = VerificationResult(
            status=body.status, message=body.message, reason=body.reason, code=body.code
        )
        keep_result(organization_id, provider_account_id, verification_id, result)
        return success(KeptShape(provider_account_id), "Result kept")


def _active_accounts(organization_id: str, channel: str) -> list[ProviderAccount]:
    sealer = credential_sealer()
    stored = list_active_accounts(organization_id, channel)
    return [_for_worker(account, sealer) for account in stored]


def _for_worker(stored: models.ProviderAccount, sealer: CredentialSealer) -> ProviderAccount:
    """With its secrets; without any where no key opens them."""
    try:
        credentials = sealer.unseal(stored.pk, stored.organization_id, bytes(stored.sealed))
    except Unreadable:
        # It stays in the order: were it left out, the platform would send in its name.
        log.error("no key opens a provider account", account=stored.pk)
        credentials = {}
    return ProviderAccount(
        account_id=stored.pk,
        channel=stored.channel,
        provider=stored.provider,
        sender=stored.sender,
        position=stored.position,
        weight=stored.weight,
        rate_per_second=stored.rate_per_second,
        callback_url=_callback_url(stored),
        credentials=credentials,
    )


def _callback_url(stored: models.ProviderAccount) -> str:
    """Where its provider reports to; empty where nobody said that receipts come."""
    callbacks = getattr(stored, "callbacks", None)
    if callbacks is None or not callbacks.receipts:
        return ""
    return callback_url(stored.provider, stored.pk) or ""
