"""On what was measured: without it the numbers say little."""

import os
import platform
import re
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from deploy.local import programs


@dataclass(frozen=True, slots=True)
class Machine:
    """What a reader needs to judge the numbers; memory in GB."""

    processor: str
    cores: int
    memory: float
    system: str
    versions: dict[str, str]

    def line(self) -> str:
        """All of it, for people."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return (
            f"{self.cores} cores of {self.processor}, {self.memory:.0f} GB, "
            f"{self.system}; {versions}"
        )

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def describe() -> Machine:
    """This machine and the versions of what runs on it."""
    packages = ("django", "djangorestframework", "gunicorn", "pika", "psycopg", "redis")
    return Machine(
        processor=_first(Path("/proc/cpuinfo"), r"model name\s*:\s*(.+)") or platform.machine(),
        cores=os.cpu_count() or 1,
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        system=_first(Path("/etc/os-release"), r'PRETTY_NAME="(.+)"') or platform.platform(),
        versions={
            "Python": platform.python_version(),
            **_servers(),
            **{package: metadata.version(package) for package in packages},
        },
    )


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def _first(file: Path, pattern: str) -> str:
    found = re.search(pattern, file.read_text(encoding="utf-8")) if file.is_file() else None
    return found.group(1).strip() if found else ""


def _servers() -> dict[str, str]:
    postgres = programs.find_postgres()
    if postgres is None:
        return {}
    number = next((part for part in postgres.postgres.parts if part.isdigit()), "")
    return {"PostgreSQL": number} if number else {}
