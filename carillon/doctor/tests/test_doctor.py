"""The doctor: what it finds, how it tells, and that it goes on when a check fails."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest
import redis

from carillon.broker.topology import queues
from carillon.contracts.provider import Provider
from carillon.doctor.__main__ import examination, main, parts, summary, together
from carillon.doctor.findings import (
    Finding,
    State,
    clock,
    examine,
    problem,
    version,
    version_of,
    warning,
    well,
)
from carillon.doctor.rabbitmq_checks import check_rabbitmq, look
from carillon.doctor.redis_checks import check_redis
from carillon.doctor.report import status, write
from carillon.settings import ROOT, Environment
from carillon.worker.doctor import provider_findings
from carillon.worker.settings import load


def failing() -> Iterator[Finding]:
    """Finds one thing, and cannot go on."""
    yield well("database", "is there")
    raise ConnectionError("postgresql://user:hunter22@db failed")


def test_a_check_that_fails_is_a_finding_and_the_others_go_on() -> None:
    found = examine(
        {
            "database": (failing, "Start it."),
            "redis": (lambda: [well("redis", "is there")], ""),
        }
    )
    assert found == [
        well("database", "is there"),
        problem("database", "failed: ConnectionError", "Start it."),
        well("redis", "is there"),
    ]
    assert "hunter22" not in repr(found)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("7.0.15", (7, 0, 15)),
        ("15.18 (Debian 15.18-0)", (15, 18)),
        ("4.1.0-rc.1", (4, 1, 0)),
        ("unknown", ()),
    ],
)
def test_versions_are_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert version_of(text) == numbers


def test_a_server_that_is_too_old_is_a_problem() -> None:
    assert version("redis", "6.2.0", (6, 2), "upgrade").state is State.WELL
    assert version("redis", "6.0.16", (6, 2), "upgrade").state is State.PROBLEM
    assert version("redis", "unknown", (6, 2), "upgrade").state is State.PROBLEM


@pytest.mark.parametrize(
    ("ahead", "said"),
    [(0.5, "agrees"), (-61.2, "61 s behind ours"), (3600.0, "3600 s ahead of ours")],
)
def test_a_clock_that_is_wrong_is_a_problem(ahead: float, said: str) -> None:
    finding = clock("database", ahead)
    assert said in finding.said
    assert (finding.state is State.WELL) == (said == "agrees")


def test_people_read_what_mends_it_below_the_finding() -> None:
    output = io.StringIO()
    findings = [well("redis", "version 7"), problem("outbox", "is stuck", "word " * 40)]
    write(findings, output, as_json=False)
    lines = output.getvalue().splitlines()
    assert lines[:2] == ["  + redis   version 7", "  x outbox  is stuck"]
    assert len(lines) > 3
    assert max(map(len, lines)) <= 100


def test_programs_read_json() -> None:
    output = io.StringIO()
    findings = [warning("redis", "is full", "more memory")]
    write(findings, output, as_json=True)
    assert msgspec.json.decode(output.getvalue(), type=list[Finding]) == findings


def test_only_a_problem_fails() -> None:
    assert status([well("a", "b"), warning("a", "b", "c")]) == 0
    assert status([problem("a", "b", "c")]) == 1


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        ([well("a", "b")], "All is well: 1 things"),
        ([well("a", "b"), warning("a", "b", "c")], "No problem, 1 warnings"),
        ([problem("a", "b", "c"), warning("a", "b", "c")], "1 problems and 1 warnings"),
    ],
)
def test_the_closing_line_says_whether_to_read_on(findings: list[Finding], said: str) -> None:
    assert said in summary(findings)


def test_what_all_found_alike_is_told_once() -> None:
    same, own = well("redis", "version 7"), well("outbox", "empty")
    assert together({"gateway": [same, own], "email_worker": [same]}) == {
        ("gateway", "email_worker"): [same],
        ("gateway",): [own],
    }


def test_every_process_with_code_here_is_examined() -> None:
    names = [name for name, _ in parts(ROOT)]
    assert names == [
        "gateway",
        "template_service",
        "user_service",
        "email_worker",
        "push_worker",
        "sms_worker",
    ]


def test_a_missing_setting_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTINGS_FILES", "")
    monkeypatch.delenv("REDIS_URL", raising=False)
    (finding,) = examination(["-m", "email_worker", "doctor", "--json"])
    assert finding.state is State.PROBLEM
    assert finding.said.startswith("Setting REDIS_URL is missing")


def test_help_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "Sends no message" in capsys.readouterr().out


@pytest.mark.integration
class TestRedis:
    """Against a real one, whose settings are those of all suites that run now."""

    def test_a_redis_that_evicts_is_a_problem(
        self, redis_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = redis.Redis.info

        def evicting(client: redis.Redis) -> dict[str, object]:
            return {**told(client), "maxmemory_policy": "allkeys-lru"}

        monkeypatch.setattr(redis.Redis, "info", evicting)
        found = list(check_redis(redis_url, must_last=False))
        (bad,) = [each for each in found if each.state is State.PROBLEM]
        assert "allkeys-lru" in bad.said
        assert "noeviction" in bad.mend

    def test_where_it_must_last_it_must_write(self, redis_url: str) -> None:
        local, production = (
            {each.state for each in check_redis(redis_url, must_last=must_last)}
            for must_last in (False, True)
        )
        assert local == {State.WELL}
        assert production == {State.WELL, State.WARNING}


@pytest.mark.integration
class TestRabbitMQ:
    """Against a real one."""

    def test_every_queue_is_looked_at(self, rabbitmq_url: str) -> None:
        list(check_rabbitmq(rabbitmq_url))
        found, counts = look(rabbitmq_url)
        assert version_of(found) >= (3, 10)
        assert set(counts) == {queue.name for queue in queues()}

    def test_a_queue_that_nobody_reads_is_a_problem(self, rabbitmq_url: str) -> None:
        found = list(check_rabbitmq(rabbitmq_url, ["email"]))
        (bad,) = [each for each in found if each.state is State.PROBLEM]
        assert "email.high.queue" in bad.said
        assert "sms.queue" not in bad.said


@pytest.mark.integration
def test_a_worker_examines_itself(redis_url: str, rabbitmq_url: str) -> None:
    environment = {
        **os.environ,
        "ENVIRONMENT": "production",
        "REDIS_URL": redis_url,
        "RABBITMQ_URL": rabbitmq_url,
        "EMAIL_PROVIDERS": "console",
        "LOG_LEVEL": "CRITICAL",
    }
    ran = subprocess.run(
        [sys.executable, "-m", "email_worker", "doctor"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # Nobody reads its queues: that is a problem.
    assert ran.returncode == 1, ran.stderr
    assert "! email providers  console sends nothing" in ran.stdout
    assert "x rabbitmq         nobody reads email.bulk.queue" in ran.stdout


def test_a_provider_without_its_settings_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_PROVIDERS", "sendgrid")
    monkeypatch.delenv("SENDGRID_API_KEY", raising=False)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:1/")
    settings = load("email_worker", Environment(()), threads=8)
    (finding,) = provider_findings(settings, {"email": {"sendgrid": demanding}}, Environment(()))
    assert finding.state is State.PROBLEM
    assert "SENDGRID_API_KEY is missing" in finding.said


def demanding(env: Environment) -> Provider:
    """A provider that needs a key."""
    env.text("SENDGRID_API_KEY")
    raise AssertionError("there is no key")
