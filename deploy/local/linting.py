"""`make lint`: every static check, each run to its end, and then which of them failed."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.paths import ROOT
from deploy.local.suites import SHARED

TIMEOUT = 900  # seconds for one step, mypy's first run without a cache included
AT_ONCE = 2

SERVICES = ("gateway", "template_service", "user_service")
PROGRAMS = Path(sys.executable).parent

# The services' settings demand these. No server is asked: port 1 refuses at once, and
# makemigrations goes on without the consistency check that would need the database.
SETTINGS = {
    "ENVIRONMENT": "local",
    "SETTINGS_FILES": "",
    "SECRET_KEY": "lint-only-and-never-used-to-sign-anything",
    "INTERNAL_API_SECRET": "lint-only-and-never-sent-to-anyone",
    "LINK_SECRETS": "lint-only-and-never-used-to-sign-a-link",
    "CREDENTIALS_KEYS": "lint-only-and-never-used-to-encrypt",
    "PUBLIC_URL": "http://127.0.0.1:1",
    "DATABASE_URL": "postgresql://lint@127.0.0.1:1/lint",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "RABBITMQ_URL": "amqp://lint:lint@127.0.0.1:1/",
    "GATEWAY_URL": "http://127.0.0.1:1",
    "TEMPLATE_SERVICE_URL": "http://127.0.0.1:1",
    "USER_SERVICE_URL": "http://127.0.0.1:1",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One static check: a name, a command, and what it is given beside the environment."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check said, and how long it took in seconds."""

    check: Check
    passed: bool
    output: str
    seconds: float


def checks() -> tuple[Check, ...]:
    """Every check, in the order in which they are reported."""
    return (
        Check("ruff", (_program("ruff"), "check", ".")),
        Check("ruff-format", (_program("ruff"), "format", "--check", ".")),
        Check(
            "mypy",
            (
                *_mypy("libraries"),
                "--strict",
                # Django's models can be typed with a plugin alone: see the services.
                f"--exclude=^{SHARED}/",
                # Programs of another environment, whose packages are not here.
                "--exclude=^benchmarks/peers/",
                "carillon",
                "email_worker",
                "sms_worker",
                "push_worker",
                "deploy",
                "benchmarks",
            ),
        ),
        *(_mypy_service(service) for service in SERVICES),
        Check("lint-imports", (_program("lint-imports"),)),
        *(_migrations(service) for service in SERVICES),
        *(_compatible_migrations(service) for service in SERVICES),
        Check(
            "compose",
            (
                _program("check-jsonschema"),
                "--builtin-schema",
                "vendor.compose-spec",
                "docker-compose.yml",
            ),
        ),
        Check("hadolint", (_program("hadolint"), "deploy/Dockerfile")),
        Check("requirements", (sys.executable, "-m", "deploy.local.requirements_check")),
        Check("forwarded-calls", (sys.executable, "-m", "deploy.forwarded_calls", "--check")),
        Check("secrets", (sys.executable, "-m", "deploy.local.secrets_check")),
        Check("promtool", (sys.executable, "-m", "deploy.local.promtool")),
        Check("kubernetes", (sys.executable, "-m", "deploy.local.kubernetes_check")),
    )


def main(arguments: list[str], console: Console) -> int:
    """Run all checks, or those named, two at a time; 1 if any failed."""
    chosen = [check for check in checks() if not arguments or check.name in arguments]
    unknown = set(arguments) - {check.name for check in checks()}
    if unknown:
        known = ", ".join(check.name for check in checks())
        raise StackError(f"No such check: {', '.join(sorted(unknown))}. There are: {known}.")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda check: _report(run(check), console), chosen))
    failed = [outcome.check.name for outcome in outcomes if not outcome.passed]
    if failed:
        names = ", ".join(failed)
        console.line(f"\nmake lint: {len(failed)} of {len(outcomes)} checks failed: {names}")
        return 1
    console.line(f"\nmake lint: {len(outcomes)} checks passed")
    return 0


def run(check: Check) -> Outcome:
    """Run one check to its end, or for TIMEOUT seconds."""
    begun = time.monotonic()
    try:
        result = subprocess.run(
            check.argv,
            cwd=ROOT,
            env={**os.environ, **check.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        passed, output = result.returncode == 0, result.stdout
    except subprocess.TimeoutExpired:
        passed, output = False, f"took more than {TIMEOUT} s"
    except OSError as error:
        passed, output = False, str(error)
    return Outcome(check, passed, output, time.monotonic() - begun)


def _report(outcome: Outcome, console: Console) -> Outcome:
    word, colour = ("passed", "32") if outcome.passed else ("FAILED", "31")
    text = f"{outcome.check.name} {word} ({outcome.seconds:.1f} s)"
    if not outcome.passed:
        text += f"\n$ {' '.join(outcome.check.argv)}\n{outcome.output.rstrip()}"
    console.line(text, colour=colour)
    return outcome


def _program(name: str) -> str:
    return str(PROGRAMS / name)


def _mypy(cache: str) -> tuple[str, ...]:
    # A cache for each run: two runs at once would overwrite each other's.
    return (_program("mypy"), "--cache-dir", f".mypy_cache/{cache}")


def _mypy_service(service: str) -> Check:
    config = f"deploy/lint/mypy-{service}.ini"
    # A model is known where its app is installed, and carillon.web.tenants is in these two alone.
    paths = (service,) if service == "gateway" else (service, SHARED)
    argv = (*_mypy(service), "--config-file", config, *paths)
    return Check(f"mypy-{service}", argv, SETTINGS)


def _migrations(service: str) -> Check:
    command = (sys.executable, f"{service}/manage.py", "makemigrations", "--check", "--dry-run")
    return Check(f"migrations-{service}", command, SETTINGS)


def _compatible_migrations(service: str) -> Check:
    command = (sys.executable, "-m", "deploy.local.migrations_check", service)
    return Check(f"compatible-migrations-{service}", command, SETTINGS)
