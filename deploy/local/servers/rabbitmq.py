"""A private RabbitMQ with an epmd of its own."""

import base64
import hashlib
import json
import os
import secrets
import subprocess
import time
from pathlib import Path
from typing import ClassVar

import pika  # type: ignore[import-untyped]
import pika.exceptions  # type: ignore[import-untyped]

from deploy.local.child import Child, Command, Layer
from deploy.local.errors import StackError
from deploy.local.ports import HOST, accepts, private_port
from deploy.local.private_files import write_private
from deploy.local.programs import RabbitMQ as Programs
from deploy.local.programs import find_rabbitmq
from deploy.local.roster import Roster
from deploy.local.servers.base import POLL, START_TIMEOUT, Server

USER = "carillon"
NODE = "carillon@localhost"
CONTROL_TIMEOUT = 120  # seconds for one rabbitmqctl, which starts a virtual machine each time

# A laptop's disk may be nearly full and its memory shared: alarms, which stop all publishing,
# come late on the disk (RabbitMQ would refuse below 50 MB in any case) and early in memory.
DISK_FREE_LIMIT = "50MB"
MEMORY_LIMIT = "1GiB"
WRITE_AHEAD_LOG = 64 * 1024 * 1024  # bytes, of the quorum queues; the default is 512 MB

# Erlang's schedulers spin while idle, for latency; on a laptop that is heat.
ERLANG_OPTIONS = "+sbwt none +sbwtdcpu none +sbwtdio none"


class RabbitMQ(Server):
    """RabbitMQ without plugins, with one user who may do everything in the given virtual hosts.

    `virtual_hosts` are made at the start, which costs nothing, where a rabbitmqctl costs
    two seconds. The first is the one that `url` names.
    """

    name: ClassVar[str] = "rabbitmq"

    def __init__(
        self,
        folder: Path,
        *,
        roster: Roster,
        password: str,
        durable: bool = True,
        virtual_hosts: tuple[str, ...] = ("carillon",),
    ) -> None:
        super().__init__(folder, roster=roster, password=password, durable=durable)
        self._virtual_hosts = virtual_hosts
        self._distribution_port = private_port()
        self._epmd_port = private_port()

    @property
    def url(self) -> str:
        return self.virtual_host_url(self._virtual_hosts[0])

    def virtual_host_url(self, name: str) -> str:
        """The address of one of the virtual hosts."""
        return f"amqp://{USER}:{self._password}@{HOST}:{self.port}/{name}"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self.folder / "rabbitmq.conf", self._configuration())
        write_private(self.folder / "definitions.json", json.dumps(self._definitions()))
        write_private(self.folder / "enabled_plugins", "[].\n")
        write_private(self.folder / "environment", "")
        write_private(self.folder / "advanced.config", "[].\n")

    def command(self) -> Command:
        return Command(
            name=self.name,
            argv=(str(_programs().server),),
            environment=self._environment(),
            folder=self.folder,
            grace=30.0,
            layer=Layer.SERVER,
        )

    def launch(self) -> Child:
        """Start epmd, then RabbitMQ."""
        self._start_epmd()
        return super().launch()

    def stop(self) -> None:
        """Stop RabbitMQ, then its epmd."""
        super().stop()
        self._roster.stop(self._epmd)

    def kill(self) -> None:
        """SIGKILL RabbitMQ, then its epmd."""
        super().kill()
        self._roster.kill(self._epmd)

    def answers(self) -> bool:
        if not accepts(self.port):
            return False
        try:
            pika.BlockingConnection(pika.URLParameters(self.url)).close()
        except pika.exceptions.AMQPError:
            return False
        return True

    def control(self, *arguments: str) -> str:
        """Run rabbitmqctl on this node; its output. Raises StackError where it fails."""
        result = subprocess.run(
            [str(_programs().control), "--quiet", *arguments],
            env=self._environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=CONTROL_TIMEOUT,
            check=False,
        )
        if result.returncode != 0:
            raise StackError(f"rabbitmqctl {' '.join(arguments)}: {result.stderr.strip()}")
        return result.stdout

    @property
    def _epmd(self) -> str:
        return f"{self.name}-epmd"

    def _start_epmd(self) -> None:
        """In the foreground and before RabbitMQ, which else leaves behind a daemon of its own.

        With this one listening, Erlang's own attempt to start epmd ends at once.
        """
        epmd = self._roster.start(
            Command(
                name=self._epmd,
                argv=(str(_programs().epmd), "-port", str(self._epmd_port), "-address", HOST),
                environment=self._environment(),
                folder=self.folder,
                layer=Layer.FOUNDATION,
            ),
            show=False,
        )
        deadline = time.monotonic() + START_TIMEOUT
        while not accepts(self._epmd_port):
            if epmd.returncode is not None or time.monotonic() > deadline:
                raise StackError(f"epmd does not listen on port {self._epmd_port}")
            time.sleep(POLL)

    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("RABBITMQ_", "ERL_"))}
        return {
            **kept,
            "HOME": folder,  # of Erlang's cookie
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/environment",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_OPTIONS,
            # The script then becomes the server instead of waiting for it: our SIGTERM reaches
            # Erlang, which stops in an orderly way.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _configuration(self) -> str:
        settings = {
            "load_definitions": str(self.folder / "definitions.json"),
            "disk_free_limit.absolute": DISK_FREE_LIMIT,
            "vm_memory_high_watermark.absolute": MEMORY_LIMIT,
            "raft.wal_max_size_bytes": str(WRITE_AHEAD_LOG),
            "log.console": "true",
            "log.console.level": "warning",
            "log.file": "false",
        }
        return "".join(f"{name} = {value}\n" for name, value in settings.items())

    def _definitions(self) -> dict[str, object]:
        return {
            "vhosts": [{"name": name} for name in self._virtual_hosts],
            "users": [{"name": USER, "password_hash": _hash(self._password), "tags": ""}],
            "permissions": [
                {"user": USER, "vhost": name, "configure": ".*", "write": ".*", "read": ".*"}
                for name in self._virtual_hosts
            ],
        }


def _hash(password: str) -> str:
    """Salted SHA-256, as https://www.rabbitmq.com/docs/passwords gives it."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _programs() -> Programs:
    found = find_rabbitmq()
    if found is None:
        raise StackError("RabbitMQ is not installed; `make run` installs it")
    return found
