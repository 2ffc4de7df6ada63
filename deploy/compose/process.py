#!/usr/bin/env python
"""Inside a container: become the process that it is for, or ask that process whether it lives.

The image's entry point is `start`: without arguments it becomes PROCESS, with arguments it becomes
those instead (`python gateway/manage.py create_org Acme`). It replaces itself, so that signals
reach the process directly. The image's health check is `health`. Standard library alone.
"""

import os
import sys
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException

TIMEOUT = 4  # seconds; below the health check's own

PYTHON = "python"
GUNICORN = (PYTHON, "-m", "gunicorn", "-c", "python:carillon.web.gunicorn", "--bind")


@dataclass(frozen=True, slots=True)
class Process:
    """How to become a process, and where its health is asked. `setting` may change the port."""

    command: tuple[str, ...]
    port: int
    setting: str = ""

    @property
    def health_url(self) -> str:
        """Liveness, on this machine."""
        port = os.environ.get(self.setting, "") or self.port
        return f"http://127.0.0.1:{port}/health/live/"


def _service(name: str, port: int) -> Process:
    return Process((*GUNICORN, f"0.0.0.0:{port}", f"{name}.wsgi:application"), port)


PROCESSES = {
    "gateway": _service("gateway", 8000),
    "user_service": _service("user_service", 8001),
    "template_service": _service("template_service", 8002),
    "relay": Process((PYTHON, "gateway/manage.py", "relay"), 9101, "RELAY_PORT"),
    "events": Process((PYTHON, "gateway/manage.py", "events"), 9102, "EVENTS_PORT"),
    "email_worker": Process((PYTHON, "-m", "email_worker"), 9103, "EMAIL_WORKER_PORT"),
    "sms_worker": Process((PYTHON, "-m", "sms_worker"), 9104, "SMS_WORKER_PORT"),
    "push_worker": Process((PYTHON, "-m", "push_worker"), 9105, "PUSH_WORKER_PORT"),
}


def is_alive(url: str) -> bool:
    """True where `url` answers 200 in time."""
    # The environment's proxies are for the world outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


def main(arguments: list[str]) -> int:
    """`start [COMMAND …]` does not return; `health` gives 0 or 1."""
    name = os.environ.get("PROCESS", "")
    process = PROCESSES.get(name)
    match arguments:
        case ["start", *command] if command:
            os.execvp(command[0], command)  # noqa: S606  the operator's own command
        case _ if process is None:
            sys.stderr.write(f"PROCESS={name!r} is none of {', '.join(PROCESSES)}\n")
            return 64
        case ["start"]:
            os.execvp(process.command[0], process.command)  # noqa: S606
        case ["health"]:
            return 0 if is_alive(process.health_url) else 1
    sys.stderr.write("usage: carillon-process start [COMMAND …] | health\n")
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
