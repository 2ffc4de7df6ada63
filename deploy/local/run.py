"""`make run`: the whole platform on this machine, a first notification, and then the logs."""

import time
from functools import partial

from deploy.local.concurrently import together
from deploy.local.console import Console
from deploy.local.credentials import kept_credentials
from deploy.local.databases import create_databases, migrate
from deploy.local.demo import send_demo
from deploy.local.environment import Addresses, child_environment, given, stack_settings
from deploy.local.errors import StackError
from deploy.local.interruptible import run_until_stopped
from deploy.local.leftovers import end_leftovers
from deploy.local.mailbox import SMTP_PORT, WEB_PORT, Mailbox
from deploy.local.paths import LOCAL
from deploy.local.platform import Platform, preferred_ports
from deploy.local.ports import chosen_port, next_free
from deploy.local.private_files import write_values
from deploy.local.processes import PROCESSES
from deploy.local.roster import Roster
from deploy.local.servers.base import Server, start_server
from deploy.local.servers.postgres import Postgres
from deploy.local.servers.rabbitmq import RabbitMQ
from deploy.local.servers.redis import Redis
from deploy.local.state import StackLock, StateFile
from deploy.local.status import places_table, say_already_running
from deploy.local.stream import LogStream
from deploy.local.supervisor import Supervisor

ENV_HEADING = "Written by `make run`, removed when it stops: where everything is, and the secrets."


def main(_arguments: list[str], console: Console) -> int:
    """Run until Ctrl-C, SIGTERM or `make stop`; 0 then, 1 where the platform cannot run."""
    lock = StackLock(LOCAL)
    if not lock.acquire():
        return say_already_running(console)
    console.heading("Carillon: the whole platform on this machine. Ctrl-C stops it.")
    ended = end_leftovers(LOCAL)
    if ended:
        console.warn(f"An earlier run was killed; ended what it left: {', '.join(ended)}")
    for log in LOCAL.logs.glob("*.log"):
        log.unlink()
    stream = LogStream()
    state = StateFile(LOCAL, time.time())
    roster = Roster(LOCAL.path, LOCAL.logs, record=state.record, on_line=stream.line)
    stack = LocalStack(console, roster, state, stream)
    try:
        return run_until_stopped(
            stack.run, roster, console, stopping="Stopping the platform", when_stopped=0
        )
    finally:
        stream.close()
        # Nobody may talk to a stack that is gone.
        LOCAL.env.unlink(missing_ok=True)
        LOCAL.state.unlink(missing_ok=True)
        lock.release()


