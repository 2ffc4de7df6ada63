"""What a worker needs to verify organizations' accounts, put together once."""

from collections.abc import Mapping

from carillon.settings import Environment
from carillon.worker.accounts.making import AccountProviders
from carillon.worker.accounts.setup import gateway_http
from carillon.worker.redis_link import RedisLink
from carillon.worker.registry import ProviderFactory
from carillon.worker.settings import WorkerSettings
from carillon.worker.verification.gateway import GatewayVerifications
from carillon.worker.verification.verifier import Bell, Verifier


def verifier_of(
    settings: WorkerSettings,
    registry: Mapping[str, Mapping[str, ProviderFactory]],
    env: Environment,
) -> Verifier | None:
    """For the worker's channels; None where the gateway cannot be asked. Raises SettingsError."""
    http = gateway_http(env)
    if http is None:
        return None
    channels = tuple(channel.name for channel in settings.channels)
    return Verifier(
        Bell(RedisLink(settings.redis_url), channels),
        GatewayVerifications(http),
        {channel: AccountProviders(registry[channel], env) for channel in channels},
    )
