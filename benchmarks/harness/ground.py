"""Where scenarios take place: private servers, the platform, its peers, a mail sink."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import psycopg
import requests

from benchmarks.harness import broker
from benchmarks.harness.programs import PEERS, PEERS_PYTHON
from benchmarks.harness.sink import Sink
from carillon.broker import topology
from deploy.local.child import Child, Command, Layer
from deploy.local.concurrently import together
from deploy.local.console import Console
from deploy.local.credentials import new_credentials
from deploy.local.environment import Addresses, child_environment
from deploy.local.errors import StackError
from deploy.local.ports import HOST, private_port
from deploy.local.processes import PROCESSES
from deploy.local.roster import Roster
from deploy.local.servers.base import Server, start_server
from deploy.local.servers.postgres import Postgres
from deploy.local.servers.rabbitmq import RabbitMQ
from deploy.local.servers.redis import Redis
from tests.end_to_end.stack import Stack, Tenant

# Every web server that is compared runs with these, and as many processes; the gateway by
# WEB_CONCURRENCY and WEB_THREADS.
WEB_THREADS = 4
GUNICORN = (
    "--worker-class=gthread",
    f"--threads={WEB_THREADS}",
    "--keep-alive=75",
    "--log-level=warning",
    "--worker-tmp-dir=/dev/shm",
)

SETTINGS = {
    "WEB_THREADS": str(WEB_THREADS),
    "EMAIL_PROVIDERS": "smtp",
    "EMAIL_WORKER_PROCESSES": "2",
    "LOG_LEVEL": "WARNING",
    # One client asks for all of it, for one recipient.
    "PLAN_ENTERPRISE_REQUESTS_PER_MINUTE": "6000000",
    "RECIPIENT_LIMIT": "100000000",
}
PEERS_VIRTUAL_HOST = "peers"
PEERS_REDIS_DATABASE = 5
PEERS_DATABASE = "recipe"
RECIPE_QUEUE = "celery"  # Celery's default
LANES = "lanes"
"""The process that measures a flood, on a platform of its own."""

TEMPLATE = "welcome"
SUBJECT = "Welcome, {{ name }}!"
CONTENT = "Hi {{ name }},\n\nThanks for joining {{ company }}!"
VARIABLES = {"name": "Ada", "company": "Example"}

# What accepts needs: the gateway, and whom it asks where a cache is cold.
WEB = tuple(name for name, process in PROCESSES.items() if process.web)

START_TIMEOUT = 180.0  # seconds
ANSWERS_BELOW = 500


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: `rounds` of `seconds` of load, or of so many `messages`.

    `warm_up` and `rollup_interval` (between two looks for what analytics has to count) are in
    seconds, `web_processes` are those of each web server.
    """

    rounds: int
    seconds: float
    warm_up: float
    web_processes: int
    rollup_interval: float
    messages: int
    flood: int
    rows: int
    memory: int


FULL = Scale(
    rounds=5,
    seconds=5.0,
    warm_up=4.0,
    web_processes=4,
    rollup_interval=5.0,
    messages=12_000,
    flood=50_000,
    rows=1_000_000,
    memory=100_000,
)
QUICK = Scale(
    rounds=1,
    seconds=1.0,
    warm_up=1.0,
    web_processes=1,
    rollup_interval=0.5,
    messages=2_000,
    flood=2_000,
    rows=20_000,
    memory=2_000,
)


@dataclass(frozen=True, slots=True)
class Peer:
    """A web server that is measured beside ours."""

    url: str
    pid: int
    headers: Mapping[str, str]


