"""`python -m sms_worker`: jobs of its channels in, events out."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from carillon.broker.tests.conftest import Broker
from carillon.broker.tests.conftest import broker as broker
from carillon.contracts.channels import channels_of
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Mode, Outcome
from carillon.testing.providers import delivery_job
from carillon.worker.tests.harness import Platform
from sms_worker.registry import REGISTRY

ROOT = Path(__file__).resolve().parents[2]
CHANNELS = [channel.name for channel in channels_of("sms_worker")]


def test_it_has_providers_for_all_its_channels() -> None:
    assert list(REGISTRY) == CHANNELS


@pytest.fixture
def platform(broker: Broker) -> Iterator[Platform]:
    with Platform(broker.url) as platform:
        yield platform


@pytest.mark.integration
def test_jobs_of_every_channel_and_lane_are_delivered(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    environment = {
        **os.environ,
        "GATEWAY_URL": "",
        "REDIS_URL": redis_url,
        "RABBITMQ_URL": broker.url,
        "SMS_WORKER_PORT": "0",
        **{f"{name.upper()}_PROVIDERS": "console" for name in CHANNELS},
    }
    jobs = [
        delivery_job(channel, lane=lane, mode=mode)
        for channel in CHANNELS
        for lane in Lane
        for mode in Mode
    ]
    worker = subprocess.Popen([sys.executable, "-m", "sms_worker"], cwd=ROOT, env=environment)
    try:
        platform.publish(*jobs)
        events = [platform.event_of(job) for job in jobs]
    finally:
        worker.terminate()
        assert worker.wait(60) == 0
    assert {event.outcome for event in events} == {Outcome.DELIVERED}
    assert [event.provider for event in events] == [
        "sandbox" if job.mode is Mode.TEST else "console" for job in jobs
    ]
