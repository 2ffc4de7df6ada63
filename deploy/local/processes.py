"""The table of the platform's processes: what each is called, how it starts, where it answers."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.child import Command
from deploy.local.paths import ROOT
from deploy.local.ports import HOST

# Longer than what gunicorn (25 s) and the workers (30 s) allow themselves to finish their work.
GRACE = 35.0  # seconds


@dataclass(frozen=True, slots=True)
class PlatformProcess:
    """One process; `setting` names the setting that says where it is, `port` where it likes to be.

    `arguments` follow `python`; {address} in them becomes HOST:PORT.
    """

    name: str
    arguments: tuple[str, ...]
    setting: str
    port: int
    web: bool = False

    def health_url(self, port: int, kind: str = "live") -> str:
        """Where it says that it is alive ("live") or that it can work ("ready")."""
        return f"http://{HOST}:{port}/health/{kind}/"

    def address(self, port: int) -> str:
        """The value of its setting: a URL for a web service, a port for the others."""
        return f"http://{HOST}:{port}" if self.web else str(port)

    def command(self, port: int, environment: Mapping[str, str], metrics: Path) -> Command:
        """How to start it. Whoever does empties its folder in `metrics` first."""
        own = {**environment, "PYTHONUNBUFFERED": "1"}
        # A worker of several processes makes a temporary folder for its metrics: what a kill -9
        # leaves of it goes with the next start.
        own["PROMETHEUS_MULTIPROC_DIR" if self.web else "TMPDIR"] = str(metrics / self.name)
        address = f"{HOST}:{port}"
        return Command(
            name=self.name,
            argv=(sys.executable, *(part.format(address=address) for part in self.arguments)),
            environment=own,
            folder=ROOT,
            grace=GRACE,
        )


def _web(name: str, port: int) -> PlatformProcess:
    gunicorn = ("-m", "gunicorn", "-c", "python:carillon.web.gunicorn", "--bind", "{address}")
    arguments = (*gunicorn, f"{name}.wsgi:application")
    return PlatformProcess(name, arguments, f"{name.upper()}_URL", port, web=True)


def _command(name: str, port: int) -> PlatformProcess:
    return PlatformProcess(name, ("gateway/manage.py", name), f"{name.upper()}_PORT", port)


def _worker(name: str, port: int) -> PlatformProcess:
    return PlatformProcess(name, ("-m", name), f"{name.upper()}_PORT", port)


PROCESSES: dict[str, PlatformProcess] = {
    process.name: process
    for process in (
        _web("gateway", 8000),
        _web("user_service", 8001),
        _web("template_service", 8002),
        _command("relay", 9101),
        _command("events", 9102),
        _worker("email_worker", 9103),
        _worker("sms_worker", 9104),
        _worker("push_worker", 9105),
    )
}

# Each service's database on the server, and the setting that names another in full.
DATABASES = {
    "gateway": ("gateway", "GATEWAY_DATABASE_URL"),
    "template_service": ("templates", "TEMPLATE_SERVICE_DATABASE_URL"),
    "user_service": ("users", "USER_SERVICE_DATABASE_URL"),
}
