"""What is promised when things break: nothing lost, duplicates bounded and flagged."""

import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from carillon.broker import topology
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import DeliveryJob, DeliveryPolicy, EmailContent, Outcome
from carillon.errors import Reason
from carillon.testing.providers import delivery_job
from carillon.testing.proxy import TCPProxy
from carillon.worker.dedupe import DedupeLedger, Done
from carillon.worker.redis_link import RedisLink
from carillon.worker.settings import Threads
from carillon.worker.tests.conftest import Broker
from carillon.worker.tests.doubles import Gate, RecordingProvider
from carillon.worker.tests.harness import Platform, eventually, running, sample, settings
from carillon.worker.tests.process import CRASH, HOLD
from carillon.worker.tests.processes import Ledger, WorkerProcess, forget_the_dead

pytestmark = pytest.mark.integration

THREADS = 6
RETRIES = "carillon_worker_event_publish_retries_total"


@pytest.fixture
def amqp_proxy(rabbitmq_url: str) -> Iterator[TCPProxy]:
    with TCPProxy.in_front_of(rabbitmq_url) as proxy:
        yield proxy


@pytest.fixture
def redis_proxy(redis_url: str) -> Iterator[TCPProxy]:
    with TCPProxy.in_front_of(redis_url) as proxy:
        yield proxy


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


@pytest.fixture(autouse=True)
def drawn(request: pytest.FixtureRequest) -> None:
    """The same lanes and moments each time."""
    random.seed(request.node.name)


def job_that(subject: str, policy: DeliveryPolicy = DeliveryPolicy.AT_LEAST_ONCE) -> DeliveryJob:
    return delivery_job(content=EmailContent(subject, "text"), delivery=policy)


def jobs(count: int) -> list[DeliveryJob]:
    return [delivery_job(lane=random.choice(list(Lane))) for _ in range(count)]


def ids(*jobs: DeliveryJob) -> set[str]:
    return {job.message_id for job in jobs}


def _is_past(ledger: Ledger, goal: int) -> bool:
    return len(ledger.lines("accepted")) >= goal


