"""How every process connects to Redis."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_SECONDS = 1.0


def connect(url: str, *, timeout: float = TIMEOUT_SECONDS) -> redis.Redis:
    """A pooled, thread-safe client that answers bytes and gives up after `timeout` seconds.

    It does not retry: redis-py's own retries repeat commands whose outcome is unknown, and
    an INCR would count twice. A connection found dead is replaced by the next command's.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
    )
