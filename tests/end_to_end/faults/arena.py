"""Where faults are injected: private servers, a proxy on every link, the platform, the witness."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import redis

from carillon.testing.proxy import TCPProxy
from carillon.worker.dedupe import PRESENCE_PREFIX
from deploy.local.child import Command, Layer
from deploy.local.credentials import new_credentials
from deploy.local.environment import Addresses, child_environment
from deploy.local.errors import StackError
from deploy.local.health import answers
from deploy.local.paths import ROOT
from deploy.local.platform import private_ports
from deploy.local.ports import private_port
from deploy.local.processes import PROCESSES
from deploy.local.roster import Roster
from deploy.local.servers.base import Server
from deploy.local.servers.data_folder import remove_data_folder
from deploy.local.servers.postgres import Postgres
from deploy.local.servers.rabbitmq import RabbitMQ
from deploy.local.servers.redis import Redis
from tests.end_to_end.faults.api_provider import APIProvider
from tests.end_to_end.faults.provider import Mood, Provider
from tests.end_to_end.faults.settings import SETTINGS
from tests.end_to_end.stack import Stack, Tenant, proxied

# A worker's presence, a breaker's rest, a request that may still be under way: 15 to 30 seconds.
TIMERS = (f"{PRESENCE_PREFIX}*", "worker:breaker:*", "carillon:request:*")

# Those that the gateway asks.
SERVICES = ("user_service", "template_service")

POLL = 0.1  # seconds
PROCESS_TIMEOUT = 120.0  # seconds
# Processes that are started at the same time.
AT_ONCE = 3
# For how long a server that takes no new connections is left to its old ones, in seconds.
DRAIN = 2.0


class Arena:
    """Everything that a scenario may break, and the tenant that it sends for.

    All processes are children of `roster`: once that is stopped, every wait here ends.
    """

    def __init__(
        self, folder: Path, roster: Roster, settings: dict[str, str], *, for_speed: bool
    ) -> None:
        self._closing = ExitStack()
        self._folder = folder
        self._settings = settings
        self._for_speed = for_speed
        self.roster = roster
        credentials = new_credentials()
        data = folder / "data"
        self.postgres = Postgres(
            data / "postgres", roster=roster, password=credentials["POSTGRES_PASSWORD"]
        )
        self.redis = Redis(data / "redis", roster=roster, password=credentials["REDIS_PASSWORD"])
        self.rabbitmq = RabbitMQ(
            data / "rabbitmq", roster=roster, password=credentials["RABBITMQ_PASSWORD"]
        )
        self.provider = Provider(folder / "accepted.log", durable=not for_speed)
        self.api_provider = APIProvider(self.provider)
        self.links: dict[str, TCPProxy] = {}

    def start(self) -> None:
        """Start everything; raises StackError."""
        servers: list[Server] = [self.postgres, self.redis, self.rabbitmq]
        with ThreadPoolExecutor(len(servers)) as pool:
            list(pool.map(lambda server: server.start(), servers))
        self._closing.enter_context(self.provider)
        self._closing.enter_context(self.api_provider)
        addresses = Addresses(
            database=self._link("PostgreSQL", self.postgres.url),
            redis=self._link("Redis", self.redis.url),
            rabbitmq=self._link("RabbitMQ", self.rabbitmq.url),
            smtp=self._link("provider", f"smtp://127.0.0.1:{self.provider.port}"),
        )
        ports = private_ports()
        services = {
            f"{name.upper()}_URL": self._link(name, f"http://127.0.0.1:{ports[name]}")
            for name in SERVICES
        }
        # Clients reach the gateway directly, but for those who go through a load balancer.
        self._link("gateway", f"http://127.0.0.1:{ports['gateway']}")
        settings = {**self._settings, **services}
        self.stack = Stack(
            self._folder / "stack", addresses, settings, roster=self.roster, ports=ports
        )
        self._closing.callback(self.stack.organizations.close)
        self.stack.start()
        self.tenant = self.stack.new_tenant("--plan", "enterprise")
        self.user_id = self.tenant.make_user()

    def close(self) -> None:
        """End every process and thread that was started, and delete what PostgreSQL stored."""
        self.provider.mood = Mood.ACCEPT
        for link in self.links.values():
            link.heal()
        # Nobody waits for what they were doing; the servers are given the time to put away.
        for child in self.roster.children():
            if child.command.layer is Layer.PLATFORM:
                self.roster.kill(child.name)
        self.roster.stop_all()
        self._closing.close()
        # It may lie outside of the arena's own folder.
        remove_data_folder(self.postgres.folder)

    # --- time

    def pause(self, seconds: float) -> None:
        """Wait; raises StackError where everything is being stopped."""
        self.wait_until(lambda: False, seconds)

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Whether it came true within `timeout` seconds. Raises StackError as `pause` does."""
        deadline = time.monotonic() + timeout
        while not condition():
            if self.roster.closed:
                raise StackError("stopped")
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL)
        return True

    # --- processes

    @contextmanager
    def doubled(self, names: Sequence[str]) -> Iterator[None]:
        """Run a second process of each of these names."""
        seconds = [self._start_beside(name)[0] for name in names]
        try:
            yield
        finally:
            for second in seconds:
                self.roster.stop(second)

    def roll_out(self, names: Sequence[str], replaced: Callable[[str], None]) -> None:
        """Replace processes as a load balancer's owner does, and say so of each.

        A second one is up before the first is told to end, and nothing new comes over the link to
        that one by then. Afterwards all are what they were.
        """
        with ThreadPoolExecutor(AT_ONCE) as pool:
            seconds = dict(zip(names, pool.map(self._start_beside, names), strict=True))
            for name, (_, port) in seconds.items():
                self._lead(name, self.stack.platform.ports[name], port)
                self.stack.platform.stop(name)
                replaced(name)
            list(pool.map(self.stack.platform.start_process, names))
        for name, (second, port) in seconds.items():
            self._lead(name, port, self.stack.platform.ports[name])
            self.roster.stop(second)

    def _lead(self, name: str, old: int, new: int) -> None:
        link = self.links.get(name)
        if link:
            link.lead_to(new)
            self.wait_until(lambda: not link.leads_to(old), DRAIN)

    @contextmanager
    def replaced(self, name: str, *arguments: str, **settings: str) -> Iterator[Command]:
        """Run `python ARGUMENTS` with other settings in the place of a process, on its port."""
        port = self.stack.platform.ports[name]
        self.stack.platform.stop(name)
        process = replace(PROCESSES[name], arguments=arguments)
        environment = child_environment({**self.stack.settings, **settings})
        metrics = self._folder / "metrics"
        (metrics / name).mkdir(parents=True, exist_ok=True)
        command = process.command(port, environment, metrics)
        self.roster.start(command)
        self._wait_alive(process.health_url(port))
        try:
            yield command
        finally:
            if not self.roster.closed:
                self.stack.platform.stop(name)
                self.stack.platform.start_process(name)

    def ready(self, name: str) -> bool:
        """Whether a process says that it can work."""
        return answers(self.stack.platform.health("ready")[name]) == 200

    def let_time_pass(self) -> None:
        """Let Redis's timers run out: what is dead is known to be, and may be tried again."""
        with redis.Redis.from_url(self.redis.url) as client:
            for pattern in TIMERS:
                for key in client.scan_iter(pattern):
                    client.delete(key)

    def manage(self, *arguments: str, timeout: float = 120.0) -> "subprocess.CompletedProcess[str]":
        """Run `python gateway/manage.py ARGUMENTS`."""
        return subprocess.run(
            [sys.executable, "gateway/manage.py", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.stack.settings},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def _start_beside(self, name: str) -> tuple[str, int]:
        """What the second process is called, and its port."""
        port = private_port()
        process = PROCESSES[name]
        settings = {**self.stack.settings, process.setting: process.address(port)}
        second = replace(process, name=f"{name}-2")
        metrics = self._folder / "metrics"
        (metrics / second.name).mkdir(parents=True, exist_ok=True)
        self.roster.start(second.command(port, child_environment(settings), metrics))
        self._wait_alive(process.health_url(port))
        return second.name, port

    def _wait_alive(self, url: str) -> None:
        if not self.wait_until(lambda: answers(url) == 200, PROCESS_TIMEOUT):
            raise StackError(f"{url} did not answer within {PROCESS_TIMEOUT:.0f} s")

    def _link(self, name: str, url: str) -> str:
        if self._for_speed:
            return url
        proxy, through = proxied(url)
        self.links[name] = self._closing.enter_context(proxy)
        return through

    def new_tenant(self, quota: int) -> tuple[Tenant, str]:
        """A tenant with a monthly quota, and a user of it."""
        tenant = self.stack.new_tenant("--plan", "pro", "--quota", str(quota))
        return tenant, tenant.make_user()


@contextmanager
def arena(
    folder: Path, roster: Roster | None = None, *, for_speed: bool = False, **settings: str
) -> Iterator[Arena]:
    """A started arena, ended afterwards whatever happens; `settings` beside SETTINGS.

    One `for_speed` has no proxies on its links, which cost as much as what they carry, and a
    provider that does not wait for its disk.
    """
    roster = roster or Roster(folder, folder / "logs")
    made = Arena(folder, roster, {**SETTINGS, **settings}, for_speed=for_speed)
    try:
        made.start()
        yield made
    finally:
        made.close()