class TestCrash:
    """kill -9, at every point of a job's life in a worker."""

    def test_after_the_send_and_before_the_ack_nothing_is_sent_again(
        self,
        platform: Platform,
        broker: Broker,
        redis_url: str,
        tmp_path: Path,
        ledger: Ledger,
        amqp_proxy: TCPProxy,
        link: RedisLink,
    ) -> None:
        job = job_that(HOLD)
        onlooker = DedupeLedger(link, owner="onlooker", ttl_seconds=3600, remembered=0)
        with WorkerProcess(tmp_path, redis_url, amqp_proxy.reroute(broker.url)) as worker:
            platform.publish(job)
            eventually(lambda: ledger.lines("called") != [], "the provider is called")
            # The event cannot be confirmed, so the job cannot be acknowledged.
            amqp_proxy.black_hole()
            ledger.open_gate()
            eventually(
                lambda: isinstance(onlooker.begin(job.message_id, 0.0), Done), "the outcome is kept"
            )
            worker.kill()
        amqp_proxy.cut()
        with WorkerProcess(tmp_path, redis_url, broker.url):
            event = platform.event_of(job)
        assert ledger.accepted == {job.message_id: 1}
        assert event.outcome is Outcome.DELIVERED
        assert event.provider_message_id == job.message_id
        assert not event.possible_duplicate

    def test_during_the_send_at_least_once_sends_again_and_says_so(
        self, platform: Platform, broker: Broker, redis_url: str, tmp_path: Path, ledger: Ledger
    ) -> None:
        job = job_that(HOLD)
        self._kill_during_the_send(platform, broker, redis_url, tmp_path, ledger, job)
        ledger.open_gate()
        with WorkerProcess(tmp_path, redis_url, broker.url):
            event = platform.event_of(job)
        assert event.outcome is Outcome.DELIVERED
        assert event.possible_duplicate
        assert ledger.lines("called") == [job.message_id] * 2

    def test_during_the_send_at_most_once_does_not_send_again(
        self, platform: Platform, broker: Broker, redis_url: str, tmp_path: Path, ledger: Ledger
    ) -> None:
        job = job_that(HOLD, DeliveryPolicy.AT_MOST_ONCE)
        self._kill_during_the_send(platform, broker, redis_url, tmp_path, ledger, job)
        ledger.open_gate()
        with WorkerProcess(tmp_path, redis_url, broker.url):
            event = platform.event_of(job)
        assert (event.outcome, event.reason) == (Outcome.FAILED, Reason.OUTCOME_UNKNOWN)
        assert ledger.lines("called") == [job.message_id]

    @pytest.mark.parametrize(
        ("count", "environment"),
        [(400, {"DELAY": "0.02"}), (1500, {"DELAY": "0.001", "TURNS": "yes"})],
        ids=["one by one", "several at once"],
    )
    def test_at_random_under_load_nothing_is_lost_and_duplicates_are_flagged(
        self,
        platform: Platform,
        broker: Broker,
        redis_url: str,
        tmp_path: Path,
        ledger: Ledger,
        count: int,
        environment: dict[str, str],
    ) -> None:
        load, kills = jobs(count), 3
        platform.publish(*load)
        for kill in range(kills):
            with WorkerProcess(tmp_path, redis_url, broker.url, **environment) as worker:
                so_far = len(ledger.lines("accepted"))
                eventually(
                    partial(_is_past, ledger, so_far + random.randint(20, 60)), f"load {kill}"
                )
                worker.kill()
            forget_the_dead(redis_url)
        with WorkerProcess(tmp_path, redis_url, broker.url) as worker:
            events = platform.wait_told(count)
            assert worker.terminate() == 0
        assert set(ledger.accepted) == ids(*load)
        twice = {message_id for message_id, count in ledger.accepted.items() if count > 1}
        assert len(twice) <= kills * THREADS
        flagged = {
            f"{event.notification_id}:{event.attempt}"
            for event in events
            if event.possible_duplicate
        }
        assert twice <= flagged
        assert len(flagged) <= kills * THREADS

    @pytest.mark.parametrize(
        "environment", [{}, {"TURNS": "yes"}], ids=["one by one", "several at once"]
    )
    def test_a_job_that_kills_its_worker_is_put_aside_alone(
        self,
        platform: Platform,
        broker: Broker,
        redis_url: str,
        tmp_path: Path,
        ledger: Ledger,
        environment: dict[str, str],
    ) -> None:
        """Prefetch times delivery limit: the innocents around it come back each time too."""
        innocents, killer = jobs(100), job_that(CRASH)
        platform.publish(*innocents[:50], killer, *innocents[50:])
        for _ in range(3):
            with WorkerProcess(tmp_path, redis_url, broker.url, **environment) as worker:
                assert worker.wait() == 1
            forget_the_dead(redis_url)
        with WorkerProcess(tmp_path, redis_url, broker.url, **environment):
            [letter] = platform.wait_dead(1)
            event = platform.event_of(killer)
            platform.wait_told(101)
        assert letter.message_id == killer.message_id
        assert (event.outcome, event.reason) == (Outcome.FAILED, Reason.OUTCOME_UNKNOWN)
        assert [event for event in platform.events if event.outcome is Outcome.FAILED] == [event]
        assert set(ledger.accepted) == ids(*innocents)
        assert len(platform.dead) == 1

    @staticmethod
    def _kill_during_the_send(
        platform: Platform,
        broker: Broker,
        redis_url: str,
        tmp_path: Path,
        ledger: Ledger,
        job: DeliveryJob,
    ) -> None:
        with WorkerProcess(tmp_path, redis_url, broker.url) as worker:
            platform.publish(job)
            eventually(lambda: ledger.lines("called") != [], "the provider is called")
            worker.kill()
        forget_the_dead(redis_url)


