"""`manage.py` commands as processes of their own, on the test database."""

import http.client
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]

Start = Callable[..., "subprocess.Popen[bytes]"]


@contextmanager
def commands(name: str, rabbitmq_url: str) -> Iterator[Start]:
    """`start(SETTING="value")` starts `manage.py <name>`; all of them are ended at last."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> subprocess.Popen[bytes]:
        database = connection.settings_dict
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "gateway" / "manage.py"), name],
            env={
                **os.environ,
                "GATEWAY_DATABASE_URL": (
                    f"postgresql://{database['USER']}:{database['PASSWORD']}"
                    f"@{database['HOST']}:{database['PORT']}/{database['NAME']}"
                ),
                "RABBITMQ_URL": rabbitmq_url,
                f"{name.upper()}_PORT": "0",
                **environment,
            },
            stdout=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()


def ask(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a process's own HTTP server; status 0 where there is none."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.read()
    except OSError:
        return 0, b""
    finally:
        link.close()
