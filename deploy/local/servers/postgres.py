"""A private PostgreSQL."""

import os
import pwd
import shutil
import signal
from pathlib import Path
from typing import ClassVar

import psycopg

from deploy.local.child import Command, Layer
from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.private_files import write_private
from deploy.local.programs import find_postgres
from deploy.local.servers.base import Server
from deploy.local.servers.data_folder import make_data_folder

USER = "carillon"
# PostgreSQL will not run as root; Debian's package makes this account.
ACCOUNT = "postgres"
INITDB_TIMEOUT = 120.0  # seconds

# After a kill -9 nothing is lost but the last transactions' durability against a power cut.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Server):
    """PostgreSQL over TCP alone (no socket file), one superuser with a password."""

    name: ClassVar[str] = "postgres"

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self._password}@{HOST}:{self.port}/postgres"

    def prepare(self) -> None:
        user = _account()
        data = make_data_folder(self.folder, user)
        version = data / "PG_VERSION"
        if version.is_file():
            self._check_version(version.read_text(encoding="ascii").strip())
            return
        # initdb wants a folder that is empty: an earlier one may have been interrupted.
        for left_over in data.iterdir():
            shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink()
        self._initialise(data, user)

    def command(self) -> Command:
        options = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "log_min_messages": "warning",
            **({} if self._durable else NOT_DURABLE),
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        data = self.folder.resolve()
        return Command(
            name=self.name,
            argv=(str(_programs()[1]), "-D", str(data), *settings),
            environment=_environment(),
            folder=data,
            user=_account(),
            # "Fast": ends the sessions that are left, then checkpoints. SIGTERM would wait for
            # the clients to leave.
            stop_signal=signal.SIGINT,
            grace=20.0,
            layer=Layer.SERVER,
        )

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _initialise(self, data: Path, user: str | None) -> None:
        password = data.parent / f".{self.name}-password-{os.getpid()}"
        write_private(password, self._password + "\n")
        if user:
            shutil.chown(password, user)
        try:
            self._roster.run(
                Command(
                    name="initdb",
                    argv=(
                        str(_programs()[0]),
                        f"--pgdata={data}",
                        f"--username={USER}",
                        f"--pwfile={password}",
                        "--auth=scram-sha-256",
                        "--encoding=UTF8",
                        "--locale=C",
                        *([] if self._durable else ["--no-sync"]),
                    ),
                    environment=_environment(),
                    folder=data,
                    user=user,
                    layer=Layer.SERVER,
                ),
                timeout=INITDB_TIMEOUT,
            )
        finally:
            password.unlink()

    def _check_version(self, version: str) -> None:
        installed = str(_programs()[1])
        folder_version = next((p for p in Path(installed).parts if p.isdigit()), version)
        if folder_version != version:
            raise StackError(
                f"The data in {self.folder} is PostgreSQL {version}'s and PostgreSQL "
                f"{folder_version} is installed. `make clean` deletes the data."
            )


def _programs() -> tuple[Path, Path]:
    found = find_postgres()
    if found is None:
        raise StackError("PostgreSQL is not installed; `make run` installs it")
    return found.initdb, found.postgres


def _account() -> str | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(ACCOUNT).pw_name
    except KeyError:
        raise StackError(
            f"PostgreSQL does not run as root, and there is no account {ACCOUNT} to run it as. "
            "Run this as another user."
        ) from None


def _environment() -> dict[str, str]:
    """PG* variables of the person who runs this must not reach the server's programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}
