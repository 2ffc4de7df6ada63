"""The gateway's half of a check: which account it is about, and where its result goes."""

from typing import Protocol

import msgspec
import structlog

from carillon.clients.http import Answer, InternalHTTP, ServiceDown
from carillon.contracts.provider_accounts import ProviderAccount
from carillon.contracts.verification import VerificationRequest, VerificationResult
from carillon.worker.accounts.source import PATH

log = structlog.get_logger(__name__)


class VerificationSource(Protocol):
    """Knows which checks are waited for."""

    def account_of(self, request: VerificationRequest) -> ProviderAccount | None:
        """The account as it is stored now; None where nobody waits any more. Raises ServiceDown."""
        ...

    def tell(self, request: VerificationRequest, result: VerificationResult) -> bool:
        """Whether it was stored; False where nobody waits any more. Raises ServiceDown."""
        ...


class _Data(msgspec.Struct, frozen=True):
    account: ProviderAccount


class _Answer(msgspec.Struct, frozen=True):
    data: _Data


class GatewayVerifications:
    """Asks and tells the gateway's internal API."""

    def __init__(self, http: InternalHTTP) -> None:
        self._http = http
        self._decoder = msgspec.json.Decoder(_Answer)

    def account_of(self, request: VerificationRequest) -> ProviderAccount | None:
        """Raises ServiceDown, also for an answer that cannot be read."""
        answer = self._call("GET", request)
        if answer is None:
            return None
        try:
            return self._decoder.decode(answer.body).data.account
        except msgspec.MsgspecError:
            # Without the cause: its text may quote a secret.
            log.error("unreadable answer", of=self._http.service)
            raise ServiceDown(self._http.service) from None

    def tell(self, request: VerificationRequest, result: VerificationResult) -> bool:
        """Raises ServiceDown."""
        return self._call("POST", request, msgspec.json.encode(result)) is not None

    def _call(
        self, method: str, request: VerificationRequest, body: bytes | None = None
    ) -> Answer | None:
        """None for 404. Raises ServiceDown for whatever is neither that nor 200."""
        answer = self._http.call(
            method,
            f"{PATH}{request.account_id}/verifications/{request.verification_id}/",
            organization_id=request.organization_id,
            body=body,
        )
        if answer.status == 404:
            return None
        if answer.status != 200:
            log.error("unexpected answer", of=self._http.service, status=answer.status)
            raise ServiceDown(self._http.service)
        return answer