class TestStop:
    """SIGTERM: finish, flush, leave."""

    @pytest.mark.parametrize("moment", range(2))
    def test_under_load_nothing_is_sent_twice(
        self,
        platform: Platform,
        broker: Broker,
        redis_url: str,
        tmp_path: Path,
        ledger: Ledger,
        moment: int,
    ) -> None:
        load = jobs(300)
        platform.publish(*load)
        drain = {"WORKER_DRAIN_SECONDS": random.choice(["0", "0.5"])}
        with WorkerProcess(tmp_path, redis_url, broker.url, DELAY="0.01", **drain) as worker:
            goal = random.randint(1, 200)
            eventually(lambda: len(ledger.lines("accepted")) >= goal, "some are sent")
            time.sleep(random.random() / 20)
            assert worker.terminate() == 0
        sent_before = sum(ledger.accepted.values())
        # What was sent was told, and acknowledged.
        platform.wait_told(sent_before)
        with WorkerProcess(tmp_path, redis_url, broker.url) as worker:
            events = platform.wait_events(300)
            assert worker.terminate() == 0
        assert ledger.accepted == dict.fromkeys(ids(*load), 1)
        assert len(events) == 300
        assert not any(event.possible_duplicate for event in events)
        assert "defect" not in worker.log.read_text()

    def test_a_slow_call_is_finished(
        self, platform: Platform, broker: Broker, redis_url: str, tmp_path: Path, ledger: Ledger
    ) -> None:
        job = delivery_job()
        with WorkerProcess(tmp_path, redis_url, broker.url, DELAY="2") as worker:
            platform.publish(job)
            eventually(lambda: ledger.lines("called") != [], "the provider is called")
            assert worker.terminate() == 0
        assert platform.event_of(job).outcome is Outcome.DELIVERED
        assert broker.depth(topology.queue_for("email", Lane.NORMAL)) == 0

    def test_a_call_that_hangs_does_not_hold_up_the_exit(
        self, platform: Platform, broker: Broker, redis_url: str, tmp_path: Path, ledger: Ledger
    ) -> None:
        held, other = job_that(HOLD), delivery_job(lane=Lane.HIGH)
        stop = {"WORKER_STOP_SECONDS": "4", "WORKER_DRAIN_SECONDS": "1"}
        with WorkerProcess(tmp_path, redis_url, broker.url, **stop) as worker:
            platform.publish(held, other)
            eventually(lambda: len(ledger.lines("called")) == 2, "both are begun")
            platform.event_of(other)
            assert worker.terminate() == 1
        eventually(
            lambda: broker.depth(topology.queue_for("email", Lane.NORMAL)) == 1, "it is given back"
        )
        assert ledger.accepted == {other.message_id: 1}

    def test_a_silent_broker_does_not_hold_up_the_exit(
        self,
        platform: Platform,
        broker: Broker,
        redis_url: str,
        tmp_path: Path,
        ledger: Ledger,
        amqp_proxy: TCPProxy,
    ) -> None:
        load = jobs(20)
        stop = {"WORKER_STOP_SECONDS": "8", "WORKER_DRAIN_SECONDS": "1", "DELAY": "0.05"}
        url = amqp_proxy.reroute(broker.url)
        with WorkerProcess(tmp_path, redis_url, url, **stop) as worker:
            platform.publish(*load)
            eventually(lambda: len(ledger.lines("accepted")) >= 3, "some are sent")
            # The silence lasts until it has ended.
            amqp_proxy.black_hole()
            worker.terminate()
        amqp_proxy.cut()
        with WorkerProcess(tmp_path, redis_url, broker.url):
            platform.wait_told(20)
        assert ledger.accepted == dict.fromkeys(ids(*load), 1)


