"""`manage.py doctor` of each service."""

import io
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from carillon.doctor.findings import Finding, State
from carillon.web.management.commands.doctor import durability

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _no_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a service adds of its own is tested with it."""
    monkeypatch.setattr(settings, "DOCTOR", "", raising=False)


def run(*arguments: str) -> str:
    """What the command prints."""
    output = io.StringIO()
    with suppress(SystemExit):
        call_command("doctor", *arguments, stdout=output)
    return output.getvalue()


def examined() -> dict[str, list[Finding]]:
    """What the command finds, by subject; not that the tests' PostgreSQL syncs nothing to disk."""
    found: dict[str, list[Finding]] = {}
    for finding in msgspec.json.decode(run("--json"), type=list[Finding]):
        if "a commit may be lost" not in finding.said:
            found.setdefault(finding.subject, []).append(finding)
    return found


def states(findings: list[Finding]) -> set[State]:
    """How bad they are."""
    return {finding.state for finding in findings}


def test_a_service_that_is_well_says_so() -> None:
    found = examined()
    assert set(found) == {"settings", "database", "migrations", "redis"}
    assert states([each for findings in found.values() for each in findings]) == {State.WELL}


def test_a_migration_that_has_not_run_is_a_problem() -> None:
    applied = MigrationRecorder(connection).migration_qs.order_by("-id")
    last = applied.filter(app="sessions").first()
    assert last is not None
    last.delete()
    (finding,) = examined()["migrations"]
    assert finding.state is State.PROBLEM
    assert "1 have not run: sessions.0001_initial" in finding.said
    assert finding.mend == f"python {settings.CARILLON.service}/manage.py migrate"


@pytest.mark.parametrize(
    ("synchronous_commit", "fsync", "state"),
    [
        ("on", "on", State.WELL),
        ("remote_apply", "on", State.WELL),
        ("off", "on", State.PROBLEM),
        ("on", "off", State.PROBLEM),
    ],
)
def test_a_commit_that_may_be_lost_is_a_problem(
    synchronous_commit: str, fsync: str, state: State
) -> None:
    (finding,) = durability(synchronous_commit, fsync)
    assert finding.state is state


def test_people_get_a_line_for_each() -> None:
    assert "  + migrations  all have run\n" in run()


def test_a_problem_fails_the_command() -> None:
    MigrationRecorder(connection).migration_qs.filter(app="sessions").delete()
    with pytest.raises(SystemExit) as stop:
        call_command("doctor", stdout=io.StringIO())
    assert stop.value.code == 1


def test_a_database_that_is_down_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_args: Any) -> None:
        raise ConnectionError("password hunter22 refused")

    monkeypatch.setattr(connection, "cursor", refuse)
    (finding,) = examined()["database"]
    assert finding.state is State.PROBLEM
    assert "hunter22" not in finding.said
    assert "DATABASE_URL" in finding.mend
