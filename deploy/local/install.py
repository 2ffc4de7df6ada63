"""Installs the servers that this machine lacks, where that can be done without asking."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection
from importlib.util import find_spec
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.programs import find_postgres, find_rabbitmq, find_redis

SCRIPT = Path(__file__).with_name("install-servers.sh")
TIMEOUT = 900  # seconds; a slow mirror may need minutes for Erlang

HOMEBREW = "brew install postgresql@17 redis rabbitmq node"
DOCKER = "`docker compose up` starts the same platform and needs nothing but Docker"


# The setting that makes a private server unnecessary, its Debian package, and what finds it.
SERVERS: tuple[tuple[str, str, Callable[[], object]], ...] = (
    ("DATABASE_URL", "postgresql", find_postgres),
    ("REDIS_URL", "redis-server", find_redis),
    ("RABBITMQ_URL", "rabbitmq-server", find_rabbitmq),
)


def missing_servers(settings: Collection[str]) -> list[str]:
    """The Debian packages of the servers that were not found and whose setting is not given."""
    return [
        package for setting, package, find in SERVERS if setting not in settings and find() is None
    ]


def missing_venv() -> list[str]:
    """Debian splits ensurepip, without which there is no virtual environment, into a package."""
    return [] if find_spec("ensurepip") else ["python3-venv"]


def install(packages: list[str]) -> None:
    """Install Debian packages; raises StackError, saying what else to do, where that is no way."""
    command = [*installer(packages), "sh", str(SCRIPT), *packages]
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if result.returncode != 0:
        end = "\n".join(f"    {line}" for line in result.stderr.splitlines()[-15:])
        raise StackError(f"apt-get could not install {' '.join(packages)}:\n{end}\n  {DOCKER}.")


def installer(packages: list[str]) -> list[str]:
    """The prefix of a command that installs; raises StackError where there is no way to."""
    if shutil.which("apt-get") is None:
        raise StackError(advice(packages))
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        raise StackError(
            f"{' '.join(packages)} must be installed, and neither root nor sudo is at hand. "
            f"Ask an administrator for `apt-get install {' '.join(packages)}`, or: {DOCKER}."
        )
    # Without a terminal nobody could answer the question for the password.
    return [sudo] if sys.stdin.isatty() else [sudo, "-n"]


def advice(packages: list[str]) -> str:
    """What to do on a machine without apt-get."""
    if sys.platform == "darwin":
        return (
            f"Not found: {' '.join(packages)}. Install them with Homebrew:\n"
            f"    {HOMEBREW}\n  Or: {DOCKER}."
        )
    return (
        f"Not found: {' '.join(packages)} (names of Debian's packages), and there is no apt-get "
        f"here to install them. Install them with this system's own packages, set DATABASE_URL, "
        f"REDIS_URL and RABBITMQ_URL to servers that you have, or: {DOCKER}."
    )
