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

GUNICORN = ("-m", "gunicorn", "-c", "python:carillon.web.gunicorn", "--bind", "{address}")


@dataclass(frozen=True, slots=True)
class Process:
    """How to become a process, and where it answers: on `port` unless `setting` says otherwise.

    `arguments` follow `python`; {address} in them becomes HOST:PORT.
    """

    arguments: tuple[str, ...]
    setting: str
    default_port: int

    @property
    def port(self) -> str:
        """The port that it listens on."""
        return os.environ.get(self.setting, "").strip() or str(self.default_port)

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command; a container listens on every address that it has."""
        address = f"0.0.0.0:{self.port}"
        return ("python", *(argument.format(address=address) for argument in self.arguments))

    @property
    def health_url(self) -> str:
        """Liveness, on this machine."""
        return f"http://127.0.0.1:{self.port}/health/live/"


def _service(name: str) -> tuple[str, ...]:
    return (*GUNICORN, f"{name}.wsgi:application")


PROCESSES = {
    "gateway": Process(_service("gateway"), "GATEWAY_PORT", 8000),
    "user_service": Process(_service("user_service"), "USER_SERVICE_PORT", 8001),
    "template_service": Process(_service("template_service"), "TEMPLATE_SERVICE_PORT", 8002),
    "relay": Process(("gateway/manage.py", "relay"), "RELAY_PORT", 9101),
    "events": Process(("gateway/manage.py", "events"), "EVENTS_PORT", 9102),
    "email_worker": Process(("-m", "email_worker"), "EMAIL_WORKER_PORT", 9103),
    "sms_worker": Process(("-m", "sms_worker"), "SMS_WORKER_PORT", 9104),
    "push_worker": Process(("-m", "push_worker"), "PUSH_WORKER_PORT", 9105),
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
            os.execvp("python", process.command)  # noqa: S606
        case ["health"]:
            return 0 if is_alive(process.health_url) else 1
    sys.stderr.write("usage: carillon-process start [COMMAND …] | health\n")
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
