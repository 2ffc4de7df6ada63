"""Which providers there are for a channel, and how each is made from settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from carillon.contracts.channels import CHANNELS
from carillon.contracts.provider import Provider
from carillon.settings import Environment, SettingsError
from carillon.worker.providers.console import ConsoleProvider
from carillon.worker.providers.sandbox import SandboxProvider
from carillon.worker.rate_limit import Rate

ProviderFactory = Callable[[Environment], Provider]
"""Makes a provider from its own settings. Raises SettingsError where one is missing or bad."""

EVERYWHERE: Mapping[str, ProviderFactory] = {
    "console": ConsoleProvider.from_environment,
    "sandbox": SandboxProvider.from_environment,
}
"""The providers that serve every channel."""


@dataclass(frozen=True, slots=True)
class ConfiguredProvider:
    """A provider in its place in a channel's order, with its rate limit if it has one."""

    provider: Provider
    rate: Rate | None


def configured_providers(
    channel: str, known: Mapping[str, ProviderFactory], env: Environment
) -> tuple[ConfiguredProvider, ...]:
    """The channel's providers in the order of `<CHANNEL>_PROVIDERS` (default: CHANNELS).

    Each may have `<CHANNEL>_<PROVIDER>_RATE_PER_SECOND` (0: no limit; default: what it declares)
    and `…_RATE_BURST`.
    Raises SettingsError, also for a name that is not in `known` or is there twice.
    """
    setting = f"{channel.upper()}_PROVIDERS"
    default = CHANNELS[channel].default_providers
    names = env.names(setting, default)
    listed = ", ".join(sorted(known))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        problem = f"names no provider of {channel}: {', '.join(unknown) or 'it is empty'}"
        raise SettingsError(setting, f"{problem} (known: {listed})", ",".join(default))
    if len(set(names)) < len(names):
        raise SettingsError(setting, "names a provider twice", ",".join(default))
    providers = ((name, known[name](env)) for name in names)
    return tuple(
        ConfiguredProvider(
            provider,
            _rate(f"{channel}_{name}".upper(), provider.capabilities.rate_per_second, env),
        )
        for name, provider in providers
    )


def _rate(prefix: str, default: float, env: Environment) -> Rate | None:
    per_second = env.number(f"{prefix}_RATE_PER_SECOND", default, most=1e6)
    if per_second == 0:
        return None
    burst = env.integer(f"{prefix}_RATE_BURST", max(1, round(per_second)), least=1, most=10**6)
    return Rate(per_second, burst)
