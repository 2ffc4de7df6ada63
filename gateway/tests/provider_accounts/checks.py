"""A worker that verifies accounts as a test wants, and how its calls look."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.test import Client

from carillon.contracts.verification import VerificationRequest, decode_request, requests_key
from gateway import connections
from gateway.provider_accounts import metrics
from gateway.provider_accounts.models import ProviderAccount
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_provider_account
from gateway.tests.provider_accounts.test_api import ACCOUNTS

VERIFIED = {"status": "verified", "message": "SendGrid accepts the key."}
REFUSED = {
    "status": "failed",
    "message": "The provider refuses the account's credentials or settings.",
    "reason": "configuration",
    "code": "401",
}


def forget_requests() -> None:
    """No request of another test waits for a worker."""
    connections.redis_client().delete(requests_key("email"), requests_key("sms"))


def path(account: ProviderAccount) -> str:
    return f"{ACCOUNTS}{account.pk}/"


def asked(channel: str = "email") -> list[VerificationRequest]:
    """What waits for a worker."""
    octets: Any = connections.redis_client().lrange(requests_key(channel), 0, -1)
    return [decode_request(each) for each in octets]


def worker(
    request: VerificationRequest,
    body: dict[str, str] | None = None,
    *,
    organization_id: str = "",
    secret: str = "",
) -> Any:
    """A worker fetches the account, or tells its result."""
    url = f"/internal/provider-accounts/{request.account_id}/verifications/"
    sent: dict[str, Any] = {
        "headers": {
            "X-Internal-Secret": secret or settings.CARILLON.internal_secrets[0],
            "X-Organization-ID": organization_id or request.organization_id,
        }
    }
    url = f"{url}{request.verification_id}/"
    if body is None:
        return Client().get(url, **sent)
    return Client().post(url, body, content_type="application/json", **sent)


def later(account: ProviderAccount, seconds: float) -> None:
    """As if it was asked so many seconds ago."""
    ProviderAccount.objects.filter(pk=account.pk).update(
        verification_requested_at=datetime.now(UTC) - timedelta(seconds=seconds)
    )


def verified(tenant: Tenant, **fields: Any) -> ProviderAccount:
    account = make_provider_account(tenant.organization, **fields)
    assert tenant.api.post(f"{path(account)}verify/").status == 202
    assert worker(asked()[-1], VERIFIED).status_code == 200
    later(account, 20)
    return account


def counted(result: str) -> float:
    return float(metrics.VERIFICATIONS.labels("email", result)._value.get())
