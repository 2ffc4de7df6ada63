"""A private Redis."""

import os
from typing import ClassVar

import redis

from deploy.local.child import Command, Layer
from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.private_files import write_private
from deploy.local.programs import find_redis
from deploy.local.servers.base import Server

DATABASES = 64  # each test suite takes one of its own


class Redis(Server):
    """Redis with a password; what it holds survives a restart unless it is not durable."""

    name: ClassVar[str] = "redis"

    @property
    def url(self) -> str:
        return self.database_url(0)

    def database_url(self, number: int) -> str:
        """The address of database `number`, 0 to DATABASES - 1."""
        return f"redis://:{self._password}@{HOST}:{self.port}/{number}"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings = {
            "bind": HOST,
            "port": str(self.port),
            # In a file, not in the arguments, which every user of the machine can see.
            "requirepass": self._password,
            "dir": f'"{self.folder.resolve()}"',
            "databases": str(DATABASES),
            "daemonize": "no",
            "appendonly": "yes" if self._durable else "no",
            "save": '""',
            # Counters and locks must never be evicted: an error is better than a lost quota.
            "maxmemory-policy": "noeviction",
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        write_private(self.folder / "redis.conf", text)

    def command(self) -> Command:
        program = find_redis()
        if program is None:
            raise StackError("Redis is not installed; `make run` installs it")
        return Command(
            name=self.name,
            argv=(str(program), str(self.folder / "redis.conf")),
            environment={**os.environ, "LC_ALL": "C"},
            folder=self.folder,
            layer=Layer.SERVER,
        )

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                client.ping()
        except redis.RedisError:
            return False
        return True
