"""`python -m email_worker doctor`: what a worker needs, looked over without sending anything."""

import sys
from collections.abc import Iterator, Mapping
from functools import partial

from carillon.doctor.findings import Finding, examine, problem, warning, well
from carillon.doctor.rabbitmq_checks import MEND as RABBITMQ_MEND
from carillon.doctor.rabbitmq_checks import check_rabbitmq
from carillon.doctor.redis_checks import MEND as REDIS_MEND
from carillon.doctor.redis_checks import check_redis
from carillon.doctor.report import status, write
from carillon.settings import Environment, SettingsError
from carillon.worker.registry import ProviderFactory, configured_providers
from carillon.worker.settings import WorkerSettings

# It shows messages instead of sending them.
SHOWING = "console"


def run(
    settings: WorkerSettings,
    registry: Mapping[str, Mapping[str, ProviderFactory]],
    env: Environment,
    *,
    as_json: bool,
) -> int:
    """Print what was found; the exit status."""
    findings = [
        *provider_findings(settings, registry, env),
        *examine(
            {
                "redis": (
                    partial(check_redis, settings.redis_url, must_last=env.is_production),
                    REDIS_MEND,
                ),
                "rabbitmq": (
                    partial(
                        check_rabbitmq,
                        settings.rabbitmq_url,
                        [channel.name for channel in settings.channels],
                    ),
                    RABBITMQ_MEND,
                ),
            }
        ),
    ]
    write(findings, sys.stdout, as_json=as_json)
    return status(findings)


def provider_findings(
    settings: WorkerSettings,
    registry: Mapping[str, Mapping[str, ProviderFactory]],
    env: Environment,
) -> Iterator[Finding]:
    """Whether each provider that a channel names has all its settings."""
    for channel in settings.channels:
        subject = f"{channel.name} providers"
        try:
            configured = configured_providers(channel.name, registry[channel.name], env)
        except SettingsError as error:
            yield problem(subject, str(error), "docs/providers/ has a page for each provider.")
            continue
        names = [each.provider.name for each in configured]
        for each in configured:
            each.provider.close()
        yield well(subject, f"{', then '.join(names)}: their settings are complete")
        if SHOWING in names and env.is_production:
            yield warning(
                subject,
                "console sends nothing: messages would be shown and count as delivered",
                f"Name a provider in {channel.name.upper()}_PROVIDERS.",
            )
