"""Where faults are injected: private servers, a proxy on every link, the platform, the witness."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from carillon.contracts.status import ENDS
from carillon.testing.proxy import TCPProxy
from deploy.local.credentials import new_credentials
from deploy.local.environment import Addresses
from deploy.local.roster import Roster
from deploy.local.servers.base import Server
from deploy.local.servers.postgres import Postgres
from deploy.local.servers.rabbitmq import RabbitMQ
from deploy.local.servers.redis import Redis
from tests.end_to_end.faults.provider import Mood, Provider
from tests.end_to_end.stack import Stack, proxied

# Production's delays are seconds to hours; what is promised does not depend on them.
SETTINGS = {
    "RETRY_DELAYS": "1,1,2,2,3,3,4,4,5,5",
    "MAX_ATTEMPTS": "60",
    "PLAN_ENTERPRISE_REQUESTS_PER_MINUTE": "6000000",
    "RECIPIENT_LIMIT": "1000000",
    "EMAIL_PROVIDERS": "smtp",
    "WEB_CONCURRENCY": "2",
    "LOG_LEVEL": "WARNING",
    "RECONCILE_INTERVAL": "2",
    "RECONCILE_STUCK_AFTER": "15",
}


class Arena:
    """Everything that a scenario may break, and the tenant that it sends for."""

    def __init__(self, folder: Path) -> None:
        self._closing = ExitStack()
        credentials = new_credentials()
        roster = Roster(folder / "servers", folder / "servers" / "logs")
        self._closing.callback(roster.stop_all)
        data = folder / "data"
        self.postgres = Postgres(
            data / "postgres", roster=roster, password=credentials["POSTGRES_PASSWORD"]
        )
        self.redis = Redis(data / "redis", roster=roster, password=credentials["REDIS_PASSWORD"])
        self.rabbitmq = RabbitMQ(
            data / "rabbitmq", roster=roster, password=credentials["RABBITMQ_PASSWORD"]
        )
        self.provider = Provider(folder / "accepted.log")
        self._folder = folder
        self.links: dict[str, TCPProxy] = {}

    def start(self) -> None:
        """Start everything; raises StackError."""
        servers: list[Server] = [self.postgres, self.redis, self.rabbitmq]
        with ThreadPoolExecutor(len(servers)) as pool:
            list(pool.map(lambda server: server.start(), servers))
        self._closing.enter_context(self.provider)
        addresses = Addresses(
            database=self._link("PostgreSQL", self.postgres.url),
            redis=self._link("Redis", self.redis.url),
            rabbitmq=self._link("RabbitMQ", self.rabbitmq.url),
            smtp=self._link("provider", f"smtp://127.0.0.1:{self.provider.port}"),
        )
        self.stack = Stack(self._folder / "stack", addresses, SETTINGS)
        self._closing.callback(self.stack.close)
        self.stack.start()
        self.tenant = self.stack.new_tenant("--plan", "enterprise")
        self.user_id = self.tenant.make_user()

    def close(self) -> None:
        """End every process and thread that was started."""
        for link in self.links.values():
            link.heal()
        self._closing.close()

    def new_template(self, code: str) -> str:
        """A template of its own for each scenario, so that its notifications are known by it."""
        self.tenant.make_template(code)
        return code

    def statuses(self, code: str) -> dict[str, int]:
        """How many notifications of the template are in each status."""
        rows = self._query(
            "SELECT status, count(*) FROM notifications_notification"
            " WHERE template_code = %s GROUP BY status",
            code,
        )
        return {str(status): int(count) for status, count in rows}

    def flagged(self, code: str) -> set[str]:
        """Notifications of which an attempt was marked as a possible duplicate."""
        rows = self._query(
            "SELECT DISTINCT n.id FROM notifications_notification n"
            " JOIN deliveries_deliveryattempt a ON a.notification_id = n.id"
            " WHERE n.template_code = %s AND a.possible_duplicate",
            code,
        )
        return {f"notif_{row[0].hex}" for row in rows}

    def settled(self, code: str, count: int, timeout: float = 120.0) -> dict[str, int]:
        """The statuses, as soon as `count` notifications have ended; fails after the timeout."""
        deadline = time.monotonic() + timeout
        while True:
            statuses = self.statuses(code)
            ended = sum(n for status, n in statuses.items() if status in {s.value for s in ENDS})
            if ended >= count:
                return statuses
            assert time.monotonic() < deadline, f"{code}: {statuses} of {count} after {timeout} s"
            time.sleep(0.1)

    def _link(self, name: str, url: str) -> str:
        proxy, through = proxied(url)
        self.links[name] = self._closing.enter_context(proxy)
        return through

    def _query(self, text: LiteralString, code: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres.url, dbname="gateway") as connection:
            return connection.execute(text, (code,)).fetchall()


@contextmanager
def arena(folder: Path) -> Iterator[Arena]:
    """A started arena, ended afterwards whatever happens."""
    made = Arena(folder)
    try:
        made.start()
        yield made
    finally:
        made.provider.mood = Mood.ACCEPT
        made.close()
