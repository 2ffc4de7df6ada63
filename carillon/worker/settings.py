"""What a worker is told by its environment, read once."""

from collections.abc import Mapping
from dataclasses import dataclass

from carillon.contracts.channels import Channel, channels_of
from carillon.contracts.lanes import Lane
from carillon.settings import Environment, SettingsError

HEALTH_PORTS: Mapping[str, int] = {
    "email_worker": 9103,
    "sms_worker": 9104,
    "push_worker": 9105,
}


@dataclass(frozen=True, slots=True)
class Threads:
    """The threads of one channel: those that a lane has to itself, and the rest."""

    reserved: Mapping[Lane, int]
    shared: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.reserved.values()) + self.shared


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The settings of one worker process."""

    worker: str
    channels: tuple[Channel, ...]
    redis_url: str
    rabbitmq_url: str
    host: str
    port: int
    processes: int
    threads: Threads
    prefetch: Mapping[Lane, int]
    drain_seconds: float
    stop_seconds: float
    longest_call_seconds: float
    dedupe_ttl_seconds: int


def load(worker: str, env: Environment, *, threads: int) -> WorkerSettings:
    """Read the settings of `worker` ("email_worker", …); `threads` is its default per channel.

    Raises SettingsError.
    """
    prefix = worker.upper()
    stop_seconds = env.number("WORKER_STOP_SECONDS", 28.0, least=1, most=600)
    return WorkerSettings(
        worker=worker,
        channels=channels_of(worker),
        redis_url=env.url(
            "REDIS_URL", schemes=("redis", "rediss", "unix"), example="redis://127.0.0.1:6379/0"
        ),
        rabbitmq_url=env.url(
            "RABBITMQ_URL",
            schemes=("amqp", "amqps"),
            example="amqp://guest:guest@127.0.0.1:5672/%2F",
        ),
        host=env.text("HEALTH_HOST", "127.0.0.1"),
        port=env.integer(f"{prefix}_PORT", HEALTH_PORTS[worker], most=65535),
        processes=env.integer(f"{prefix}_PROCESSES", 1, least=1, most=64),
        threads=_threads(prefix, threads, env),
        prefetch=_prefetch(prefix, env),
        drain_seconds=env.number("WORKER_DRAIN_SECONDS", 8.0, most=stop_seconds),
        stop_seconds=stop_seconds,
        longest_call_seconds=env.number("WORKER_LONGEST_CALL_SECONDS", 120.0, least=10, most=3600),
        dedupe_ttl_seconds=3600 * env.integer("DEDUPE_TTL_HOURS", 48, least=24, most=72),
    )


def _threads(prefix: str, default: int, env: Environment) -> Threads:
    name = f"{prefix}_THREADS"
    total = env.integer(name, default, least=3, most=500)
    high_name = f"{prefix}_HIGH_THREADS"
    high = env.integer(high_name, max(1, total // 4), least=1, most=500)
    if high > total - 2:
        problem = f"leaves no thread to the other lanes: {high} of {name}={total}"
        raise SettingsError(high_name, problem, str(max(1, total // 4)))
    reserved = {Lane.HIGH: high, Lane.NORMAL: 1, Lane.BULK: 1}
    return Threads(reserved, total - sum(reserved.values()))


def _prefetch(prefix: str, env: Environment) -> dict[Lane, int]:
    default = env.integer(f"{prefix}_PREFETCH", 100, least=1, most=2000)
    high = env.integer(f"{prefix}_HIGH_PREFETCH", min(default, 50), least=1, most=2000)
    return {Lane.HIGH: high, Lane.NORMAL: default, Lane.BULK: default}
