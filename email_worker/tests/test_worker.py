"""`python -m email_worker`: a job in, a mail in the mailbox, an event out."""

import os
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from carillon.broker.tests.conftest import Broker
from carillon.broker.tests.conftest import broker as broker
from carillon.contracts.messages import Address, EmailContent, Mode, Outcome
from carillon.errors import Reason
from carillon.testing.providers import CANARY_ADDRESSES, CANARY_CODE, CANARY_NAME, delivery_job
from carillon.worker.tests.harness import Platform, eventually
from email_worker.providers.anymail import SERVICES
from email_worker.registry import REGISTRY
from email_worker.tests.servers import ScriptedServer

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def platform(broker: Broker) -> Iterator[Platform]:
    with Platform(broker.url) as platform:
        yield platform


@pytest.fixture
def log(
    platform: Platform, server: ScriptedServer, redis_url: str, broker: Broker, tmp_path: Path
) -> Iterator[Path]:
    """A running worker; what it logs."""
    path = tmp_path / "worker.log"
    environment = {
        **os.environ,
        "GATEWAY_URL": "",
        "REDIS_URL": redis_url,
        "RABBITMQ_URL": broker.url,
        "SMTP_URL": f"smtp://127.0.0.1:{server.port}",
        "EMAIL_FROM": "Carillon <notifications@carillon.test>",
        "EMAIL_PROVIDERS": "smtp",
        "EMAIL_WORKER_PORT": "0",
        "ENVIRONMENT": "production",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "DEBUG",
    }
    with path.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "email_worker"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        yield path
    finally:
        worker.terminate()
        assert worker.wait(60) == 0


def test_a_mail_arrives_and_the_platform_hears_of_it(
    log: Path, platform: Platform, server: ScriptedServer
) -> None:
    job = delivery_job(content=EmailContent("Grüße", "Hallo Jürgen", "<b>Hallo</b>"))
    platform.publish(job)
    event = platform.event_of(job)
    assert event.outcome is Outcome.DELIVERED
    assert event.provider == "smtp"
    assert event.provider_message_id == f"{job.notification_id}@carillon.test"
    [envelope] = server.mails
    assert isinstance(envelope.content, bytes)
    mail = message_from_bytes(envelope.content, policy=policy.default)
    assert mail["Subject"] == "Grüße"
    assert mail["X-Correlation-ID"] == job.correlation_id
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == "Hallo Jürgen"
    assert html.get_content().strip() == "<b>Hallo</b>"


def test_a_refusal_is_told_without_the_address(
    log: Path, platform: Platform, server: ScriptedServer
) -> None:
    server.replies["RCPT"] = "550 5.1.1 <{address}>: no such user"
    job = delivery_job()
    platform.publish(job)
    event = platform.event_of(job)
    assert (event.outcome, event.reason) == (Outcome.BOUNCED, Reason.INVALID_ADDRESS)
    assert event.error_code == "550 5.1.1"
    assert "no such user" in event.error_message
    assert job.addresses[0].value not in event.error_message


def test_a_test_keys_mail_never_reaches_the_server(
    log: Path, platform: Platform, server: ScriptedServer
) -> None:
    job = delivery_job(mode=Mode.TEST)
    platform.publish(job)
    assert platform.event_of(job).provider == "sandbox"
    assert server.mails == []


def test_the_log_follows_the_message_and_names_nobody(
    log: Path, platform: Platform, server: ScriptedServer
) -> None:
    server.replies["RCPT"] = "450 4.2.1 <{address}> later"
    jobs = [
        delivery_job(),
        delivery_job(addresses=(Address("canary\r\nBcc: canary.recipient@x.example"),)),
        delivery_job(mode=Mode.TEST),
    ]
    platform.publish(*jobs)
    for job in jobs:
        platform.event_of(job)
    named = [job.notification_id for job in jobs]
    eventually(lambda: all(each in log.read_text() for each in named), "all are written of")
    said = log.read_text()
    assert jobs[0].correlation_id in said
    for personal in (CANARY_NAME, CANARY_CODE, "canary.recipient"):
        assert personal not in said
    assert not any(address.value in said for address in CANARY_ADDRESSES.values())


@pytest.mark.parametrize("worker", ["email_worker", "sms_worker", "push_worker"])
def test_an_unknown_provider_stops_the_start(worker: str) -> None:
    channel = worker.partition("_")[0].upper()
    stopped = subprocess.run(
        [sys.executable, "-m", worker],
        cwd=ROOT,
        env={
            **os.environ,
            "GATEWAY_URL": "",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "RABBITMQ_URL": "amqp://127.0.0.1:1",
            f"{channel}_PROVIDERS": "pigeon",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert stopped.returncode == 1
    assert f"{channel}_PROVIDERS" in stopped.stderr
    assert "pigeon" in stopped.stderr
    assert "(known: " in stopped.stderr
    assert "console, " in stopped.stderr
    assert "sandbox" in stopped.stderr
    assert "Traceback" not in stopped.stderr


def test_every_provider_is_registered_under_its_name() -> None:
    own = {"console", "sandbox", "sendgrid", "ses", "smtp"}
    assert set(REGISTRY["email"]) == own | set(SERVICES)
