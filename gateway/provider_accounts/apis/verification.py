"""`POST /api/v1/provider-accounts/{id}/verify/`: does the provider accept this account?"""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.verification import ANSWER_SECONDS
from carillon.observability.correlation import current_correlation_id
from carillon.web.envelope import success
from gateway.admission.errors import RateLimitExceeded
from gateway.connections import credential_sealer
from gateway.documentation import caller_refusals, path_parameter, refusals, shown
from gateway.organizations.models import Scope
from gateway.provider_accounts.apis.accounts import LiveAccountsApi
from gateway.provider_accounts.apis.examples import ACCOUNT, ACCOUNT_ID, PENDING
from gateway.provider_accounts.errors import (
    LiveKeyNeeded,
    ProviderAccountNotFound,
    VerificationUnavailable,
)
from gateway.provider_accounts.presentation import show_account
from gateway.provider_accounts.shapes import ProviderAccountShape
from gateway.provider_accounts.verification import TOO_SOON, ask_verification

MESSAGE = "Verification asked for"


class ProviderAccountVerifyApi(LiveAccountsApi):
    """A check of one account's credentials; it sends nothing to anybody."""

    scopes = {"POST": (Scope.ADMIN,)}

    @extend_schema(
        operation_id="verify_provider_account",
        summary="Verify a provider account",
        description=(
            "Has a worker log in to the provider with the account as it is stored now, active or "
            "not; nothing is sent to anybody. The answer does not wait for it: look at the account "
            "until `verification.status` is no longer `pending`, which takes a second or two, and "
            f"{ANSWER_SECONDS} at most. `verified` says that the provider accepts the credentials, "
            "`failed` with the reason `configuration` that it refuses them; with another reason it "
            "could not be asked. `unverifiable`: this provider tells only in sending. Asking again "
            "while it is pending changes nothing. New credentials or another sender make an "
            "account `unverified` again. No body is needed."
        ),
        tags=["provider accounts"],
        parameters=[path_parameter("provider_account_id", ACCOUNT_ID, "The account's id.")],
        request=None,
        responses={
            202: shown(
                ProviderAccountShape,
                "The account, with the check pending",
                {**ACCOUNT, "verification": PENDING},
                MESSAGE,
            ),
            **refusals(
                *caller_refusals("admin"),
                RateLimitExceeded(TOO_SOON, 7),
                LiveKeyNeeded(),
                ProviderAccountNotFound(),
                VerificationUnavailable(),
            ),
        },
    )
    def post(self, request: Request, provider_account_id: str) -> Response:
        """Ask for a check."""
        account = ask_verification(self.check_live(), provider_account_id, current_correlation_id())
        return success(
            show_account(account, credential_sealer()),
            MESSAGE,
            status=202,
            headers={"Location": f"/api/v1/provider-accounts/{account.pk}/"},
        )
