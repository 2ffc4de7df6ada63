"""Servers, links and providers that go, stall, forget or misbehave."""

import math
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import redis

from carillon.broker import topology
from carillon.broker.connection import HEARTBEAT
from carillon.contracts.lanes import Lane
from carillon.worker.breaker import COOLDOWN_SECONDS, FAILURES_TO_OPEN
from deploy.local.servers.rabbitmq import MEMORY_LIMIT
from tests.end_to_end.faults import evidence
from tests.end_to_end.faults.arena import SERVICES
from tests.end_to_end.faults.crashes import moments
from tests.end_to_end.faults.provider import Mood
from tests.end_to_end.faults.scenario import Experiment, Inject, Scale
from tests.end_to_end.faults.settings import SMTP_TIMEOUT_SECONDS, WORKER_THREADS

SILENCE = 30.0  # seconds
# 53100 is what PostgreSQL says where it cannot extend a file.
_FULL = """
    CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
    END $$;
    CREATE TRIGGER disk_is_full BEFORE INSERT OR UPDATE ON notifications_notification
    FOR EACH STATEMENT EXECUTE FUNCTION disk_is_full()
"""
ON_RABBITMQ = ("relay", "events", "email_worker")


@contextmanager
def outage(experiment: Experiment) -> Iterator[None]:
    """Around a fault that lasts: it begins in the middle of the load."""
    experiment.strike(0.25)
    begun = time.monotonic()
    yield
    experiment.outage = (begun, time.monotonic())


def kill_rabbitmq(experiment: Experiment) -> None:
    """kill -9 RabbitMQ and start it again."""
    with outage(experiment):
        experiment.arena.rabbitmq.kill()
        experiment.arena.rabbitmq.start()


def stop_rabbitmq(experiment: Experiment) -> None:
    """An orderly stop, a pause, a start."""
    with outage(experiment):
        experiment.arena.rabbitmq.stop()
        experiment.arena.pause(experiment.scale.outage)
        experiment.arena.rabbitmq.start()


def raise_memory_alarm(experiment: Experiment) -> None:
    """RabbitMQ blocks every publisher."""
    rabbitmq = experiment.arena.rabbitmq
    with outage(experiment):
        rabbitmq.control("set_vm_memory_high_watermark", "0.00001")
        try:
            experiment.arena.pause(experiment.scale.outage)
        finally:
            rabbitmq.control("set_vm_memory_high_watermark", "absolute", MEMORY_LIMIT)


def delete_queue(experiment: Experiment) -> None:
    """Somebody deletes a queue with the jobs in it; the reconciler is told to look."""
    arena, load = experiment.arena, experiment.load
    load.wait_until_done(0.25)
    arena.provider.mood = Mood.SLOW
    experiment.strike(0.5)
    evidence.delete(arena, topology.queue_for(evidence.EMAIL, Lane.NORMAL))
    arena.provider.mood = Mood.ACCEPT
    load.wait_until_done(1.0)
    # What a worker still holds of the deleted queue has its time to be reported.
    arena.pause(2.0)
    ran = arena.manage("reconcile", "--stuck-after", "1")
    experiment.expect(ran.returncode == 0, f"reconcile failed: {ran.stderr[-500:]}")
    experiment.note(ran.stdout.strip())


def stop_redis(experiment: Experiment) -> None:
    """Redis goes, and comes back with what it had."""
    with outage(experiment):
        experiment.arena.redis.stop()
        experiment.arena.pause(experiment.scale.outage)
        experiment.arena.redis.start()


def stall_redis(experiment: Experiment) -> None:
    """Redis keeps every connection open and answers nothing."""
    with outage(experiment):
        os.kill(experiment.arena.redis.pid, signal.SIGSTOP)
        try:
            experiment.arena.pause(experiment.scale.outage)
        finally:
            os.kill(experiment.arena.redis.pid, signal.SIGCONT)


def flush_redis(experiment: Experiment) -> None:
    """Redis forgets everything, several times."""
    for moment in moments(experiment.scale):
        experiment.strike(moment)
        _flushall(experiment)


