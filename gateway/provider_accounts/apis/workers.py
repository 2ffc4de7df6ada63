"""`GET /internal/provider-accounts/?channel=…`: a worker asks with what to send."""

import msgspec
import structlog
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.provider_accounts import ACCOUNT_SHAPES, ProviderAccount
from carillon.web.envelope import success
from carillon.web.errors import ValidationFailed
from carillon.web.organization_api import OrganizationApi, organization_of
from gateway.connections import credential_sealer
from gateway.provider_accounts.sealing import Unreadable
from gateway.provider_accounts.selectors import list_active_accounts

log = structlog.get_logger(__name__)


class ActiveAccountsShape(msgspec.Struct, frozen=True):
    """The active accounts in their order, with their secrets."""

    accounts: list[ProviderAccount]


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
        accounts = _active_accounts(organization_of(request), channel)
        return success(
            ActiveAccountsShape(accounts),
            "Accounts retrieved",
            headers={"Cache-Control": "no-store"},
        )


def _active_accounts(organization_id: str, channel: str) -> list[ProviderAccount]:
    sealer = credential_sealer()
    accounts = []
    for stored in list_active_accounts(organization_id, channel):
        try:
            credentials = sealer.unseal(stored.pk, organization_id, bytes(stored.sealed))
        except Unreadable:
            # It stays in the order: were it left out, the platform would send in its name.
            log.error("no key opens a provider account", account=stored.pk)
            credentials = {}
        accounts.append(
            ProviderAccount(
                account_id=stored.pk,
                channel=stored.channel,
                provider=stored.provider,
                sender=stored.sender,
                position=stored.position,
                weight=stored.weight,
                rate_per_second=stored.rate_per_second,
                credentials=credentials,
            )
        )
    return accounts
