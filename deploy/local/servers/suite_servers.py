"""Private servers for tests, shared by suites that never see each other."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from deploy.local.concurrently import together
from deploy.local.console import Console
from deploy.local.credentials import new_credentials
from deploy.local.roster import Roster
from deploy.local.servers.base import start_server
from deploy.local.servers.postgres import Postgres
from deploy.local.servers.rabbitmq import RabbitMQ
from deploy.local.servers.redis import Redis

NOWHERE = "http://127.0.0.1:1"


class SuiteServers:
    """PostgreSQL, Redis and RabbitMQ, each tenant with a Redis database and a virtual host.

    Databases of PostgreSQL need no such division: pytest-django gives each service its own.
    """

    def __init__(self, folder: Path, roster: Roster, tenants: Sequence[str]) -> None:
        data = folder / "data"
        self._credentials = new_credentials()
        self._numbers = {name: number for number, name in enumerate(tenants, start=1)}
        self.postgres = Postgres(
            data / "postgres",
            roster=roster,
            password=self._credentials["POSTGRES_PASSWORD"],
            durable=False,
        )
        self.redis = Redis(
            data / "redis",
            roster=roster,
            password=self._credentials["REDIS_PASSWORD"],
            durable=False,
        )
        self.rabbitmq = RabbitMQ(
            data / "rabbitmq",
            roster=roster,
            password=self._credentials["RABBITMQ_PASSWORD"],
            durable=False,
            virtual_hosts=tuple(self._numbers),
        )

    def start(self, console: Console) -> None:
        """Start the three at once; raises StackError."""

        servers = (self.postgres, self.redis, self.rabbitmq)
        together([partial(start_server, server, console) for server in servers])

    def settings(self, tenant: str) -> dict[str, str]:
        """What the tests of a tenant are told."""
        return {
            "ENVIRONMENT": "local",
            "LOG_FORMAT": "console",
            "SETTINGS_FILES": "",
            "SECRET_KEY": self._credentials["SECRET_KEY"],
            "INTERNAL_API_SECRET": self._credentials["INTERNAL_API_SECRET"],
            "LINK_SECRETS": self._credentials["LINK_SECRETS"],
            "CREDENTIALS_KEYS": self._credentials["CREDENTIALS_KEYS"],
            "PUBLIC_URL": "https://carillon.example.com",
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.database_url(self._numbers[tenant]),
            "RABBITMQ_URL": self.rabbitmq.virtual_host_url(tenant),
            # Nobody is there: a test that wants a neighbour starts one.
            "GATEWAY_URL": NOWHERE,
            "USER_SERVICE_URL": NOWHERE,
            "TEMPLATE_SERVICE_URL": NOWHERE,
        }