class TestBrokerTrouble:
    """The connection to RabbitMQ breaks, stalls, or its queues are gone."""

    def test_a_job_that_comes_back_while_it_is_being_sent_is_joined(
        self, platform: Platform, broker: Broker, redis_url: str, amqp_proxy: TCPProxy
    ) -> None:
        gate = Gate()
        provider = RecordingProvider(behave=gate.pass_through)
        config = settings(redis_url, amqp_proxy.reroute(broker.url))
        with running(config, provider) as runner:
            job = delivery_job()
            platform.publish(job)
            provider.wait_calls(1)
            amqp_proxy.cut()
            eventually(lambda: not runner._consumer.consuming, "the connection is lost")
            amqp_proxy.heal()
            [hand] = runner._desks["email"]._hands
            eventually(lambda: len(hand.deliveries) == 2, "the job is handed out again")
            gate.open()
            event = platform.event_of(job)
        assert provider.calls == [job.message_id]
        assert not event.possible_duplicate
        assert broker.depth(topology.queue_for("email", Lane.NORMAL)) == 0

    def test_a_job_that_comes_back_elsewhere_while_it_is_being_sent_waits(
        self, platform: Platform, broker: Broker, redis_url: str, amqp_proxy: TCPProxy
    ) -> None:
        """A partition: RabbitMQ gives the job to another worker, its first one still runs."""
        gate = Gate()
        one, other = RecordingProvider(behave=gate.pass_through), RecordingProvider()
        with running(settings(redis_url, amqp_proxy.reroute(broker.url)), one):
            job = delivery_job()
            platform.publish(job)
            one.wait_calls(1)
            amqp_proxy.cut()
            with running(settings(redis_url, broker.url), other) as runner:
                eventually(lambda: len(runner._desks["email"]._parking) == 1, "the other waits")
                gate.open()
                event = platform.event_of(job)
            amqp_proxy.heal()
        assert one.sent == [job.message_id]
        assert other.calls == []
        assert not event.possible_duplicate

    def test_stale_deliveries_are_not_begun(
        self, platform: Platform, broker: Broker, redis_url: str, amqp_proxy: TCPProxy
    ) -> None:
        gate = Gate()
        held, other = RecordingProvider(behave=gate.pass_through), RecordingProvider()
        load = [delivery_job() for _ in range(20)]
        with running(settings(redis_url, amqp_proxy.reroute(broker.url)), held) as runner:
            platform.publish(*load)
            held.wait_calls(2)
            amqp_proxy.cut()
            eventually(lambda: not runner._consumer.consuming, "the connection is lost")
            with running(settings(redis_url, broker.url), other):
                other.wait_sent(18)
                gate.open()
                platform.wait_events(20)
            amqp_proxy.heal()
        assert len(held.calls) == 2
        assert len(other.calls) == 18
        # The two that were begun may be told by both; the others were forgotten by the first.
        assert len(platform.events) <= 22

    def test_a_partition_heals(
        self, platform: Platform, broker: Broker, redis_url: str, amqp_proxy: TCPProxy
    ) -> None:
        provider = RecordingProvider(behave=lambda _job: time.sleep(0.005))
        load = jobs(200)
        url = f"{amqp_proxy.reroute(broker.url)}?heartbeat=2"
        with running(settings(redis_url, url), provider):
            platform.publish(*load)
            provider.wait_sent(40)
            amqp_proxy.black_hole()
            time.sleep(6)
            amqp_proxy.heal()
            platform.wait_told(200)
        assert sorted(provider.sent) == sorted(ids(*load))

    def test_a_call_longer_than_the_heartbeat_is_made_once(
        self, platform: Platform, broker: Broker, redis_url: str
    ) -> None:
        provider = RecordingProvider(behave=lambda _job: time.sleep(7))
        with running(settings(redis_url, f"{broker.url}?heartbeat=2"), provider):
            job = delivery_job()
            platform.publish(job)
            assert platform.event_of(job).outcome is Outcome.DELIVERED
        assert provider.calls == [job.message_id]
        assert broker.depth(topology.queue_for("email", Lane.NORMAL)) == 0

    def test_an_event_that_no_queue_takes_is_published_until_one_does(
        self, platform: Platform, broker: Broker, redis_url: str
    ) -> None:
        """A confirmed publish to a missing queue returns normally, unless it is mandatory."""
        gate = Gate()
        provider = RecordingProvider(behave=gate.pass_through)
        returned = sample(RETRIES, result="returned")
        with running(settings(redis_url, broker.url), provider):
            job = delivery_job()
            platform.publish(job)
            provider.wait_calls(1)
            with platform.declaring_no_events():
                broker.channel.queue_delete(topology.EVENTS_QUEUE)
                gate.open()
                eventually(lambda: sample(RETRIES, result="returned") > returned, "it comes back")
            assert platform.event_of(job).outcome is Outcome.DELIVERED
        assert provider.calls == [job.message_id]


