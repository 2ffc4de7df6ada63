"""The settings of a stack: what the platform's processes are told, and `.local/env` says."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.paths import ROOT
from deploy.local.ports import HOST
from deploy.local.private_files import read_values
from deploy.local.processes import PROCESSES

# What a person may set otherwise, in the environment or in .env.
DEFAULTS = {
    "ENVIRONMENT": "local",
    "LOG_FORMAT": "console",
    "ALLOWED_HOSTS": f"localhost,{HOST}",
    # Twelve gunicorn workers would keep a laptop busy for ten seconds before the first request.
    "WEB_CONCURRENCY": "2",
    "HEALTH_HOST": HOST,
}

# Of the person's shell, these would turn our processes into somebody else's.
STRANGERS = ("DJANGO_SETTINGS_MODULE", "PROMETHEUS_MULTIPROC_DIR", "SETTINGS_FILES", "PYTHONPATH")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers are that the platform stands on."""

    database: str
    redis: str
    rabbitmq: str
    smtp: str

    def settings(self) -> dict[str, str]:
        """As the settings call them."""
        return {
            "DATABASE_URL": self.database,
            "REDIS_URL": self.redis,
            "RABBITMQ_URL": self.rabbitmq,
            "SMTP_URL": self.smtp,
        }


def given(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a person has set: .env, and above it the environment; empty values count as unset."""
    values = {**read_values(ROOT / ".env"), **environment}
    return {name: value for name, value in values.items() if value.strip()}


def stack_settings(
    *,
    addresses: Addresses,
    ports: Mapping[str, int],
    credentials: Mapping[str, str],
    given: Mapping[str, str],
) -> dict[str, str]:
    """Every setting of the stack; what a person has set wins, but for where things are."""
    choices = {
        **DEFAULTS,
        "SECRET_KEY": credentials["SECRET_KEY"],
        "INTERNAL_API_SECRET": credentials["INTERNAL_API_SECRET"],
        "LINK_SECRETS": credentials["LINK_SECRETS"],
        "CREDENTIALS_KEYS": credentials["CREDENTIALS_KEYS"],
        # Links in mails lead to the gateway of this machine, unless a person says where it is.
        "PUBLIC_URL": PROCESSES["gateway"].address(ports["gateway"]),
    }
    chosen = {name: given.get(name, value) for name, value in choices.items()}
    places = {
        process.setting: process.address(ports[process.name]) for process in PROCESSES.values()
    }
    return {**chosen, **addresses.settings(), **places}


def child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a process of the stack."""
    inherited = {name: value for name, value in os.environ.items() if name not in STRANGERS}
    return {**inherited, **settings}