def flush_redis_once(experiment: Experiment) -> None:
    """Redis forgets everything, in the middle."""
    experiment.strike(0.5)
    _flushall(experiment)


def trouble_redis(experiment: Experiment) -> None:
    """Redis goes, comes back, and forgets, while a quota runs out."""
    arena, load = experiment.arena, experiment.load
    experiment.strike(0.2)
    arena.redis.stop()
    load.wait_until_done(0.4)
    arena.redis.start()
    experiment.strike(random.uniform(0.45, 0.6))
    _flushall(experiment)


def crash_postgres(experiment: Experiment) -> None:
    """kill -9 PostgreSQL and start it again."""
    with outage(experiment):
        experiment.arena.postgres.kill()
        experiment.arena.pause(experiment.scale.outage)
        experiment.arena.postgres.start()
        _hurry(experiment)


def fill_disk(experiment: Experiment) -> None:
    """PostgreSQL answers what it answers on a full disk to whatever would take more room."""
    arena = experiment.arena
    with (
        outage(experiment),
        psycopg.connect(arena.postgres.url, dbname="gateway", autocommit=True) as connection,
    ):
        connection.execute(_FULL)
        try:
            arena.pause(experiment.scale.outage)
        finally:
            connection.execute("DROP FUNCTION disk_is_full CASCADE")


def black_hole(*links: str) -> Inject:
    """A partition: the links stay open and carry nothing."""

    def inject(experiment: Experiment) -> None:
        with outage(experiment), holes(experiment, *links):
            experiment.arena.pause(experiment.scale.outage)

    return inject


def black_hole_to_services(experiment: Experiment) -> None:
    """The gateway reaches neither service, and has forgotten what they told it."""
    with outage(experiment), holes(experiment, *SERVICES):
        _flushall(experiment)
        experiment.arena.pause(experiment.scale.outage)


@contextmanager
def holes(experiment: Experiment, *links: str) -> Iterator[None]:
    """Black holes while inside."""
    for link in links:
        experiment.arena.links[link].black_hole()
    try:
        yield
    finally:
        for link in links:
            experiment.arena.links[link].heal()


def black_hole_to_rabbitmq(experiment: Experiment) -> None:
    """The same; whoever needs RabbitMQ is back within two heartbeats."""
    black_hole("RabbitMQ")(experiment)
    arena = experiment.arena
    healed = time.monotonic()
    back = arena.wait_until(lambda: all(arena.ready(name) for name in ON_RABBITMQ), 60.0)
    took = time.monotonic() - healed
    experiment.note(f"reconnected within {took:.1f} s")
    experiment.expect(back and took <= 2 * HEARTBEAT, f"{took:.1f} s to reconnect")


def provider_mood(mood: Mood) -> Inject:
    """The provider misbehaves for a while."""

    def inject(experiment: Experiment) -> None:
        arena = experiment.arena
        with outage(experiment):
            arena.provider.mood = mood
            try:
                arena.pause(experiment.scale.outage)
            finally:
                arena.provider.mood = Mood.ACCEPT
                _hurry(experiment)

    return inject


def unanswered_calls(_scale: Scale) -> int:
    """What is sent to a provider that takes messages and answers nothing.

    Each thread hangs once. Until FAILURES_TO_OPEN of them have timed out the others begin again;
    then the breaker lets one probe through in a cooldown.
    """
    probes = math.ceil((SILENCE - SMTP_TIMEOUT_SECONDS) / COOLDOWN_SECONDS)
    return WORKER_THREADS + FAILURES_TO_OPEN - 1 + probes


def silence_provider(experiment: Experiment) -> None:
    """The provider takes what it is sent and answers nothing; long enough for calls to time out."""
    arena = experiment.arena
    with outage(experiment):
        arena.provider.mood = Mood.SILENT
        try:
            arena.pause(SILENCE)
        finally:
            arena.provider.mood = Mood.ACCEPT


def _hurry(experiment: Experiment) -> None:
    if not experiment.scale.patient:
        experiment.arena.let_time_pass()


def _flushall(experiment: Experiment) -> None:
    with redis.Redis.from_url(experiment.arena.redis.url) as client:
        client.flushall()