class TestRedisTrouble:
    """Redis is cut off, stalls or forgets."""

    def test_work_goes_on_without_it(
        self, platform: Platform, broker: Broker, redis_url: str, redis_proxy: TCPProxy
    ) -> None:
        provider = RecordingProvider()
        with running(settings(redis_proxy.reroute(redis_url), broker.url), provider):
            before, during, after = jobs(30), jobs(30), jobs(30)
            platform.publish(*before)
            provider.wait_sent(30)
            redis_proxy.cut()
            platform.publish(*during)
            provider.wait_sent(60)
            redis_proxy.heal()
            platform.publish(*after)
            events = platform.wait_events(90)
        assert sorted(provider.sent) == sorted(ids(*before, *during, *after))
        assert not any(event.possible_duplicate for event in events)

    def test_at_most_once_waits_for_it(
        self, platform: Platform, broker: Broker, redis_url: str, redis_proxy: TCPProxy
    ) -> None:
        provider = RecordingProvider()
        with running(settings(redis_proxy.reroute(redis_url), broker.url), provider) as runner:
            redis_proxy.cut()
            careful = delivery_job(delivery=DeliveryPolicy.AT_MOST_ONCE)
            eager = delivery_job()
            platform.publish(careful, eager)
            provider.wait_sent(1)
            eventually(lambda: len(runner._desks["email"]._parking) == 1, "it waits")
            assert provider.sent == [eager.message_id]
            redis_proxy.heal()
            assert platform.event_of(careful).outcome is Outcome.DELIVERED
        assert provider.sent == [eager.message_id, careful.message_id]

    def test_a_stall_costs_no_duplicate(
        self, platform: Platform, broker: Broker, redis_url: str, redis_proxy: TCPProxy
    ) -> None:
        provider = RecordingProvider(behave=lambda _job: time.sleep(0.01))
        load = jobs(200)
        with running(settings(redis_proxy.reroute(redis_url), broker.url), provider):
            platform.publish(*load[:100])
            provider.wait_sent(30)
            redis_proxy.black_hole()
            platform.publish(*load[100:])
            provider.wait_sent(120)
            redis_proxy.heal()
            events = platform.wait_events(200)
        assert sorted(provider.sent) == sorted(ids(*load))
        assert not any(event.possible_duplicate for event in events)

    def test_what_redis_forgot_its_own_process_remembers(
        self, platform: Platform, broker: Broker, redis_url: str, link: RedisLink
    ) -> None:
        provider = RecordingProvider()
        load = jobs(20)
        with running(settings(redis_url, broker.url), provider):
            platform.publish(*load)
            platform.wait_events(20)
            link.run(("FLUSHDB",))
            platform.publish(*load)
            events = platform.wait_events(40)
        assert sorted(provider.calls) == sorted(ids(*load))
        assert len({event.event_id for event in events}) == 20

    def test_a_redelivery_during_an_outage_of_both_is_joined(
        self,
        platform: Platform,
        broker: Broker,
        redis_url: str,
        amqp_proxy: TCPProxy,
        link: RedisLink,
    ) -> None:
        gate = Gate()
        provider = RecordingProvider(behave=gate.pass_through)
        with running(settings(redis_url, amqp_proxy.reroute(broker.url)), provider) as runner:
            job = delivery_job()
            platform.publish(job)
            provider.wait_calls(1)
            amqp_proxy.black_hole()
            gate.open()
            eventually(lambda: runner._reporter.pending == 1, "the outcome waits to be told")
            link.run(("FLUSHDB",))
            amqp_proxy.cut()
            amqp_proxy.heal()
            event = platform.event_of(job)
        assert provider.calls == [job.message_id]
        assert not event.possible_duplicate

    def test_the_threads_do_not_queue_up_behind_a_silent_redis(
        self, platform: Platform, broker: Broker, redis_url: str, redis_proxy: TCPProxy
    ) -> None:
        provider = RecordingProvider()
        threads = Threads(dict.fromkeys(Lane, 2), 2)
        config = settings(redis_proxy.reroute(redis_url), broker.url, threads=threads)
        with running(config, provider):
            platform.publish(*jobs(10))
            provider.wait_sent(10)
            redis_proxy.black_hole()
            made = redis_proxy.made
            platform.publish(*jobs(300))
            provider.wait_sent(310)
            # Each that waits for it comes with a connection: not every job does.
            assert redis_proxy.made - made < 150
            redis_proxy.heal()
            platform.wait_events(310)
