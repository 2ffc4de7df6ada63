"""Who verifies the callbacks of an organization's own account: found by its id, and remembered.

An attacker learns nothing here: an account that is not there, of another provider, or without
callbacks is answered as a wrong signature is.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from uuid import UUID

import structlog
from django.conf import settings

from carillon.contracts import ids
from carillon.contracts.provider_callbacks import CALLBACK_SHAPES
from gateway.callbacks.models import AccountCallbacks
from gateway.callbacks.registry import make_provider
from gateway.callbacks.requests import CallbackProvider
from gateway.connections import credential_sealer
from gateway.provider_accounts.sealing import CredentialSealer, Unreadable

log = structlog.get_logger(__name__)

# Seconds. A deleted account's last callbacks, and a secret that was changed.
REMEMBERED = 60.0
ACCOUNTS_MOST = 2_000

PURPOSE = "callbacks"
"""What a sealed token is for; credentials for sending do not open as callbacks' secrets."""


@dataclass(frozen=True, slots=True)
class AccountVerifier:
    """Verifies one account's callbacks, which are about one organization's messages alone."""

    organization: UUID
    provider: CallbackProvider


Load = Callable[[str, str], AccountVerifier | None]


class AccountVerifiers:
    """Bounded in number and in time; shared by the threads of a process.

    That there is none is not remembered: somebody is setting it up, or makes up ids, which would
    push out the others.
    """

    def __init__(self, load: Load, clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], tuple[float, AccountVerifier]] = OrderedDict()

    def find(self, account_id: str, provider: str) -> AccountVerifier | None:
        """None where no such account takes such callbacks. Raises Django's database errors."""
        key = account_id, provider
        with self._lock:
            known = self._known.get(key)
            if known is not None and self._clock() < known[0]:
                self._known.move_to_end(key)
                return known[1]
        found = self._load(account_id, provider)
        with self._lock:
            self._known.pop(key, None)
            if found is not None:
                self._known[key] = self._clock() + REMEMBERED, found
            while len(self._known) > ACCOUNTS_MOST:
                self._known.popitem(last=False)
        return found


@cache
def account_verifiers() -> AccountVerifiers:
    """Those of this process."""
    return AccountVerifiers(load_verifier)


def load_verifier(account_id: str, provider: str) -> AccountVerifier | None:
    """Out of the database. Raises Django's database errors."""
    stored = (
        AccountCallbacks.objects.select_related("account")
        .filter(pk=account_id, account__provider=provider)
        .first()
    )
    if stored is None:
        return None
    organization = ids.parse_id(ids.ORGANIZATION, stored.account.organization_id)
    try:
        secrets = verifying_secrets(stored, credential_sealer())
        made = make_provider(provider, secrets, settings.GATEWAY.callbacks.replay_seconds)
    except (Unreadable, ValueError, LookupError) as error:
        # Without its text, which may quote a secret.
        log.error(
            "an account's callbacks cannot be verified", account=account_id, cause=type(error)
        )
        return None
    return AccountVerifier(organization, made) if organization is not None else None


def verifying_secrets(stored: AccountCallbacks, sealer: CredentialSealer) -> Mapping[str, str]:
    """The callbacks' own secrets, and what the credentials lend. Raises Unreadable."""
    account = stored.account
    lent: Mapping[str, str] = {}
    names = CALLBACK_SHAPES[account.provider].lent
    if names:
        credentials = sealer.unseal(account.pk, account.organization_id, bytes(account.sealed))
        lent = {name: credentials[name] for name in names}
    return {**lent, **unseal_secrets(stored, sealer)}


def seal_secrets(
    account_id: str, organization_id: str, secrets: dict[str, str], sealer: CredentialSealer
) -> bytes:
    """The token to store."""
    return sealer.seal(f"{account_id}/{PURPOSE}", organization_id, secrets)


def unseal_secrets(stored: AccountCallbacks, sealer: CredentialSealer) -> dict[str, str]:
    """What was set. Raises Unreadable."""
    account = stored.account
    whose = f"{account.pk}/{PURPOSE}"
    return sealer.unseal(whose, account.organization_id, bytes(stored.sealed))
