"""The promises, and how each is put to the test. A scenario breaks something under load."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis

from tests.end_to_end.faults.arena import Arena
from tests.end_to_end.faults.load import Load
from tests.end_to_end.faults.provider import Mood

# The email worker's threads: what one kill can leave in doubt.
WORKER_CONCURRENCY = 16


@dataclass(frozen=True)
class Scale:
    """How much of everything: `count` notifications, `kills`, and outages of `outage` seconds."""

    count: int
    rate: float
    kills: int
    outage: float


SHORT = Scale(count=300, rate=150, kills=1, outage=3)
LONG = Scale(count=2_000, rate=200, kills=5, outage=60)


@dataclass(frozen=True)
class Scenario:
    """`inject` runs while the load does. `duplicates` is the bound that is promised."""

    name: str
    promise: str
    injected: str
    inject: Callable[[Arena, Load, Scale], None]
    duplicates: Callable[[Scale], int] = lambda _scale: 0


def _spread(load: Load, scale: Scale) -> list[int]:
    """Moments for the kills, in notifications sent, in the middle of the work."""
    return sorted(
        random.randint(scale.count // 10, scale.count * 8 // 10) for _ in range(scale.kills)
    )


def kill(process: str) -> Callable[[Arena, Load, Scale], None]:
    """SIGKILL a process and start it again, several times."""

    def inject(arena: Arena, load: Load, scale: Scale) -> None:
        for moment in _spread(load, scale):
            load.wait_until_sent(moment)
            arena.stack.platform.kill(process)
            arena.stack.platform.start_process(process)

    return inject


def terminate(process: str) -> Callable[[Arena, Load, Scale], None]:
    """SIGTERM a process, let it finish, and start it again, several times."""

    def inject(arena: Arena, load: Load, scale: Scale) -> None:
        for moment in _spread(load, scale):
            load.wait_until_sent(moment)
            arena.stack.platform.stop(process)
            arena.stack.platform.start_process(process)

    return inject


def crash_rabbitmq(arena: Arena, load: Load, scale: Scale) -> None:
    """kill -9 RabbitMQ and start it again."""
    load.wait_until_sent(scale.count // 3)
    arena.rabbitmq.kill()
    arena.rabbitmq.start()


def stop_rabbitmq(arena: Arena, load: Load, scale: Scale) -> None:
    """An orderly stop, a pause, a start."""
    load.wait_until_sent(scale.count // 4)
    arena.rabbitmq.stop()
    time.sleep(scale.outage)
    arena.rabbitmq.start()


def raise_memory_alarm(arena: Arena, load: Load, scale: Scale) -> None:
    """RabbitMQ blocks every publisher."""
    load.wait_until_sent(scale.count // 4)
    arena.rabbitmq.control("set_vm_memory_high_watermark", "0.00001")
    try:
        time.sleep(scale.outage)
    finally:
        arena.rabbitmq.control("set_vm_memory_high_watermark", "0.4")


def stop_redis(arena: Arena, load: Load, scale: Scale) -> None:
    """Redis goes, and comes back with what it had."""
    load.wait_until_sent(scale.count // 4)
    arena.redis.stop()
    time.sleep(scale.outage)
    arena.redis.start()


def flush_redis(arena: Arena, load: Load, scale: Scale) -> None:
    """Redis forgets everything, several times."""
    for moment in _spread(load, scale):
        load.wait_until_sent(moment)
        with redis.Redis.from_url(arena.redis.url) as client:
            client.flushall()


def crash_postgres(arena: Arena, load: Load, scale: Scale) -> None:
    """kill -9 PostgreSQL and start it again."""
    load.wait_until_sent(scale.count // 3)
    arena.postgres.kill()
    time.sleep(scale.outage)
    arena.postgres.start()


def black_hole(link: str) -> Callable[[Arena, Load, Scale], None]:
    """A partition: the link stays open and carries nothing."""

    def inject(arena: Arena, load: Load, scale: Scale) -> None:
        load.wait_until_sent(scale.count // 4)
        arena.links[link].black_hole()
        try:
            time.sleep(scale.outage)
        finally:
            arena.links[link].heal()

    return inject


def provider_mood(mood: Mood) -> Callable[[Arena, Load, Scale], None]:
    """The provider misbehaves for a while."""

    def inject(arena: Arena, load: Load, scale: Scale) -> None:
        load.wait_until_sent(scale.count // 4)
        arena.provider.mood = mood
        try:
            time.sleep(scale.outage)
        finally:
            arena.provider.mood = Mood.ACCEPT

    return inject


SCENARIOS = (
    Scenario("gateway-killed", "202 is durable", "kill -9 gateway", kill("gateway")),
    Scenario("relay-killed", "202 is durable", "kill -9 relay", kill("relay")),
    Scenario("events-killed", "no outcome is lost", "kill -9 events", kill("events")),
    Scenario(
        "worker-killed",
        "duplicates are bounded and flagged",
        "kill -9 email_worker",
        kill("email_worker"),
        duplicates=lambda scale: scale.kills * WORKER_CONCURRENCY,
    ),
    Scenario(
        "worker-terminated", "an orderly stop resends nothing", "SIGTERM email_worker",
        terminate("email_worker"),
    ),
    Scenario("broker-killed", "a broker crash loses nothing", "kill -9 RabbitMQ", crash_rabbitmq),
    Scenario("broker-stopped", "intake survives the broker", "stop RabbitMQ", stop_rabbitmq),
    Scenario("broker-alarm", "intake survives the alarm", "memory alarm", raise_memory_alarm),
    Scenario("redis-stopped", "Redis is not the truth", "stop Redis", stop_redis),
    Scenario(
        "redis-flushed", "Redis is not the truth", "FLUSHALL", flush_redis,
        duplicates=lambda scale: scale.kills * WORKER_CONCURRENCY,
    ),
    Scenario("database-killed", "never a false 202", "kill -9 PostgreSQL", crash_postgres),
    Scenario(
        "broker-partition", "a partition heals", "black hole to RabbitMQ", black_hole("RabbitMQ")
    ),
    Scenario("redis-partition", "a partition heals", "black hole to Redis", black_hole("Redis")),
    Scenario(
        "database-partition", "a partition heals", "black hole to PostgreSQL",
        black_hole("PostgreSQL"),
    ),
    Scenario(
        "provider-partition", "duplicates are bounded and flagged", "black hole to the provider",
        black_hole("provider"),
        duplicates=lambda _scale: WORKER_CONCURRENCY,
    ),
    Scenario(
        "provider-busy", "trouble is retried", "451 from the provider", provider_mood(Mood.BUSY)
    ),
    Scenario("provider-slow", "trouble is waited out", "a slow provider", provider_mood(Mood.SLOW)),
    Scenario(
        "provider-gone", "trouble is retried", "the provider hangs up",
        provider_mood(Mood.REFUSE_CONNECTIONS),
    ),
)  # fmt: skip

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
