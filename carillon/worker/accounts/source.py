"""Where accounts come from: the gateway, which alone can decrypt them."""

from typing import Protocol

import msgspec
import structlog

from carillon.clients.http import InternalHTTP, ServiceDown
from carillon.contracts.provider_accounts import ActiveAccounts

log = structlog.get_logger(__name__)

PATH = "/internal/provider-accounts/"


class AccountSource(Protocol):
    """Says with which accounts an organization sends on a channel."""

    def fetch(self, organization_id: str, channel: str) -> ActiveAccounts:
        """The active ones in their order; empty where it has none. Raises ServiceDown."""
        ...


class _Answer(msgspec.Struct, frozen=True):
    data: ActiveAccounts


class GatewayAccounts:
    """Asks the gateway's internal API."""

    def __init__(self, http: InternalHTTP) -> None:
        self._http = http
        self._decoder = msgspec.json.Decoder(_Answer)

    def fetch(self, organization_id: str, channel: str) -> ActiveAccounts:
        """Raises ServiceDown.

        Also for an answer that is not 200: an organization whose accounts are not known is not
        one without accounts, and its messages must not leave in the platform's name.
        """
        answer = self._http.call(
            "GET", PATH, organization_id=organization_id, query=f"channel={channel}"
        )
        if answer.status != 200:
            log.error("unexpected answer", of=self._http.service, status=answer.status)
            raise ServiceDown(self._http.service)
        try:
            return self._decoder.decode(answer.body).data
        except msgspec.MsgspecError:
            # Without the cause: its text may quote a secret.
            log.error("unreadable answer", of=self._http.service)
            raise ServiceDown(self._http.service) from None
