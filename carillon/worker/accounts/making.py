"""Makes a provider of an account, as the platform's own are made: from settings."""

from collections.abc import Mapping
from typing import NoReturn

import structlog

from carillon.contracts.messages import DeliveryJob
from carillon.contracts.provider import Capabilities, Provider
from carillon.contracts.provider_accounts import (
    ACCOUNT_SHAPES,
    ProviderAccount,
    UnusableAccount,
    settings_of,
)
from carillon.contracts.provider_callbacks import receipt_settings
from carillon.errors import PermanentFailure, Reason
from carillon.settings import Environment, GivenSettings, SettingsError
from carillon.worker.rate_limit import Rate
from carillon.worker.registry import ConfiguredProvider, ProviderFactory

log = structlog.get_logger(__name__)


class UnusableProvider:
    """Stands for an account of which no provider can be made, so that its attempts tell of it."""

    receipts = False
    capabilities = Capabilities()

    def __init__(self, name: str) -> None:
        self.name = name

    def send(self, job: DeliveryJob) -> NoReturn:
        """Raises PermanentFailure: nothing is sent."""
        raise _unusable_failure()

    def verify(self) -> NoReturn:
        """Raises PermanentFailure: nobody is asked."""
        raise _unusable_failure()

    def close(self) -> None:
        """There is nothing to close."""


class AccountProviders:
    """Makes the providers of one channel's accounts."""

    def __init__(self, known: Mapping[str, ProviderFactory], env: Environment) -> None:
        """`known` as in the registry; `env` has the operator's part of the settings."""
        self._known = known
        self._env = env
        # Else an account could make a worker knock at any door inside of the network.
        self._private = env.flag("PROVIDER_ACCOUNTS_PRIVATE_HOSTS", not env.is_production)

    def make(self, account: ProviderAccount) -> ConfiguredProvider:
        """Never fails: an account that is not usable becomes an UnusableProvider."""
        try:
            provider = self._known[account.provider](self._settings(account))
        except (KeyError, UnusableAccount) as error:
            return _unusable(account, type(error).__name__)
        except SettingsError as error:
            # Its name alone: its text may quote the value.
            return _unusable(account, error.name)
        except Exception as error:  # noqa: BLE001  a client's values must not stop a lane
            return _unusable(account, type(error).__name__)
        return ConfiguredProvider(provider, _rate(account, provider))

    def _settings(self, account: ProviderAccount) -> GivenSettings:
        """Raises UnusableAccount, or KeyError for a provider that is not known."""
        own = settings_of(account)
        operators = {
            name: self._env.text(name, "")
            for name in ACCOUNT_SHAPES[account.channel][account.provider].operators
        }
        return GivenSettings(
            {
                **operators,
                **own,
                **receipt_settings(account),
                "ENVIRONMENT": "production" if self._env.is_production else "local",
                "SMTP_PUBLIC_ONLY": "false" if self._private else "true",
            }
        )


def _unusable_failure() -> PermanentFailure:
    return PermanentFailure(
        "The organization's account with the provider cannot be used: its credentials or its "
        "sender are not valid.",
        reason=Reason.CONFIGURATION,
        code="account",
    )


def _unusable(account: ProviderAccount, cause: str) -> ConfiguredProvider:
    log.error(
        "unusable provider account",
        account=account.account_id,
        channel=account.channel,
        provider=account.provider,
        cause=cause,
    )
    return ConfiguredProvider(UnusableProvider(account.provider), None)


def _rate(account: ProviderAccount, provider: Provider) -> Rate | None:
    declared = provider.capabilities.rate_per_second
    per_second = declared if account.rate_per_second is None else account.rate_per_second
    return Rate(per_second, max(1, round(per_second))) if per_second > 0 else None
