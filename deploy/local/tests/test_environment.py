import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.environment import Addresses, child_environment, given, stack_settings
from deploy.local.paths import ROOT
from deploy.local.processes import DATABASES, PROCESSES
from deploy.local.testing import documented_settings, suite_environment

READERS = {"text", "integer", "number", "flag", "choice", "names", "url", "secrets"}
ADDRESSES = Addresses("postgresql://d", "redis://r", "amqp://a", "smtp://s")
PORTS = {name: 1000 + number for number, name in enumerate(PROCESSES)}
CREDENTIALS = {
    "SECRET_KEY": "made-key",
    "INTERNAL_API_SECRET": "made-secret",
    "LINK_SECRETS": "made-link-secret",
    "CREDENTIALS_KEYS": "made-key-of-credentials",
}


def settings(**chosen: str) -> dict[str, str]:
    return stack_settings(addresses=ADDRESSES, ports=PORTS, credentials=CREDENTIALS, given=chosen)


def test_where_things_are_is_the_stack_s_to_say() -> None:
    stack = settings(GATEWAY_URL="http://elsewhere", RELAY_PORT="1", REDIS_URL="redis://other")
    assert stack["GATEWAY_URL"] == f"http://127.0.0.1:{PORTS['gateway']}"
    assert stack["RELAY_PORT"] == str(PORTS["relay"])
    assert stack["REDIS_URL"] == "redis://r"
    assert stack["SMTP_URL"] == "smtp://s"


def test_what_a_person_has_chosen_wins_over_our_defaults() -> None:
    assert settings()["ENVIRONMENT"] == "local"
    assert settings()["SECRET_KEY"] == "made-key"
    chosen = settings(LOG_FORMAT="json", WEB_CONCURRENCY="7", SECRET_KEY="their-key")
    assert (chosen["LOG_FORMAT"], chosen["WEB_CONCURRENCY"]) == ("json", "7")
    assert chosen["SECRET_KEY"] == "their-key"


def test_strangers_in_the_shell_do_not_reach_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "somebody.elses")
    monkeypatch.setenv("KEPT", "yes")
    environment = child_environment(settings())
    assert "DJANGO_SETTINGS_MODULE" not in environment
    assert environment["KEPT"] == "yes"
    assert environment["DATABASE_URL"] == "postgresql://d"


def test_an_empty_value_is_no_value() -> None:
    assert "DATABASE_URL" not in given({"DATABASE_URL": "  "})
    assert given({"DATABASE_URL": "postgresql://x"})["DATABASE_URL"] == "postgresql://x"


def test_tests_see_no_setting_of_the_person_who_runs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_PROVIDERS", "sendgrid")
    monkeypatch.setenv("CI", "true")
    environment = suite_environment({"REDIS_URL": "redis://own"})
    assert "EMAIL_PROVIDERS" not in environment
    assert environment["CI"] == "true"
    assert environment["REDIS_URL"] == "redis://own"


def test_every_setting_that_the_code_reads_is_explained_in_the_example() -> None:
    read = set(settings_read())
    assert len(read) > 30  # or the search itself is broken
    assert sorted(read - documented_settings()) == []


def test_every_setting_of_the_table_is_explained_in_the_example() -> None:
    documented = documented_settings()
    assert {process.setting for process in PROCESSES.values()} <= documented
    assert {f"{name.upper()}_PORT" for name in PROCESSES} <= documented
    assert {setting for _, setting in DATABASES.values()} <= documented
    assert set(settings()) <= documented


def test_the_example_sets_nothing_and_explains_everything() -> None:
    """Copied to .env it must leave the choice of servers to the local stack."""
    explained = False
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines():
        assert not line or line.startswith("#"), f"sets something: {line}"
        name = line.removeprefix("#").partition("=")[0]
        if line.startswith("# "):
            explained = True
        elif name.isupper():
            assert explained, f"{name} is not explained"
        elif not line:
            explained = False


def settings_read() -> Iterator[str]:
    """The names in `env.text("NAME", …)` and its like, wherever they are written out."""
    packages = ("carillon", *DATABASES, "email_worker", "sms_worker", "push_worker")
    for package in packages:
        for file in (ROOT / package).rglob("*.py"):
            if not {"tests", "testing", "migrations"} & set(file.parts):
                yield from _read_in(file)


def _read_in(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in READERS
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
            and node.args[0].value.isupper()
        ):
            yield node.args[0].value


def test_the_environment_is_not_changed() -> None:
    before = dict(os.environ)
    child_environment(settings())
    suite_environment(settings())
    assert dict(os.environ) == before
