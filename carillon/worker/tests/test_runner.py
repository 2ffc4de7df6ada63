"""A job in, one outcome out: the runner on real servers."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from carillon.broker import topology
from carillon.broker.messages import OutgoingMessage
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Address, DeliveryJob, Mode, Outcome, encode
from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from carillon.observability.health import Check
from carillon.testing.providers import delivery_job
from carillon.worker import metrics
from carillon.worker.rate_limit import Rate
from carillon.worker.settings import Threads
from carillon.worker.tests.conftest import Broker
from carillon.worker.tests.doubles import Gate, RecordingProvider
from carillon.worker.tests.harness import Platform, eventually, running, sample, settings

pytestmark = pytest.mark.integration

UNSETTLED = "carillon_worker_unsettled"


def test_a_job_becomes_one_send_and_one_event(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    provider = RecordingProvider()
    job = delivery_job(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    with running(settings(redis_url, broker.url), provider):
        platform.publish(job)
        event = platform.event_of(job)
    assert provider.sent == [job.message_id]
    assert event.outcome is Outcome.DELIVERED
    assert (event.organization_id, event.correlation_id) == (
        job.organization_id,
        job.correlation_id,
    )
    assert (event.provider, event.provider_message_id) == (
        "recording",
        f"recording-{job.message_id}",
    )
    assert event.traceparent == job.traceparent
    assert event.started_at <= event.occurred_at
    assert not event.possible_duplicate
    assert broker.depth(topology.queue_for("email", Lane.NORMAL)) == 0
    assert provider.closed


@pytest.mark.parametrize("lane", list(Lane))
def test_every_lane_is_served(
    platform: Platform, broker: Broker, redis_url: str, lane: Lane
) -> None:
    provider = RecordingProvider()
    with running(settings(redis_url, broker.url), provider):
        jobs = [delivery_job(lane=lane) for _ in range(50)]
        platform.publish(*jobs)
        platform.wait_events(50)
    assert sorted(provider.sent) == sorted(job.message_id for job in jobs)


def test_failures_are_told(platform: Platform, broker: Broker, redis_url: str) -> None:
    failures = {
        "a@example.com": TemporaryFailure("greylisted", reason=Reason.OTHER, retry_after=7.0),
        "b@example.com": PermanentFailure("unknown", reason=Reason.INVALID_ADDRESS, code="550"),
        "c@example.com": RuntimeError("a bug"),
    }

    def behave(job: DeliveryJob) -> None:
        raise failures[job.addresses[0].value]

    jobs = [delivery_job(addresses=(Address(address),)) for address in failures]
    with running(settings(redis_url, broker.url), RecordingProvider(behave=behave)):
        platform.publish(*jobs)
        events = [platform.event_of(job) for job in jobs]
    assert [(event.outcome, event.reason, event.retry_after) for event in events] == [
        (Outcome.DEFERRED, Reason.OTHER, 7.0),
        (Outcome.BOUNCED, Reason.INVALID_ADDRESS, None),
        (Outcome.DEFERRED, Reason.OTHER, None),
    ]


def test_an_expired_job_is_not_sent(platform: Platform, broker: Broker, redis_url: str) -> None:
    provider = RecordingProvider()
    job = delivery_job(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    with running(settings(redis_url, broker.url), provider):
        platform.publish(job)
        assert platform.event_of(job).outcome is Outcome.EXPIRED
    assert provider.calls == []


@pytest.mark.parametrize(
    ("address", "outcome"),
    [
        ("anyone@example.com", Outcome.DELIVERED),
        ("temp-fail@simulator.carillon.test", Outcome.DEFERRED),
        ("perm-fail@simulator.carillon.test", Outcome.FAILED),
        ("bounce@simulator.carillon.test", Outcome.BOUNCED),
    ],
)
def test_a_test_keys_job_goes_to_the_sandbox(
    platform: Platform, broker: Broker, redis_url: str, address: str, outcome: Outcome
) -> None:
    provider = RecordingProvider()
    job = delivery_job(mode=Mode.TEST, addresses=(Address(address),))
    with running(settings(redis_url, broker.url), provider):
        platform.publish(job)
        event = platform.event_of(job)
    assert (event.provider, event.outcome) == ("sandbox", outcome)
    assert provider.calls == []


def test_a_message_that_was_published_twice_is_sent_once(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    """Reading "publish raised" as "not published": the relay repeats it, and that is all right."""
    provider = RecordingProvider()
    jobs = [delivery_job() for _ in range(20)]
    with running(settings(redis_url, broker.url), provider):
        platform.publish(*jobs)
        platform.publish(*jobs)
        platform.wait_events(20)
        platform.publish(*jobs)
        queue = topology.queue_for("email", Lane.NORMAL)
        eventually(lambda: broker.depth(queue) == 0, "the queue is empty")
    assert sorted(provider.sent) == sorted(job.message_id for job in jobs)
    # Events of the same attempt are the same event, however often they come.
    ids = {event.notification_id: event.event_id for event in platform.events}
    assert all(event.event_id == ids[event.notification_id] for event in platform.events)
    assert not any(event.possible_duplicate for event in platform.events)


def test_another_attempt_is_another_send(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    provider = RecordingProvider()
    first = delivery_job()
    second = delivery_job(notification_id=first.notification_id, attempt=2)
    with running(settings(redis_url, broker.url), provider):
        platform.publish(first, second)
        platform.wait_events(2)
    assert sorted(provider.sent) == [first.message_id, second.message_id]


def unreadable(*bodies: bytes) -> list[OutgoingMessage]:
    return [
        OutgoingMessage(
            route=topology.route_for("email", Lane.NORMAL), body=body, message_id=f"poison:{at}"
        )
        for at, body in enumerate(bodies)
    ]


def test_poison_harms_only_itself(platform: Platform, broker: Broker, redis_url: str) -> None:
    provider = RecordingProvider()
    jobs = [delivery_job() for _ in range(100)]
    with running(settings(redis_url, broker.url), provider):
        platform.publish(*jobs[:50])
        platform.publish_raw(
            unreadable(b"\xff", b"{}", b"[" * 100_000, b'{"version": 99}', b"null")
        )
        platform.publish(*jobs[50:])
        platform.wait_events(100)
        dead = platform.wait_dead(5)
    assert sorted(letter.message_id for letter in dead) == [f"poison:{at}" for at in range(5)]
    assert sorted(provider.sent) == sorted(job.message_id for job in jobs)


def test_a_job_of_another_channel_is_put_aside(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    provider = RecordingProvider()
    foreign = encode(delivery_job("sms"))
    with running(settings(redis_url, broker.url), provider):
        platform.publish_raw(unreadable(foreign))
        platform.wait_dead(1)
    assert provider.calls == []


def test_a_bulk_flood_does_not_occupy_the_high_lane(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    gate = Gate()
    provider = RecordingProvider(
        behave=lambda job: gate.pass_through() if job.lane is Lane.BULK else None
    )
    bulk = [delivery_job(lane=Lane.BULK) for _ in range(60)]
    with running(settings(redis_url, broker.url), provider):
        platform.publish(*bulk)
        # Every thread that bulk may have is held by it: its own, and the shared one.
        provider.wait_calls(2)
        urgent = delivery_job(lane=Lane.HIGH)
        normal = delivery_job(lane=Lane.NORMAL)
        platform.publish(urgent, normal)
        provider.wait_sent(2)
        assert sorted(provider.sent) == sorted([urgent.message_id, normal.message_id])
        assert platform.event_of(urgent).outcome is Outcome.DELIVERED
        assert len(provider.calls) == 4
        gate.open()
        platform.wait_events(62)


def test_a_flood_of_the_urgent_does_not_starve_bulk(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    gate = Gate()
    provider = RecordingProvider(
        behave=lambda job: gate.pass_through() if job.lane is Lane.HIGH else None
    )
    with running(settings(redis_url, broker.url), provider):
        platform.publish(*(delivery_job(lane=Lane.HIGH) for _ in range(60)))
        provider.wait_calls(2)
        bulk = delivery_job(lane=Lane.BULK)
        platform.publish(bulk)
        provider.wait_sent(1)
        assert provider.sent == [bulk.message_id]
        gate.open()
        platform.wait_events(61)


def test_urgent_jobs_overtake_what_was_prefetched_before_them(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    gate, bulks_own = Gate(), Gate()

    def behave(_job: DeliveryJob) -> None:
        of_bulk = threading.current_thread().name.startswith("email-bulk-")
        (bulks_own if of_bulk else gate).pass_through()

    provider = RecordingProvider(behave=behave)
    threads = Threads(dict.fromkeys(Lane, 1), 1)
    metrics.UNSETTLED.labels("email").set(0)
    with running(settings(redis_url, broker.url, threads=threads), provider):
        bulk = [delivery_job(lane=Lane.BULK) for _ in range(20)]
        platform.publish(*bulk)
        provider.wait_calls(2)
        urgent = [delivery_job(lane=Lane.HIGH) for _ in range(10)]
        platform.publish(*urgent)
        provider.wait_calls(3)
        # What has left the broker's queue may still be on its way here: the worker counts its own.
        eventually(lambda: sample(UNSETTLED, channel="email") == 30, "all jobs are prefetched")
        gate.open()
        provider.wait_calls(12)
        bulks_own.open()
        platform.wait_events(30)
    # Bulk's own thread does not take part: the others take the urgent, up to one that another has
    # taken and not begun.
    urgent_ids = {job.message_id for job in urgent}
    assert not set(provider.calls[:2]) & urgent_ids
    assert set(provider.calls[2:11]) <= urgent_ids


def test_a_rate_limit_is_kept(platform: Platform, broker: Broker, redis_url: str) -> None:
    provider = RecordingProvider()
    rate = Rate(per_second=40, burst=1)
    with running(settings(redis_url, broker.url), provider, rate=rate):
        began = datetime.now(UTC)
        platform.publish(*(delivery_job(lane=Lane.HIGH) for _ in range(41)))
        events = platform.wait_events(41)
    # The first one's token was there; what is told is when a call began, some time after its token.
    last = max(event.started_at for event in events)
    assert (last - began).total_seconds() >= 0.99


def test_a_named_time_is_waited_for_by_every_worker(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    """429 with Retry-After: nobody calls the provider before, whoever got the answer."""
    answered = []

    def busy(_job: DeliveryJob) -> None:
        answered.append(datetime.now(UTC))
        if len(answered) == 1:
            raise TemporaryFailure("busy", reason=Reason.RATE_LIMITED, retry_after=2.0)

    one, other = RecordingProvider(behave=busy), RecordingProvider(behave=busy)
    config = settings(redis_url, broker.url)
    with running(config, one):
        first = delivery_job()
        platform.publish(first)
        event = platform.event_of(first)
        assert (event.outcome, event.retry_after) == (Outcome.DEFERRED, 2.0)
        with running(config, other):
            jobs = [delivery_job() for _ in range(10)]
            platform.publish(*jobs)
            platform.wait_events(11)
    assert all((at - answered[0]).total_seconds() >= 1.99 for at in answered[1:])
    assert sorted(one.sent + other.sent) == sorted(job.message_id for job in jobs)


def test_a_long_pause_gives_jobs_back_to_the_outbox(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    def busy(_job: DeliveryJob) -> None:
        raise TemporaryFailure("busy", reason=Reason.RATE_LIMITED, retry_after=600.0)

    provider = RecordingProvider(behave=busy)
    with running(settings(redis_url, broker.url), provider):
        first, second = delivery_job(), delivery_job()
        platform.publish(first)
        platform.event_of(first)
        platform.publish(second)
        event = platform.event_of(second)
    assert event.outcome is Outcome.DEFERRED
    assert event.retry_after is not None
    assert 590 < event.retry_after <= 600
    assert provider.calls == [first.message_id]


def test_trouble_fails_over_and_opens_the_breaker(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    def down(_job: DeliveryJob) -> None:
        raise TemporaryFailure("503")

    first, second = RecordingProvider("first", down), RecordingProvider("second")
    jobs = [delivery_job() for _ in range(60)]
    with running(settings(redis_url, broker.url), first, second):
        platform.publish(*jobs)
        events = platform.wait_events(60)
    assert {event.provider for event in events} == {"second"}
    assert sorted(second.sent) == sorted(job.message_id for job in jobs)
    # Four threads may be in a call when the fifth failure comes.
    assert 5 <= len(first.calls) <= 9


def test_a_hung_thread_is_noticed(platform: Platform, broker: Broker, redis_url: str) -> None:
    gate = Gate()
    config = settings(redis_url, broker.url, longest_call_seconds=0.2)
    with running(config, RecordingProvider(behave=gate.pass_through)) as runner:
        assert runner.alive()
        job = delivery_job()
        platform.publish(job)
        eventually(lambda: not runner.alive(), "the hung thread is noticed")
        gate.open()
        platform.event_of(job)
        eventually(runner.alive, "it works again")


def test_a_hung_consumer_is_noticed(
    broker: Broker, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carillon.worker.runner.MOST_SECONDS_SINCE_TURN", 3.0)
    gate = Gate()
    with running(settings(redis_url, broker.url), RecordingProvider()) as runner:
        eventually(runner.alive, "it works")
        runner._consumer._link.call(gate.pass_through)
        eventually(lambda: not runner.alive(), "the hung consumer is noticed")
        gate.open()
        eventually(runner.alive, "it works again")


def test_health_names_its_dependencies(broker: Broker, redis_url: str) -> None:
    with running(settings(redis_url, broker.url), RecordingProvider()) as runner:
        checks = runner.checks()
        assert set(checks) == {"redis", "rabbitmq"}
        eventually(lambda: all(_passes(check) for check in checks.values()), "all are healthy")
    with pytest.raises(ConnectionError):
        checks["rabbitmq"]()


def _passes(check: Check) -> bool:
    try:
        check()
    except ConnectionError:
        return False
    return True
