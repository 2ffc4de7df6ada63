"""The doubles, each started for the tests that ask for it, on a free port of 127.0.0.1."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.ports import private_port

STARTING_SECONDS = 240.0
# Seconds for one call: a double is slow when it is asked for the first time, and other checks run
# beside these tests.
PATIENCE = 60.0


@pytest.fixture(scope="session")
def programs() -> Path:
    """Where `make test-providers` installed the doubles."""
    folder = os.environ.get("DOUBLES")
    if not folder:
        pytest.fail("DOUBLES is not set: run `make test-providers`, which installs the doubles")
    return Path(folder)


@pytest.fixture(scope="session")
def moto(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Amazon's APIs by moto."""
    port = private_port()
    command = [str(programs / "venv/bin/moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with serving(command, port, tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture(scope="session")
def web_push_testing(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Browsers and their push service by web-push-testing."""
    port = private_port()
    script = programs / "node_modules/web-push-testing/src/bin/server.js"
    with serving(["node", str(script), str(port)], port, tmp_path_factory.mktemp("push")) as url:
        # It names itself so in its endpoints.
        yield url.replace("127.0.0.1", "localhost")


@contextmanager
def prism_before(programs: Path, specification: Path, upstream: str, folder: Path) -> Iterator[str]:
    """Prism in front of a server: what breaks the specification, on either side, is an error."""
    port = private_port()
    script = programs / "node_modules/@stoplight/prism-cli/dist/index.js"
    command = ["node", str(script), "proxy", "--errors", "-h", "127.0.0.1", "-p", str(port)]
    with serving([*command, str(specification), upstream], port, folder) as url:
        yield url


@contextmanager
def serving(command: Sequence[str], port: int, folder: Path) -> Iterator[str]:
    """A process that answers at `port` within STARTING_SECONDS; ended at the end."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + STARTING_SECONDS
        while not _answers(port):
            assert process.poll() is None, f"{command[0]} ended: {log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"{command[0]} does not answer"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
