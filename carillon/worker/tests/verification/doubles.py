"""A gateway that waits for checks as a test wants, and providers that can be tested."""

import threading
from collections.abc import Callable
from uuid import uuid4

from carillon.clients.http import ServiceDown
from carillon.contracts.provider_accounts import ProviderAccount
from carillon.contracts.verification import VerificationRequest, VerificationResult
from carillon.settings import Environment
from carillon.worker.tests.accounts.doubles import ACME
from carillon.worker.tests.doubles import RecordingProvider


def request_of(account: ProviderAccount) -> VerificationRequest:
    return VerificationRequest(
        verification_id=uuid4(),
        account_id=account.account_id,
        organization_id=ACME,
        correlation_id="corr_0123456789abcdef01234567",
    )


class GatewayDouble:
    """Waits for the checks in `waiting`; `down` is how often it does not answer first."""

    def __init__(self) -> None:
        self.waiting: dict[VerificationRequest, ProviderAccount] = {}
        self.results: list[VerificationResult] = []
        self.down = 0
        self.asked = 0
        self._change = threading.Condition()

    def wait_for(self, account: ProviderAccount) -> VerificationRequest:
        request = request_of(account)
        self.waiting[request] = account
        return request

    def account_of(self, request: VerificationRequest) -> ProviderAccount | None:
        with self._change:
            self.asked += 1
            self._change.notify_all()
            self._answer()
            return self.waiting.get(request)

    def tell(self, request: VerificationRequest, result: VerificationResult) -> bool:
        with self._change:
            self._answer()
            if self.waiting.pop(request, None) is None:
                return False
            self.results.append(result)
            self._change.notify_all()
            return True

    def wait_results(self, count: int) -> list[VerificationResult]:
        with self._change:
            assert self._change.wait_for(lambda: len(self.results) >= count, 60), self.results
            return list(self.results)

    def wait_asked(self, count: int) -> None:
        with self._change:
            assert self._change.wait_for(lambda: self.asked >= count, 60), self.asked

    def _answer(self) -> None:
        if self.down:
            self.down -= 1
            raise ServiceDown("gateway")


class VerifiableProvider(RecordingProvider):
    """Says what `behave` returns, or raises it."""

    def __init__(self, behave: Callable[[], str]) -> None:
        super().__init__("sendgrid")
        self.verifies = behave
        self.verified = 0

    def verify(self) -> str:
        self.verified += 1
        return self.verifies()


class Adapters:
    """SendGrid's adapter in a worker: it remembers what it was made of, and what was made."""

    def __init__(self, behave: Callable[[], str] = lambda: "It works.") -> None:
        self.behave = behave
        self.keys: list[str] = []
        self.made: list[VerifiableProvider] = []

    def make(self, env: Environment) -> VerifiableProvider:
        self.keys.append(env.text("SENDGRID_API_KEY"))
        self.made.append(VerifiableProvider(self.behave))
        return self.made[-1]
