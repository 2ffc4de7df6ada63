"""What a worker is told."""

import pytest

from carillon.contracts.lanes import Lane
from carillon.settings import Environment, SettingsError
from carillon.worker.settings import load


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:6379/0")
    monkeypatch.setenv("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/%2F")
    return Environment(files=())


def test_defaults(env: Environment) -> None:
    settings = load("sms_worker", env, threads=16)
    assert [channel.name for channel in settings.channels] == ["sms", "whatsapp"]
    assert settings.threads.reserved == {Lane.HIGH: 4, Lane.NORMAL: 1, Lane.BULK: 1}
    assert settings.threads.shared == 10
    assert settings.threads.total == 16
    assert settings.prefetch == {Lane.HIGH: 50, Lane.NORMAL: 100, Lane.BULK: 100}
    assert (settings.port, settings.processes) == (9104, 1)
    assert settings.stop_seconds < 30
    assert 24 * 3600 <= settings.dedupe_ttl_seconds <= 72 * 3600


def test_the_fewest_threads_still_serve_every_lane(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_WORKER_THREADS", "3")
    threads = load("email_worker", env, threads=8).threads
    assert threads.reserved == dict.fromkeys(Lane, 1)
    assert threads.shared == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMAIL_WORKER_THREADS", "2"),
        ("EMAIL_WORKER_THREADS", "many"),
        ("EMAIL_WORKER_HIGH_THREADS", "7"),
        ("EMAIL_WORKER_PREFETCH", "0"),
        ("EMAIL_WORKER_PROCESSES", "0"),
        ("DEDUPE_TTL_HOURS", "1"),
        ("WORKER_STOP_SECONDS", "0"),
        ("RABBITMQ_URL", "http://127.0.0.1"),
        ("REDIS_URL", ""),
    ],
)
def test_a_bad_value_stops_the_start_with_its_name(
    env: Environment, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load("email_worker", env, threads=8)
