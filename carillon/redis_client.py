"""How every process connects to Redis."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_SECONDS = 1.0
# Above what any process has threads. redis-py stops at 100, and counts those of threads that ended.
MOST_CONNECTIONS = 10_000


def connect(url: str, *, timeout: float | None = None) -> redis.Redis:
    """A pooled, thread-safe client that answers bytes and gives up after `timeout` seconds.

    None is TIMEOUT_SECONDS. It does not retry: redis-py's own retries repeat commands whose
    outcome is unknown, and an INCR would count twice. A connection found dead is replaced by the
    next command's.
    """
    seconds = TIMEOUT_SECONDS if timeout is None else timeout
    return redis.Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        health_check_interval=30,
        max_connections=MOST_CONNECTIONS,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
    )
