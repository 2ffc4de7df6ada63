"""A gateway that says what a test wants, and accounts for it to tell of."""

import threading
from typing import Any

from carillon.clients.http import ServiceDown
from carillon.contracts.provider_accounts import ActiveAccounts, ProviderAccount

SECRET = "SG.canary-5e1e93cad6fc054d8e7"
ACME = "org_0193f2c6a7b87d1e9c0a5b4d3e2f1a00"


def account(number: int = 1, **fields: Any) -> ProviderAccount:
    """An account with SendGrid."""
    return ProviderAccount(
        **{
            "account_id": f"acct_{number:032x}",
            "channel": "email",
            "provider": "sendgrid",
            "sender": "Acme <hello@acme.example>",
            "credentials": {"api_key": SECRET},
            **fields,
        }
    )


def active(*accounts: ProviderAccount) -> ActiveAccounts:
    """What the gateway says of these, where the platform does not stand in."""
    return ActiveAccounts(accounts)


class GatewayDouble:
    """Answers with `accounts`, by organization; `down` answers nobody."""

    def __init__(self, **accounts: tuple[ProviderAccount, ...]) -> None:
        self.accounts: dict[str, tuple[ProviderAccount, ...]] = dict(accounts)
        self.with_stand_ins: set[str] = set()
        self.down = False
        self.calls: list[tuple[str, str]] = []
        self.before_answer = threading.Event()
        self.before_answer.set()
        self._guard = threading.Lock()

    def fetch(self, organization_id: str, channel: str) -> ActiveAccounts:
        with self._guard:
            self.calls.append((organization_id, channel))
        assert self.before_answer.wait(60)
        if self.down:
            raise ServiceDown("gateway")
        found = self.accounts.get(organization_id, ())
        return ActiveAccounts(found, organization_id in self.with_stand_ins)
