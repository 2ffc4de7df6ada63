"""What a worker needs to send through organizations' accounts, put together once."""

from collections.abc import Mapping
from dataclasses import dataclass

from carillon.clients.http import InternalHTTP
from carillon.settings import Environment
from carillon.worker.accounts.cache import AccountCache
from carillon.worker.accounts.making import AccountProviders
from carillon.worker.accounts.orders import AccountOrders
from carillon.worker.accounts.source import AccountSource, GatewayAccounts
from carillon.worker.redis_link import RedisLink
from carillon.worker.registry import ProviderFactory

SECRET_EXAMPLE = "the-output-of-openssl-rand-hex-32"  # noqa: S105  an example


@dataclass(frozen=True, slots=True)
class AccountSetup:
    """Where accounts come from, and how providers are made of them."""

    source: AccountSource
    registry: Mapping[str, Mapping[str, ProviderFactory]]
    env: Environment

    def orders(self, channel: str, link: RedisLink) -> AccountOrders:
        """Those of one channel."""
        cache = AccountCache(self.source, channel)
        return AccountOrders(
            channel, cache, AccountProviders(self.registry[channel], self.env), link
        )


def account_setup(
    registry: Mapping[str, Mapping[str, ProviderFactory]], env: Environment
) -> AccountSetup | None:
    """Where the gateway can be asked, else None. Raises SettingsError."""
    http = gateway_http(env)
    return None if http is None else AccountSetup(GatewayAccounts(http), registry, env)


def gateway_http(env: Environment) -> InternalHTTP | None:
    """From GATEWAY_URL and INTERNAL_API_SECRET; None where one is not set. Raises SettingsError."""
    if not (env.text("GATEWAY_URL", "") and env.text("INTERNAL_API_SECRET", "")):
        return None
    url = env.url("GATEWAY_URL", schemes=("http", "https"), example="http://127.0.0.1:8000")
    secret = env.secrets("INTERNAL_API_SECRET", example=SECRET_EXAMPLE)[0]
    return InternalHTTP("gateway", url, secret)
