"""Finds the servers and tools that are already on this machine."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

# Where packages put programs that are not on everybody's PATH.
POSTGRES_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
SERVER_FOLDERS = ("/opt/homebrew/sbin", "/opt/homebrew/bin", "/usr/local/sbin", "/usr/local/bin")
# Before PATH: on Debian, PATH has wrappers that insist on `su` to the account rabbitmq.
RABBITMQ_FOLDERS = ("/usr/lib/rabbitmq/bin", "/opt/rabbitmq/sbin", "/usr/lib/rabbitmq/sbin")


@dataclass(frozen=True, slots=True)
class Postgres:
    """The programs of one PostgreSQL version."""

    initdb: Path
    postgres: Path


@dataclass(frozen=True, slots=True)
class RabbitMQ:
    """The programs of RabbitMQ and of the Erlang that it runs on."""

    server: Path
    control: Path
    epmd: Path


def find_postgres() -> Postgres | None:
    """The newest PostgreSQL that has both the server and initdb."""
    folders = [folder for pattern in POSTGRES_FOLDERS for folder in _matching(pattern)]
    folders.sort(key=_version, reverse=True)
    initdb = shutil.which("initdb")
    if initdb:
        folders.append(Path(initdb).resolve().parent)
    for folder in folders:
        if _runs(folder / "initdb") and _runs(folder / "postgres"):
            return Postgres(folder / "initdb", folder / "postgres")
    return None


def find_redis() -> Path | None:
    """redis-server, or Valkey, which speaks the same protocol."""
    return _find("redis-server", SERVER_FOLDERS) or _find("valkey-server", SERVER_FOLDERS)


def find_rabbitmq() -> RabbitMQ | None:
    """RabbitMQ's own scripts, and epmd."""
    server = _find("rabbitmq-server", RABBITMQ_FOLDERS + SERVER_FOLDERS, path_last=True)
    control = _find("rabbitmqctl", RABBITMQ_FOLDERS + SERVER_FOLDERS, path_last=True)
    erlang = _matching("/usr/lib/erlang/erts-*/bin")
    epmd = _find("epmd", (*SERVER_FOLDERS, *map(str, erlang)))
    if server and control and epmd:
        return RabbitMQ(server, control, epmd)
    return None


def find_node() -> tuple[Path, Path] | None:
    """node and npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    return (Path(node), Path(npm)) if node and npm else None


def _find(name: str, folders: tuple[str, ...], *, path_last: bool = False) -> Path | None:
    on_path = shutil.which(name)
    candidates = [Path(folder) / name for folder in folders]
    if on_path:
        candidates.insert(len(candidates) if path_last else 0, Path(on_path))
    return next((candidate for candidate in candidates if _runs(candidate)), None)


def _matching(pattern: str) -> list[Path]:
    return sorted(Path("/").glob(pattern.lstrip("/")))


def _version(folder: Path) -> tuple[int, ...]:
    digits = "".join(c if c.isdigit() else " " for c in str(folder))
    return tuple(int(number) for number in digits.split())


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