class LocalStack:
    """Brings up servers, databases, mailbox and platform, shows that they work, and watches."""

    def __init__(
        self, console: Console, roster: Roster, state: StateFile, stream: LogStream
    ) -> None:
        self._console = console
        self._roster = roster
        self._state = state
        self._stream = stream
        self._begun = time.monotonic()
        self._given = given()
        self._credentials = kept_credentials(LOCAL.secrets)
        self._mailbox = self._new_mailbox()

    def run(self) -> int:
        """All of it, in order; returns only when the roster is closed."""
        settings, platform = self._start()
        try:
            send_demo(settings, self._console)
        except StackError as error:
            # The platform is up: whoever wants to know why finds it running.
            self._console.line(f"\n  The demo failed. {error}", colour="31")
        self._state.set_ready()
        elapsed = time.monotonic() - self._begun
        self._console.line(f"\nUp in {elapsed:.0f} s. Where to look:")
        for line in places_table(self._places(platform)):
            self._console.line(f"  {line}")
        self._console.heading(
            "\nThe logs follow (make logs in another shell). Ctrl-C stops it all."
        )
        self._stream.open()
        Supervisor(self._roster, self._console).watch()
        return 0

    def _start(self) -> tuple[dict[str, str], Platform]:
        servers = self._servers()
        # Migrations call nobody: where the others will be does not matter to them.
        usual = {process.name: process.port for process in PROCESSES.values()}
        migrating = self._settings(servers, usual)
        together(
            [
                partial(self._start_databases, servers.get("DATABASE_URL"), migrating),
                *(
                    partial(start_server, server, self._console)
                    for name, server in servers.items()
                    if name != "DATABASE_URL"
                ),
                *([self._start_mailbox] if self._mailbox else []),
            ]
        )
        # Chosen as late as can be: a port that is free now may be taken in ten seconds.
        ports = preferred_ports(self._given)
        self._say_moved(ports)
        settings = self._settings(servers, ports)
        write_values(LOCAL.env, settings, heading=ENV_HEADING)
        platform = Platform(LOCAL, roster=self._roster, settings=settings, ports=ports)
        self._state.describe(health=platform.health("ready"), places=self._places(platform))
        with self._console.step("Starting the platform"):
            platform.start(self._console)
        return settings, platform

    def _settings(self, servers: dict[str, Server], ports: dict[str, int]) -> dict[str, str]:
        return stack_settings(
            addresses=self._addresses(servers),
            ports=ports,
            credentials=self._credentials,
            given=self._given,
        )

    def _servers(self) -> dict[str, Server]:
        """A private server for each setting that nobody has set."""
        kinds: dict[str, type[Server]] = {
            "DATABASE_URL": Postgres,
            "REDIS_URL": Redis,
            "RABBITMQ_URL": RabbitMQ,
        }
        servers = {}
        for setting, kind in kinds.items():
            if setting in self._given:
                self._console.line(f"  . {kind.name}: using {setting} from the environment or .env")
                continue
            password = self._credentials[f"{kind.name.upper()}_PASSWORD"]
            servers[setting] = kind(LOCAL.data / kind.name, roster=self._roster, password=password)
        return servers

    def _addresses(self, servers: dict[str, Server]) -> Addresses:
        urls = {**self._given, **{setting: server.url for setting, server in servers.items()}}
        return Addresses(
            database=urls["DATABASE_URL"],
            redis=urls["REDIS_URL"],
            rabbitmq=urls["RABBITMQ_URL"],
            smtp=self._mailbox.smtp_url if self._mailbox else urls["SMTP_URL"],
        )

    def _start_databases(self, server: Server | None, settings: dict[str, str]) -> None:
        if server:
            start_server(server, self._console)
        with self._console.step("Migrating the three databases"):
            create_databases(settings)
            migrate(self._roster, child_environment(settings))

    def _new_mailbox(self) -> Mailbox | None:
        if "SMTP_URL" in self._given:
            return None
        smtp = next_free(SMTP_PORT)
        web = next_free(chosen_port("mailbox", WEB_PORT, self._given))
        return Mailbox(LOCAL.mails, roster=self._roster, smtp_port=smtp, web_port=web)

    def _start_mailbox(self) -> None:
        if self._mailbox:
            with self._console.step(f"Starting the mailbox on {self._mailbox.web_url}"):
                self._mailbox.start()

    def _say_moved(self, ports: dict[str, int]) -> None:
        for name, port in ports.items():
            wanted = chosen_port(name, PROCESSES[name].port, self._given)
            if port != wanted:
                self._console.warn(f"port {wanted} is taken: {name} is on {port}")

    def _places(self, platform: Platform) -> dict[str, str]:
        gateway = platform.url("gateway")
        mailbox = {"Mailbox": self._mailbox.web_url} if self._mailbox else {}
        return {
            **mailbox,
            "Swagger UI": f"{gateway}/api/docs/",
            "ReDoc": f"{gateway}/api/redoc/",
            "Health": f"{gateway}/health/",
            "Metrics": f"{gateway}/metrics",
            "Template service": f"{platform.url('template_service')}/api/docs/",
            "User service": f"{platform.url('user_service')}/api/docs/",
            "Logs": str(LOCAL.logs),
        }