class Ground:
    """Starts what a scenario asks for when it first does, on private ports and in one folder."""

    def __init__(self, folder: Path, roster: Roster, console: Console, scale: Scale) -> None:
        credentials = new_credentials()
        data = folder / "data"
        self.folder = folder
        self.roster = roster
        self.console = console
        self.scale = scale
        self.sink = Sink(lambda: roster.closed)
        self.postgres = Postgres(
            data / "postgres", roster=roster, password=credentials["POSTGRES_PASSWORD"]
        )
        self.redis = Redis(data / "redis", roster=roster, password=credentials["REDIS_PASSWORD"])
        self.rabbitmq = RabbitMQ(
            data / "rabbitmq",
            roster=roster,
            password=credentials["RABBITMQ_PASSWORD"],
            virtual_hosts=("carillon", PEERS_VIRTUAL_HOST),
        )

    def start(self) -> None:
        """The servers and the sink; raises StackError."""
        servers: list[Server] = [self.postgres, self.redis, self.rabbitmq]
        together([partial(start_server, server, self.console) for server in servers])
        self.sink.__enter__()

    def close(self) -> None:
        """End everything."""
        if "stack" in self.__dict__:
            self.stack.organizations.close()
        for child in self.roster.children():
            # LANES has a platform to end, and is given the time for it when the roster is stopped.
            if child.command.layer is Layer.PLATFORM and child.name != LANES:
                self.roster.kill(child.name)
        self.sink.__exit__()

    # --- ours

    @cached_property
    def stack(self) -> Stack:
        """The platform, all of it running."""
        addresses = Addresses(
            database=self.postgres.url,
            redis=self.redis.url,
            rabbitmq=self.rabbitmq.url,
            smtp=self.sink.url,
        )
        settings = {
            **SETTINGS,
            "WEB_CONCURRENCY": str(self.scale.web_processes),
            "ANALYTICS_INTERVAL": f"{self.scale.rollup_interval:g}",
        }
        stack = Stack(self.folder / "stack", addresses, settings, roster=self.roster)
        with self.console.step("Starting the platform"):
            stack.start()
        return stack

    @cached_property
    def tenant(self) -> Tenant:
        """An organization that may send as much as it likes, with the template TEMPLATE."""
        tenant = self.stack.new_tenant("--plan", "enterprise")
        tenant.make_template(TEMPLATE, subject=SUBJECT, content=CONTENT, variables=list(VARIABLES))
        return tenant

    @cached_property
    def user_id(self) -> str:
        """A user of that organization."""
        return self.tenant.make_user(email="ada@example.com")

    def only(self, *names: str) -> None:
        """Let exactly these processes of the platform run, so that no other takes its share."""
        platform = self.stack.platform
        running = {child.name for child in self.roster.children()}
        for name in PROCESSES:
            if name in running and name not in names:
                platform.stop(name)
        for name in names:
            if name not in running:
                platform.start_process(name)

    def stop_platform(self) -> None:
        """Let none of its processes run, whether it was started before or not."""
        for name in PROCESSES:
            self.roster.stop(name)

    @contextmanager
    def process(self, name: str, **settings: str) -> Iterator[Child]:
        """Run a process of the platform, which is stopped, with other settings."""
        port = private_port()
        process = PROCESSES[name]
        own = {**self.stack.settings, process.setting: process.address(port), **settings}
        metrics = self.folder / "metrics"
        (metrics / name).mkdir(parents=True, exist_ok=True)
        child = self.roster.start(process.command(port, child_environment(own), metrics))
        try:
            yield child
        except StackError as error:
            raise StackError(f"{error}\n{child.last_words()}") from error
        finally:
            self.roster.stop(name)

    def pid(self, name: str) -> int:
        """The process of that name; raises StackError where it does not run."""
        for child in self.roster.children():
            if child.name == name:
                return child.pid
        raise StackError(f"{name} does not run")

    def execute(self, statement: str) -> None:
        """Change the gateway's database."""
        with psycopg.connect(self.postgres.url, dbname="gateway") as connection:
            connection.execute(statement.encode())

    # --- the peers

    @property
    def peers_rabbitmq_url(self) -> str:
        """A virtual host that the platform does not use."""
        return self.rabbitmq.virtual_host_url(PEERS_VIRTUAL_HOST)

    def peer_environment(self) -> dict[str, str]:
        """What the peers are told; nothing of ours."""
        url = self.postgres.url.rpartition("/")[0]
        return {
            "PATH": f"{PEERS_PYTHON.parent}:/usr/bin:/bin",
            "PYTHONUNBUFFERED": "1",
            "PEER_DATABASE_URL": f"{url}/{PEERS_DATABASE}",
            "PEER_REDIS_URL": self.redis.database_url(PEERS_REDIS_DATABASE),
            "PEER_RABBITMQ_URL": self.peers_rabbitmq_url,
            "PEER_SMTP_PORT": str(self.sink.port),
        }

    def peer_command(self, name: str, *arguments: str, **more: str) -> Command:
        """`python ARGUMENTS` in the peers' environment and folder."""
        return Command(
            name=name,
            argv=(str(PEERS_PYTHON), *arguments),
            environment={**self.peer_environment(), **more},
            folder=PEERS,
        )

    def start_peer(self, name: str, *arguments: str, **more: str) -> Child:
        """Start a peer's process; `more` are settings of it."""
        return self.roster.start(self.peer_command(name, *arguments, **more), show=False)

    def run_peer(self, name: str, *arguments: str, timeout: float = 300.0) -> str:
        """Run a peer's program to its end; what it printed. Raises StackError."""
        command = self.peer_command(name, *arguments)
        ran = subprocess.run(
            command.argv,
            env=dict(command.environment),
            cwd=command.folder,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if ran.returncode != 0:
            raise StackError(f"{name} failed:\n{ran.stdout}{ran.stderr}")
        return ran.stdout

    @contextmanager
    def peer(self, name: str, *arguments: str, **more: str) -> Iterator[Child]:
        """A peer's process for as long as it is needed."""
        child = self.start_peer(name, *arguments, **more)
        try:
            yield child
        finally:
            self.roster.stop(name)

    def start_web_peer(self, name: str, application: str) -> tuple[str, int]:
        """Start a WSGI application under the common flags; its URL and process."""
        port = private_port()
        own = (f"--workers={self.scale.web_processes}", f"--bind={HOST}:{port}")
        child = self.start_peer(name, "-m", "gunicorn", *GUNICORN, *own, application)
        url = f"http://{HOST}:{port}"
        deadline = time.monotonic() + START_TIMEOUT
        while not _answers(url):
            if child.returncode is not None or time.monotonic() > deadline:
                raise StackError(f"{name} did not start; see {child.log}")
            time.sleep(0.1)
        return url, child.pid

    @cached_property
    def empty(self) -> Peer:
        """The empty REST framework view."""
        url, pid = self.start_web_peer("empty_view", "empty_view:application")
        return Peer(url, pid, {})

    @cached_property
    def recipe(self) -> Peer:
        """The usual recipe's web server, with a key and a template; its worker does not run."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {PEERS_DATABASE}".encode())
        self.run_peer("recipe-migrate", "-m", "recipe", "migrate", "--run-syncdb")
        wanted = json.dumps({"name": TEMPLATE, "subject": SUBJECT, "body": CONTENT})
        key = self.run_peer("recipe-seed", "-m", "recipe", "seed", wanted).split()[-1]
        url, pid = self.start_web_peer("recipe", "recipe.wsgi:application")
        return Peer(url, pid, {"X-API-Key": key})

    @contextmanager
    def recipe_worker(self) -> Iterator[None]:
        """The recipe's Celery worker, ready to work, with as many processes as ours."""
        celery = ("-m", "celery", "-A", "recipe.celery", "worker", "--loglevel=WARNING")
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        with self.peer("recipe_worker", *celery, *quiet, "--concurrency=2"):
            yield

    # --- between scenarios

    def clear(self) -> None:
        """Forget what was accepted and not delivered, so that nobody is paid for another's work."""
        if "stack" in self.__dict__:
            self.only(*WEB)
            self.execute("DELETE FROM outbox_outboxmessage")
            broker.purge(self.rabbitmq.url, *(queue.name for queue in topology.queues()))
        if "recipe" in self.__dict__:
            broker.purge(self.peers_rabbitmq_url, RECIPE_QUEUE)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code < ANSWERS_BELOW
    except requests.RequestException:
        return False
