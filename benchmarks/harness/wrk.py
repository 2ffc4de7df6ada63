"""Load over HTTP by wrk, which takes less of the machine than what it measures."""

import json
import re
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.programs import WRK
from deploy.local.errors import StackError

SCRIPT = Path(__file__).with_name("wrk.lua")
CONNECTIONS = 32
THREADS = 1
LONGER = (1, 4, 16)
"""Times the seconds, for each try."""
UNIQUE = "@@"
"""Becomes a different number in every request."""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw; latencies in ms."""

    requests: int
    seconds: float
    p50: float
    p95: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def post(
    url: str,
    body: object,
    headers: Mapping[str, str],
    *,
    seconds: float,
    connections: int = CONNECTIONS,
) -> Load:
    """POST `body` as fast as the server answers.

    Where an answer was an error, or there was none, it is done again for longer, since a rate of
    refusals is none: on a busy machine servers give up, and the first answer alone may take a
    second. Raises StackError if that is no accident.
    """
    for longer in LONGER:
        load, wrong = _post(url, body, headers, seconds=seconds * longer, connections=connections)
        if not wrong:
            return load
    raise StackError(f"{url}: {wrong}")


def _post(
    url: str, body: object, headers: Mapping[str, str], *, seconds: float, connections: int
) -> tuple[Load, str]:
    """What wrk saw, and what was wrong with it."""
    ran = subprocess.run(
        [
            str(WRK.file),
            f"-t{THREADS}",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "--timeout=30s",
            "-s",
            str(SCRIPT),
            url,
            "--",
            json.dumps(body),
            secrets.token_hex(4),
            *(f"{name}: {value}" for name, value in headers.items()),
        ],
        env=WRK.environment(),
        capture_output=True,
        text=True,
        timeout=seconds + 180,
        check=False,
    )
    found = re.search(r"^result (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$", ran.stdout, re.MULTILINE)
    if ran.returncode != 0 or not found:
        raise StackError(f"wrk failed:\n{ran.stdout}{ran.stderr}")
    requests, microseconds, refused, broken, p50, p95 = map(int, found.groups())
    wrong = ""
    if refused or broken or not requests:
        wrong = f"of {requests} requests {refused} were refused and {broken} broke off"
    return Load(requests, microseconds / 1e6, p50 / 1000, p95 / 1000), wrong
